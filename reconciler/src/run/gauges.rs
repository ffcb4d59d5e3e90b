//! The metrics that are read off for each scrape. None of them costs more for a larger cluster, but for
//! those of `--metrics-proxies`.

use kuma_workload_rulebook::roster::Key;
use tokio::task::yield_now;

use super::{context::Context, metrics::Proxies, work_item::WorkItem};

/// How many Workloads are read before other tasks have their turn.
const SLICE: usize = 200;

/// Updates them.
pub(super) fn refresh(context: &Context) {
    let metrics = &context.metrics;
    metrics.leads(context.leads());
    metrics.watch_ages(&context.progress.ages());
    metrics.api_server_away(context.health.away_since().map(|since| since.elapsed()));
    let queue = context.queue();
    metrics.queue_depth(queue.depth());
    metrics.held(queue.holds());
    metrics.totals(queue.totals());
    drop(queue);
    let index = context.index();
    metrics.mode(index.mode());
    metrics.strangers(index.strangers().1);
    for (kind, count) in index.sizes() {
        metrics.indexed(kind, count);
    }
}

/// The numbers of each workload in each of its meshes (S7).
pub(super) async fn proxies(context: &Context) -> Vec<Proxies> {
    let (mut proxies, mut last) = (Vec::new(), None);
    loop {
        let items: Vec<_> = {
            let queue = context.queue();
            queue
                .items_after(last.as_ref())
                .take(SLICE)
                .cloned()
                .collect()
        };
        for item in &items {
            if let WorkItem::Workload(key) = &**item {
                add(&mut proxies, context, key);
            }
        }
        if items.len() < SLICE {
            return proxies;
        }
        last = items.last().cloned();
        yield_now().await;
    }
}

fn add(proxies: &mut Vec<Proxies>, context: &Context, key: &Key) {
    let index = context.index();
    if !index.is_selected(&key.namespace) {
        return;
    }
    let references = index.roster().references(key);
    proxies.extend(references.iter().map(|(mesh, counts)| Proxies {
        namespace: key.namespace.clone(),
        workload: key.workload.clone(),
        mesh: mesh.to_owned(),
        counts,
    }));
}

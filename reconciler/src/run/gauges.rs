//! The metrics that are computed for each scrape.

use std::collections::{BTreeMap, BTreeSet};

use kuma_workload_rulebook::roster::{Action, Key};

use super::{
    context::Context,
    index::Index,
    metrics::{Proxies, WorkloadState},
};

/// Updates them.
pub(super) fn refresh(context: &Context) {
    let metrics = &context.metrics;
    metrics.queue_depth(context.queue.depth());
    metrics.leads(context.leads());
    let index = context.index();
    metrics.mode(index.mode());
    for (kind, count) in index.sizes() {
        metrics.indexed(kind, count);
    }
    let mut states = BTreeMap::<_, usize>::new();
    let mut namespaces = BTreeSet::new();
    let mut conflicts = 0;
    for (Key { namespace, .. }, decision) in index.decisions() {
        namespaces.insert(namespace);
        conflicts += usize::from(matches!(decision.action, Action::Conflict { .. }));
        if let Some(state) = WorkloadState::of(&decision) {
            *states.entry(state).or_default() += 1;
        }
    }
    metrics.workloads(&states);
    metrics.conflicts(conflicts);
    let split = namespaces
        .iter()
        .filter(|name| index.meshes_of(name).is_split());
    metrics.split_namespaces(split.count());
}

/// The numbers of each workload in each of its meshes (S7).
pub(super) fn proxies(index: &Index) -> Vec<Proxies> {
    let roster = index.roster();
    let mut keys: Vec<_> = roster
        .keys()
        .filter(|key| index.is_selected(&key.namespace))
        .collect();
    keys.sort_unstable();
    let of_key = |key: Key| {
        let references = roster.references(&key);
        let of_mesh = references.iter().map(|(mesh, counts)| Proxies {
            namespace: key.namespace.clone(),
            workload: key.workload.clone(),
            mesh: mesh.to_owned(),
            counts,
        });
        of_mesh.collect::<Vec<_>>()
    };
    keys.into_iter().flat_map(of_key).collect()
}

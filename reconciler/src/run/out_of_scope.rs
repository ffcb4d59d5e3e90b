//! Workloads of this program outside the namespaces of `--namespace`, where an earlier run has made
//! them: nobody looks after their numbers any more. They are counted, and told once.

use std::{collections::BTreeSet, time::Duration};

use kube::{
    api::{ListParams, Request},
    core::ObjectList,
};
use kuma_workload_rulebook::{keys, roster::MANAGER};
use tokio::time::sleep;

use super::{
    context::Context,
    requests::{ApiClient, RequestError},
};
use crate::kinds::{RecordKind, WorkloadRecord, namespace};

/// How often they are counted.
const INTERVAL: Duration = Duration::from_secs(60 * 60);
/// How many objects a page has. They are small.
const PAGE: u32 = 500;

/// Counts them for ever. Without the grant to list Workloads in all namespaces, nothing is known of
/// them.
pub(super) async fn run(api: ApiClient, context: Context, scope: BTreeSet<String>) {
    let mut told = 0;
    context.progress.ready().await;
    loop {
        if let Ok(count) = count(&api, &scope).await {
            context.metrics.out_of_scope(count);
            if count > 0 && told == 0 {
                tracing::warn!(
                    "{count} Workloads of this program are outside the namespaces of --namespace; they and their numbers stay as they are"
                );
            }
            told = count;
        }
        sleep(INTERVAL).await;
    }
}

async fn count(api: &ApiClient, scope: &BTreeSet<String>) -> Result<usize, RequestError> {
    let ours = format!("{}={MANAGER}", keys::MANAGED_BY);
    let mut parameters = ListParams::default().limit(PAGE).labels(&ours);
    let mut count = 0;
    loop {
        let path = RecordKind::Workload.path(None);
        let request = Request::new(path).list_metadata(&parameters);
        let page: ObjectList<WorkloadRecord> = api.send(request, None).await?;
        let outside = page
            .items
            .iter()
            .filter(|workload| !scope.contains(namespace(&workload.metadata)));
        count += outside.count();
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => parameters.continue_token = Some(token),
            None => return Ok(count),
        }
    }
}

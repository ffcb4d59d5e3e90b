//! The watches: each owns its scope, its generation and its freshness.
//!
//! | part | job |
//! |---|---|
//! | `follow` | one watch: list, watch, compare, list again |
//! | `record` | what a record of each kind changes in the index |
//! | `starts` | how often lists and watches are started |

mod follow;
mod record;
mod starts;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use futures::future::join_all;
use kube::{
    api::{ListParams, Request},
    core::ObjectList,
};
use tokio::task::yield_now;

use self::{
    follow::{FollowScope, Follower},
    record::IndexedRecord,
    starts::Starts,
};
use super::{
    backoff::Backoff, context::Context, progress::WatchId, requests::ApiClient, tasks::Tasks,
};
use crate::kinds::{
    DataplaneRecord, InsightRecord, MeshRecord, NamespaceRecord, PodRecord, WorkloadRecord,
};

/// More namespaces than these are watched by one watch of each kind where the grant allows it: a watch
/// takes a connection and memory of its own.
const MANY_NAMESPACES: usize = 16;
/// How many watches are made before other tasks have their turn.
const SLICE: usize = 50;
/// How often a watch of one namespace is compared with the server.
const COMPARE_NAMESPACE: Duration = Duration::from_secs(60 * 60);

/// What is watched.
#[derive(Debug, Clone)]
pub(super) struct WatchScope {
    /// Only these namespaces, each once; all of them if there is none.
    pub(super) namespaces: BTreeSet<String>,
    /// Only namespaces with these labels.
    pub(super) namespace_selector: Option<String>,
    /// Whether Pods are watched (W8).
    pub(super) pods: bool,
    /// How often a watch of the whole cluster is compared with the server (L20).
    pub(super) resync: Duration,
}

/// Starts watches.
struct Starter<'a> {
    tasks: &'a mut Tasks,
    api: &'a ApiClient,
    context: &'a Context,
    scope: &'a WatchScope,
    starts: Starts,
}

/// Starts all watches. They never end by themselves.
pub(super) fn start(tasks: &mut Tasks, api: &ApiClient, context: &Context, scope: &WatchScope) {
    let kinds = if scope.pods { 4 } else { 3 };
    let mut starter = Starter {
        tasks,
        api,
        context,
        scope,
        starts: Starts::new(scope.namespaces.len() * kinds),
    };
    starter.in_namespaces::<DataplaneRecord>("watch of Dataplanes");
    starter.in_namespaces::<InsightRecord>("watch of DataplaneInsights");
    starter.in_namespaces::<WorkloadRecord>("watch of Workloads");
    if scope.pods {
        starter.in_namespaces::<PodRecord>("watch of Pods");
    }
    // With grants in some namespaces only, there are none for cluster-wide kinds.
    if scope.namespaces.is_empty() {
        let selector = scope.namespace_selector.as_deref();
        starter.of_cluster::<NamespaceRecord>("watch of Namespaces", selector);
        starter.of_cluster::<MeshRecord>("watch of Meshes", None);
    }
}

impl Starter<'_> {
    /// A kind in the namespaces of the scope.
    fn in_namespaces<K: IndexedRecord>(&mut self, name: &'static str) {
        let namespaces = &self.scope.namespaces;
        if namespaces.is_empty() {
            let scope = self.cluster_scope(false);
            let follower = self.follower::<K>(scope);
            self.tasks.spawn(name, follower.run::<K>());
        } else if namespaces.len() <= MANY_NAMESPACES {
            for namespace in namespaces {
                let follower = self.follower::<K>(namespace_scope(namespace));
                self.tasks.spawn(name, follower.run::<K>());
            }
        } else {
            self.in_many_namespaces::<K>(name);
        }
    }

    /// One watch of the whole cluster where and while the grant allows it, or else one for each namespace.
    fn in_many_namespaces<K: IndexedRecord>(&mut self, name: &'static str) {
        let namespaces = Arc::new(self.scope.namespaces.clone());
        let wide = FollowScope {
            only: Some(namespaces.clone()),
            ..self.cluster_scope(false)
        };
        let wide = self.follower::<K>(wide);
        let (api, context) = (self.api.clone(), self.context.clone());
        let starts = self.starts.clone();
        self.tasks.spawn(name, async move {
            let id = wide.id;
            if may_list_cluster::<K>(&api, &context, id).await {
                wide.run::<K>().await;
                let resource = K::KIND.resource();
                let sentence = format!(
                    "{resource} may not be read in the whole cluster any more; each namespace is watched by itself"
                );
                context.journal.warn(&sentence, &sentence);
            }
            let mut followers = Vec::new();
            for slice in namespaces.iter().collect::<Vec<_>>().chunks(SLICE) {
                yield_now().await;
                followers.extend(slice.iter().map(|namespace| {
                    follower::<K>(namespace_scope(namespace), &api, &context, &starts)
                }));
            }
            // Those are waited for instead.
            context.progress.retire(id);
            join_all(followers.into_iter().map(Follower::run::<K>)).await;
        });
    }

    /// A kind that has no namespaces.
    fn of_cluster<K: IndexedRecord>(&mut self, name: &'static str, selector: Option<&str>) {
        let scope = FollowScope {
            selector: selector.map(str::to_owned),
            ..self.cluster_scope(selector.is_none())
        };
        let follower = self.follower::<K>(scope);
        self.tasks.spawn(name, follower.run::<K>());
    }

    fn cluster_scope(&self, is_optional: bool) -> FollowScope {
        FollowScope {
            namespace: None,
            only: None,
            selector: None,
            is_optional,
            compare: self.scope.resync,
        }
    }

    fn follower<K: IndexedRecord>(&self, scope: FollowScope) -> Follower {
        follower::<K>(scope, self.api, self.context, &self.starts)
    }
}

fn namespace_scope(namespace: &str) -> FollowScope {
    FollowScope {
        namespace: Some(namespace.to_owned()),
        only: None,
        selector: None,
        is_optional: false,
        compare: COMPARE_NAMESPACE,
    }
}

fn follower<K: IndexedRecord>(
    scope: FollowScope,
    api: &ApiClient,
    context: &Context,
    starts: &Starts,
) -> Follower {
    let namespace = scope.namespace.clone();
    let registered = context
        .progress
        .register(K::KIND, namespace, !scope.is_optional);
    Follower::new(
        registered,
        scope,
        api.clone(),
        context.clone(),
        starts.clone(),
    )
}

/// Whether a kind may be listed in the whole cluster. Waits until the API server says so or not.
async fn may_list_cluster<K: IndexedRecord>(
    api: &ApiClient,
    context: &Context,
    id: WatchId,
) -> bool {
    let mut backoff = Backoff::of_watches();
    loop {
        let list = Request::new(K::KIND.path(None)).list(&ListParams::default().limit(1));
        match api.send::<ObjectList<K>>(list, None).await {
            Ok(_) => return true,
            Err(error) if error.code() == Some(403) => return false,
            // The watch itself waits for that.
            Err(error) if error.is_unserved() => return true,
            Err(error) => {
                let what = format!("list {}", K::KIND.resource());
                let failure = error.failure(&what).to_string();
                context.journal.warn(&error.trouble(&what), &failure);
                context.progress.failed(id, failure);
                let pause = error.retry_after().unwrap_or_default();
                tokio::time::sleep(pause.max(backoff.next())).await;
            }
        }
    }
}

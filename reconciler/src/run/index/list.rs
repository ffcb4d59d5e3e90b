//! Lists of the index's kinds: what was not in one is gone.

use kuma_workload_rulebook::roster::{Key, ListScope, WatchedKind};

use super::{Index, ListBegan, Swept};
use crate::{
    kinds::RecordKind,
    run::{
        planted::{PlantedFault, planted},
        work_item::{Changed, WorkItem},
    },
};

impl Index {
    /// A list of a kind begins. It is to be called before the request is sent.
    pub fn relist(&mut self, kind: RecordKind) -> ListBegan {
        let mut began = ListBegan {
            kind: Some(kind),
            ..ListBegan::default()
        };
        match kind {
            RecordKind::Dataplane => {
                began.roster = self.roster.relist();
                began.store = self.problems.relist();
                if let Some(pods) = &mut self.pods {
                    began.unnamed = pods.relist_dataplanes();
                }
            }
            RecordKind::DataplaneInsight => {
                began.roster = self.roster.relist();
                began.store = self.insight_faults.mark();
            }
            RecordKind::Workload => began.workloads = self.workloads.relist(),
            RecordKind::Namespace => began.store = self.namespaces.mark(),
            RecordKind::Mesh => began.store = self.meshes.mark(),
            RecordKind::Pod => {
                if let Some(pods) = &mut self.pods {
                    began.store = pods.relist_pods();
                }
            }
        }
        began
    }

    /// The list of one namespace, or of all, has ended: objects that were not in it are deleted. It
    /// takes away about `limit` of them at most, and is to be called until there are no more.
    pub fn sweep(&mut self, began: &mut ListBegan, namespace: Option<&str>, limit: usize) -> Swept {
        let is_listed = |home: &str| namespace.is_none_or(|namespace| namespace == home);
        match began.kind {
            None => Swept::default(),
            Some(RecordKind::Dataplane) => self.sweep_dataplanes(began, namespace, limit),
            Some(RecordKind::DataplaneInsight) => {
                let scope = ListScope::from(namespace);
                let is_in = |(home, _): &(String, String)| is_listed(home);
                let faults = self.insight_faults.sweep(is_in, began.store, limit);
                let (watched, since) = (WatchedKind::Insights, began.roster);
                let swept_to = &mut began.swept_to;
                let swept = self.roster.sweep(watched, scope, since, swept_to, limit);
                Swept {
                    changed: self.changed(swept.changes).into(),
                    has_more: faults.len() == limit || swept.has_more,
                }
            }
            Some(RecordKind::Workload) => {
                let is_in = |key: &Key| is_listed(&key.namespace);
                let gone = self.workloads.sweep(is_in, began.workloads, limit);
                let has_more = gone.len() == limit;
                let items = gone.into_iter();
                let items: Vec<_> = items
                    .flat_map(|key| self.changed_workload(key, true))
                    .collect();
                Swept {
                    changed: items.into(),
                    has_more,
                }
            }
            Some(RecordKind::Namespace) => {
                let gone = self.namespaces.sweep(|_| true, began.store, limit);
                let has_more = gone.len() == limit;
                let unselected = gone.into_iter().filter(|_| self.only_selected);
                Swept {
                    changed: Changed {
                        items: Vec::new(),
                        namespaces: unselected.map(|(name, _)| name).collect(),
                    },
                    has_more,
                }
            }
            Some(RecordKind::Mesh) => {
                let gone = self.meshes.sweep(|_| true, began.store, limit);
                Swept {
                    changed: Changed::default(),
                    has_more: gone.len() == limit,
                }
            }
            Some(RecordKind::Pod) => {
                let pods = self.pods.as_mut();
                Swept {
                    changed: Changed::default(),
                    has_more: pods
                        .is_some_and(|pods| pods.sweep_pods(is_listed, began.store, limit)),
                }
            }
        }
    }

    fn sweep_dataplanes(
        &mut self,
        began: &mut ListBegan,
        namespace: Option<&str>,
        limit: usize,
    ) -> Swept {
        let is_listed = |home: &str| namespace.is_none_or(|namespace| namespace == home);
        let scope = ListScope::from(namespace);
        let (watched, since) = (WatchedKind::Dataplanes, began.roster);
        let swept_to = &mut began.swept_to;
        let swept = self.roster.sweep(watched, scope, since, swept_to, limit);
        let mut items = self.changed(swept.changes);
        let mut has_more = swept.has_more;
        // An event of a Pod may have applied the identifier of a Dataplane that is gone.
        let unnamed = self.pods.as_mut().map_or_else(Vec::new, |pods| {
            pods.sweep_dataplanes(is_listed, began.unnamed, limit)
        });
        has_more |= unnamed.len() == limit;
        let unnamed = unnamed.into_iter();
        for name in unnamed.filter(|_| !planted(PlantedFault::PodMarksDataplane)) {
            items.extend(self.remove_dataplane(&name));
        }
        let solved = self.problems.sweep(is_listed, began.store, limit);
        has_more |= solved.len() == limit;
        items.extend(solved.into_iter().flatten().map(WorkItem::Workload));
        Swept {
            changed: items.into(),
            has_more,
        }
    }
}

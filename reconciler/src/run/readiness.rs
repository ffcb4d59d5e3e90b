//! Nothing is written before each watch has listed its kind once.

use std::{collections::BTreeMap, sync::Arc};

use tokio::sync::watch;

use crate::{client::Failure, kinds::RecordKind};

/// A watch: its kind, and its namespace unless it watches all.
type WatchId = (RecordKind, Option<String>);

/// Which watches have listed their kind. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Readiness {
    watches: Arc<watch::Sender<BTreeMap<WatchId, Progress>>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Progress {
    /// Not listed yet, and why if that is known.
    Pending(Option<String>),
    /// Listed once, or optional.
    Done,
}

impl Readiness {
    /// A watch is started.
    pub(super) fn expect(&self, kind: RecordKind, namespace: Option<String>) {
        self.set((kind, namespace), Progress::Pending(None));
    }

    /// A watch has listed all its objects.
    pub(super) fn listed(&self, kind: RecordKind, namespace: Option<String>) {
        self.set((kind, namespace), Progress::Done);
    }

    /// A watch has failed. If it is optional, nothing waits for it any more.
    pub(super) fn failed(
        &self,
        kind: RecordKind,
        namespace: Option<String>,
        failure: &Failure,
        is_required: bool,
    ) {
        let watch = (kind, namespace);
        if self.watches.borrow().get(&watch) == Some(&Progress::Done) {
            return;
        }
        let progress = if is_required {
            Progress::Pending(Some(failure.to_string()))
        } else {
            Progress::Done
        };
        self.set(watch, progress);
    }

    fn set(&self, watch: WatchId, progress: Progress) {
        self.watches.send_if_modified(|watches| {
            watches.insert(watch, progress.clone()).as_ref() != Some(&progress)
        });
    }

    /// Whether all watches have listed once.
    pub(super) fn is_ready(&self) -> bool {
        self.pending().is_empty()
    }

    /// What is still waited for, one line each.
    pub(super) fn pending(&self) -> Vec<String> {
        let watches = self.watches.borrow();
        let waiting = watches.iter().filter_map(|((kind, namespace), progress)| {
            let Progress::Pending(why) = progress else {
                return None;
            };
            let place = namespace
                .as_ref()
                .map(|namespace| format!(" in {namespace}"));
            let list = format!("{}{}", kind.resource(), place.unwrap_or_default());
            Some(match why {
                Some(why) => format!("waiting for the list of {list}: {why}"),
                None => format!("waiting for the list of {list}"),
            })
        });
        let mut lines: Vec<_> = waiting.collect();
        if watches.is_empty() {
            lines.push("the watches have not begun".to_owned());
        }
        lines
    }

    /// Waits until all watches have listed once.
    pub(super) async fn ready(&self) {
        let mut watches = self.watches.subscribe();
        let is_done = |watches: &BTreeMap<WatchId, Progress>| {
            !watches.is_empty() && watches.values().all(|progress| *progress == Progress::Done)
        };
        // This cannot fail: `self` has the sender.
        let _ = watches.wait_for(is_done).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_required_is_waited_for() {
        let readiness = Readiness::default();
        assert!(!readiness.is_ready());
        readiness.expect(RecordKind::Dataplane, Some("shop".into()));
        readiness.expect(RecordKind::Mesh, None);
        let denied = Failure::new("denied");
        readiness.failed(RecordKind::Dataplane, Some("shop".into()), &denied, true);
        readiness.failed(RecordKind::Mesh, None, &denied, false);
        assert_eq!(
            readiness.pending(),
            ["waiting for the list of dataplanes.kuma.io in shop: denied"]
        );
        readiness.listed(RecordKind::Dataplane, Some("shop".into()));
        assert!(readiness.is_ready());
        readiness.failed(RecordKind::Dataplane, Some("shop".into()), &denied, true);
        assert!(
            readiness.is_ready(),
            "a watch that has listed once stays ready"
        );
    }
}

//! What is waited for before anything is written: each watch must have listed its kind once.

use std::{collections::BTreeMap, sync::Arc};

use tokio::sync::watch;

use super::index::Kind;
use crate::client::Failure;

/// A kind, of all namespaces or of one.
type Watched = (Kind, Option<String>);

/// How far the watches are.
#[derive(Debug, Clone, Default)]
pub(super) struct Readiness {
    watches: Arc<watch::Sender<BTreeMap<Watched, Progress>>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Progress {
    /// Not listed yet, and why not if that is known.
    Waits(Option<String>),
    /// Listed once, or not needed.
    Settled,
}

impl Readiness {
    /// A watch begins.
    pub(super) fn expect(&self, kind: Kind, namespace: Option<String>) {
        self.set((kind, namespace), Progress::Waits(None));
    }

    /// A watch has listed all there is.
    pub(super) fn listed(&self, kind: Kind, namespace: Option<String>) {
        self.set((kind, namespace), Progress::Settled);
    }

    /// A watch has failed; one that is not needed is settled thereby.
    pub(super) fn failed(
        &self,
        kind: Kind,
        namespace: Option<String>,
        failure: &Failure,
        is_needed: bool,
    ) {
        let watched = (kind, namespace);
        if self.watches.borrow().get(&watched) == Some(&Progress::Settled) {
            return;
        }
        let progress = if is_needed {
            Progress::Waits(Some(failure.to_string()))
        } else {
            Progress::Settled
        };
        self.set(watched, progress);
    }

    fn set(&self, watched: Watched, progress: Progress) {
        self.watches.send_if_modified(|watches| {
            watches.insert(watched, progress.clone()).as_ref() != Some(&progress)
        });
    }

    /// Whether all watches have listed once.
    pub(super) fn is_ready(&self) -> bool {
        self.waits_for().is_empty()
    }

    /// What is waited for, a line each.
    pub(super) fn waits_for(&self) -> Vec<String> {
        let watches = self.watches.borrow();
        let waiting = watches.iter().filter_map(|((kind, namespace), progress)| {
            let Progress::Waits(why) = progress else {
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
        let settled = |watches: &BTreeMap<Watched, Progress>| {
            !watches.is_empty()
                && watches
                    .values()
                    .all(|progress| *progress == Progress::Settled)
        };
        // The sender is here, so it cannot be gone.
        let _ = watches.wait_for(settled).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_needed_is_waited_for() {
        let readiness = Readiness::default();
        assert!(!readiness.is_ready());
        readiness.expect(Kind::Dataplane, Some("shop".into()));
        readiness.expect(Kind::Mesh, None);
        let denied = Failure::new("denied");
        readiness.failed(Kind::Dataplane, Some("shop".into()), &denied, true);
        readiness.failed(Kind::Mesh, None, &denied, false);
        assert_eq!(
            readiness.waits_for(),
            ["waiting for the list of dataplanes.kuma.io in shop: denied"]
        );
        readiness.listed(Kind::Dataplane, Some("shop".into()));
        assert!(readiness.is_ready());
        readiness.failed(Kind::Dataplane, Some("shop".into()), &denied, true);
        assert!(readiness.is_ready(), "what was listed once is kept");
    }
}

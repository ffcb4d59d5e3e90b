//! What the publisher waits for.

use std::future::{Future, pending};

use tokio::time::{Instant, sleep_until};

use crate::run::{lease::Leadership, ordered_watch};

/// Resolves then. None: never.
pub(super) async fn sleep_until_some(next: Option<Instant>) {
    match next {
        Some(next) => sleep_until(next).await,
        None => pending().await,
    }
}

/// Resolves when this replica begins to lead, or no longer leads.
pub(super) async fn changed(leadership: &mut ordered_watch::Receiver<Leadership>) {
    if leadership.changed().await.is_err() {
        pending().await
    }
}

/// Gives up what is being done when this replica no longer leads.
pub(super) async fn while_leading(
    mut leadership: ordered_watch::Receiver<Leadership>,
    work: impl Future<Output = ()>,
) {
    let lost = async {
        let lost = leadership.wait_for(|leadership| !leadership.holds());
        if lost.await.is_err() {
            pending().await
        }
    };
    tokio::select! {
        biased;
        () = lost => (),
        () = work => (),
    }
}

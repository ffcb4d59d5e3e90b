//! Runs an elector in a task of its own.

use kube::Client;
use tokio::{sync::oneshot, task::JoinHandle};

use super::{elector::Elector, leadership::Leadership, store::LeaseStore, writes::Writes};
use crate::run::ordered_watch;

/// A running elector.
#[derive(Debug)]
pub(crate) struct Election {
    leadership: ordered_watch::Receiver<Leadership>,
    writes: Writes,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Election {
    /// Starts an elector.
    pub(crate) fn start<S: LeaseStore>(elector: Elector<S>) -> Self {
        let (stop, stopped) = oneshot::channel();
        Self {
            leadership: elector.leadership(),
            writes: elector.writes(),
            stop,
            task: tokio::spawn(elector.run(async {
                stopped.await.ok();
            })),
        }
    }

    /// Leads without a Lease until it is released: for a single replica.
    pub(crate) fn single_replica() -> Self {
        let sender = ordered_watch::Sender::new(Leadership::forever());
        let leadership = sender.subscribe();
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(async move {
            stopped.await.ok();
            sender.send_replace(Leadership::STANDBY);
        });
        Self {
            leadership,
            writes: Writes::default(),
            stop,
            task,
        }
    }

    /// Whether this replica leads. Receivers are woken when it starts and when it stops leading. A
    /// renewal does not wake them; they see it when they read the value.
    pub(crate) fn leadership(&self) -> ordered_watch::Receiver<Leadership> {
        self.leadership.clone()
    }

    /// The same client, for the writes of this replica: the Lease is not released before each of them
    /// was answered, or can no longer take effect.
    pub(crate) fn note_writes(&self, client: Client) -> Client {
        self.writes.noted(client)
    }

    /// Resolves if the elector has ended by itself. Nobody renews the Lease from then on, so the
    /// process must end.
    pub(crate) async fn ended(&mut self) {
        let _ = (&mut self.task).await;
    }

    /// Releases the Lease, so that another replica takes over at once. To be called when no write is
    /// started any more.
    pub(crate) async fn release(self) {
        let _ = self.stop.send(());
        let _ = self.task.await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_single_replica_leads_until_it_is_released() {
        let election = Election::single_replica();
        let leadership = election.leadership();
        assert!(leadership.borrow().holds());
        election.release().await;
        assert!(!leadership.borrow().holds());
    }
}

//! The long-lived tasks of a replica. None of them ends by itself: one that does, or that panics, ends
//! the process (L23).

use std::{collections::BTreeMap, future::Future};

use tokio::task::{Id, JoinSet};

use super::metrics::PollMetrics;
use crate::client::Failure;

/// The tasks, by name.
#[derive(Debug)]
pub(super) struct Tasks {
    running: JoinSet<()>,
    names: BTreeMap<Id, &'static str>,
    polls: PollMetrics,
}

impl Tasks {
    /// No task yet.
    pub(super) fn new(polls: PollMetrics) -> Self {
        Self {
            running: JoinSet::new(),
            names: BTreeMap::new(),
            polls,
        }
    }

    /// Starts a task. Its longest poll is a metric under its name.
    pub(super) fn spawn(
        &mut self,
        name: &'static str,
        task: impl Future<Output = ()> + Send + 'static,
    ) {
        let measured = self.polls.of(name).measure(task);
        let handle = self.running.spawn(measured);
        self.names.insert(handle.id(), name);
    }

    /// Resolves when a task has ended, with a sentence about it.
    pub(super) async fn ended(&mut self) -> Failure {
        let (id, how) = match self.running.join_next_with_id().await {
            None => return std::future::pending().await,
            Some(Ok((id, ()))) => (id, "has ended".to_owned()),
            Some(Err(error)) => (error.id(), format!("has failed: {error}")),
        };
        let name = self.names.get(&id).copied().unwrap_or("of this program");
        Failure::new(format!("the task {name} {how}"))
    }

    /// Stops all of them.
    pub(super) fn abort(&mut self) {
        self.running.abort_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::ended(false, "the task lists has ended")]
    #[case::panicked(true, "the task lists has failed: task")]
    #[tokio::test]
    async fn l23_a_task_that_ends_is_told(#[case] panics: bool, #[case] expected: &str) {
        let mut tasks = Tasks::new(PollMetrics::default());
        tasks.spawn("idle", std::future::pending());
        tasks.spawn("lists", async move {
            assert!(!panics, "it panics");
        });
        let said = tasks.ended().await.to_string();
        assert!(said.starts_with(expected), "{said}");
    }
}

//! A value that tasks wait on, as with tokio's `watch`, but they are woken in the order in which they
//! began to wait. tokio's wakes them in a random order, and a simulation could not be repeated.

use std::{
    ops::Deref,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::sync::Notify;

use super::lock::lock;

/// The half that sets the value. Dropped, it ends all waiting.
#[derive(Debug)]
pub(super) struct Sender<T>(Arc<Shared<T>>);

/// The half that sees the value. A clone has seen what this one has.
#[derive(Debug)]
pub(super) struct Receiver<T> {
    shared: Arc<Shared<T>>,
    seen: u64,
}

/// The sender is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Closed;

#[derive(Debug)]
struct Shared<T> {
    state: Mutex<State<T>>,
    changed: Notify,
    senders: AtomicUsize,
}

#[derive(Debug)]
struct State<T> {
    value: T,
    version: u64,
}

/// The value, which does not change while this is held.
pub(super) struct Ref<'a, T>(MutexGuard<'a, State<T>>);

impl<T> Deref for Ref<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0.value
    }
}

impl<T> Sender<T> {
    /// With this value.
    pub(super) fn new(value: T) -> Self {
        Self(Arc::new(Shared {
            state: Mutex::new(State { value, version: 0 }),
            changed: Notify::new(),
            senders: AtomicUsize::new(1),
        }))
    }

    /// A receiver that has seen the present value.
    pub(super) fn subscribe(&self) -> Receiver<T> {
        Receiver {
            seen: lock(&self.0.state).version,
            shared: self.0.clone(),
        }
    }

    /// The value.
    pub(super) fn borrow(&self) -> Ref<'_, T> {
        Ref(lock(&self.0.state))
    }

    /// Changes the value. If `change` returns true, the receivers are woken. Returns the same.
    pub(super) fn send_if_modified(&self, change: impl FnOnce(&mut T) -> bool) -> bool {
        let mut state = lock(&self.0.state);
        let is_news = change(&mut state.value);
        state.version += u64::from(is_news);
        drop(state);
        if is_news {
            self.0.changed.notify_waiters();
        }
        is_news
    }

    /// Sets the value, and wakes the receivers.
    pub(super) fn send_replace(&self, value: T) {
        self.send_if_modified(|current| {
            *current = value;
            true
        });
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.0.senders.fetch_sub(1, Ordering::Relaxed);
        self.0.changed.notify_waiters();
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        Self {
            shared: self.shared.clone(),
            seen: self.seen,
        }
    }
}

impl<T> Receiver<T> {
    /// The value.
    pub(super) fn borrow(&self) -> Ref<'_, T> {
        Ref(lock(&self.shared.state))
    }

    /// The value, which counts as seen.
    pub(super) fn borrow_and_update(&mut self) -> Ref<'_, T> {
        let state = lock(&self.shared.state);
        self.seen = state.version;
        Ref(state)
    }

    /// Whether the value has changed since it was seen.
    pub(super) fn has_changed(&self) -> bool {
        lock(&self.shared.state).version != self.seen
    }

    /// Resolves when the value has changed since it was seen, which then counts as seen.
    ///
    /// # Errors
    /// When it has not, and the sender is gone.
    pub(super) async fn changed(&mut self) -> Result<(), Closed> {
        loop {
            let mut changed = std::pin::pin!(self.shared.changed.notified());
            changed.as_mut().enable();
            let version = lock(&self.shared.state).version;
            if version != self.seen {
                self.seen = version;
                return Ok(());
            }
            if self.shared.senders.load(Ordering::Relaxed) == 0 {
                return Err(Closed);
            }
            changed.await;
        }
    }

    /// Resolves when the value is as wanted.
    ///
    /// # Errors
    /// When it is not, and the sender is gone.
    pub(super) async fn wait_for(&mut self, is_wanted: impl Fn(&T) -> bool) -> Result<(), Closed> {
        loop {
            if is_wanted(&self.borrow_and_update()) {
                return Ok(());
            }
            self.changed().await?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "current_thread")]
    async fn receivers_are_woken_in_order() {
        let sender = Sender::new(0);
        let order = Arc::new(Mutex::new(Vec::new()));
        let tasks: Vec<_> = (0..20)
            .map(|number| {
                let (mut receiver, order) = (sender.subscribe(), order.clone());
                tokio::spawn(async move {
                    receiver.changed().await.unwrap();
                    lock(&order).push(number);
                })
            })
            .collect();
        tokio::task::yield_now().await;
        sender.send_replace(1);
        for task in tasks {
            task.await.unwrap();
        }
        assert!(lock(&order).iter().copied().eq(0..20));
    }

    #[tokio::test]
    async fn what_was_seen_is_no_change() {
        let sender = Sender::new(1);
        let mut receiver = sender.subscribe();
        assert!(!receiver.has_changed());
        sender.send_if_modified(|value| {
            *value = 2;
            false
        });
        assert!(!receiver.has_changed() && *receiver.borrow() == 2);
        sender.send_replace(3);
        assert!(receiver.has_changed());
        receiver.changed().await.unwrap();
        assert!(!receiver.has_changed());
        receiver.wait_for(|value| *value == 3).await.unwrap();
        drop(sender);
        assert_eq!(receiver.changed().await, Err(Closed));
        assert_eq!(receiver.wait_for(|value| *value == 4).await, Err(Closed));
    }
}

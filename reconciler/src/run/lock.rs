//! Locks a mutex that is only held for a moment.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks a mutex, even if a task has panicked while it held the lock: each change of the values that
/// are locked here is complete in itself.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

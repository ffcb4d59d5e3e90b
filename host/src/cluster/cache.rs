//! Recent answers: policy-server keeps a successful get, or access review, for five seconds.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How long an answer counts as fresh.
pub const FRESH: Duration = Duration::from_secs(5);

/// Answers by question, each with the time it was put in.
#[derive(Debug)]
pub(crate) struct Cache<K, V> {
    entries: Mutex<HashMap<K, (Instant, V)>>,
}

impl<K: Eq + Hash, V: Clone> Cache<K, V> {
    pub(crate) fn new() -> Self {
        Self {
            entries: Mutex::new(HashMap::new()),
        }
    }

    /// The fresh answer, or the one that `ask` gives; errors are not kept.
    ///
    /// The lock is held while asking, so that of several equal questions at once only one is asked.
    pub(crate) fn get_or_ask<E>(
        &self,
        key: K,
        now: Instant,
        ask: impl FnOnce() -> Result<V, E>,
    ) -> Result<V, E> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((since, value)) = entries.get(&key)
            && now.saturating_duration_since(*since) < FRESH
        {
            return Ok(value.clone());
        }
        let value = ask()?;
        entries.insert(key, (now, value.clone()));
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_kept_for_five_seconds_and_an_error_never() {
        let cache = Cache::new();
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        assert_eq!(cache.get_or_ask("k", at(0), || Err("down")), Err("down"));
        assert_eq!(cache.get_or_ask("k", at(1), || Ok::<_, &str>(1)), Ok(1));
        assert_eq!(cache.get_or_ask("k", at(4_999), || Ok::<_, &str>(2)), Ok(1));
        assert_eq!(
            cache.get_or_ask("other", at(4_999), || Ok::<_, &str>(3)),
            Ok(3)
        );
        assert_eq!(cache.get_or_ask("k", at(5_001), || Ok::<_, &str>(2)), Ok(2));
    }
}

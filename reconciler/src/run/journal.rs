//! The log of what happens often: each kind of thing once a minute, with a count, and never a line for
//! each object (L22).

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::time::Instant;
use tracing::Level;

use super::lock::lock;

/// A kind of thing is said at most once in this time.
const INTERVAL: Duration = Duration::from_secs(60);

/// Says things. Clones share what was said when.
#[derive(Debug, Clone, Default)]
pub(super) struct Journal {
    kinds: Arc<Mutex<BTreeMap<String, Kind>>>,
}

#[derive(Debug)]
struct Kind {
    level: Level,
    /// When it was said last.
    said: Instant,
    /// How often it has happened since.
    more: usize,
    /// The last of these times, in words.
    last: String,
}

impl Journal {
    /// Something is wrong. `kind` is what it has in common with others of its kind, whatever the object.
    pub(super) fn warn(&self, kind: &str, sentence: &str) {
        self.say(Level::WARN, kind, sentence);
    }

    /// Something was done.
    pub(super) fn info(&self, kind: &str, sentence: &str) {
        self.say(Level::INFO, kind, sentence);
    }

    fn say(&self, level: Level, kind: &str, sentence: &str) {
        tracing::debug!("{sentence}");
        let now = Instant::now();
        let mut kinds = lock(&self.kinds);
        if let Some(known) = kinds.get_mut(kind) {
            known.more += 1;
            sentence.clone_into(&mut known.last);
            return;
        }
        let new = Kind {
            level,
            said: now,
            more: 0,
            last: String::new(),
        };
        kinds.insert(kind.to_owned(), new);
        write(level, sentence);
    }

    /// Says what has happened since it was said last. To be called every second or so.
    pub(super) fn tick(&self, now: Instant) {
        let mut kinds = lock(&self.kinds);
        kinds.retain(|_, kind| {
            if now.duration_since(kind.said) < INTERVAL {
                return true;
            }
            if kind.more == 0 {
                return false;
            }
            match kind.more {
                1 => write(kind.level, &kind.last),
                more => write(
                    kind.level,
                    &format!(
                        "{} (and {} more like it in the last minute)",
                        kind.last,
                        more - 1
                    ),
                ),
            }
            (kind.said, kind.more) = (now, 0);
            true
        });
    }
}

fn write(level: Level, sentence: &str) {
    match level {
        Level::WARN => tracing::warn!("{sentence}"),
        _ => tracing::info!("{sentence}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn l22_a_kind_is_said_once_a_minute_with_a_count() {
        let journal = Journal::default();
        for name in 0..3_000 {
            journal.warn("create", &format!("cannot create {name}"));
        }
        let counted = |journal: &Journal| lock(&journal.kinds).get("create").map(|kind| kind.more);
        assert_eq!(counted(&journal), Some(2_999));
        journal.tick(Instant::now());
        assert_eq!(counted(&journal), Some(2_999), "not yet");
        tokio::time::advance(INTERVAL).await;
        journal.tick(Instant::now());
        assert_eq!(counted(&journal), Some(0));
        tokio::time::advance(INTERVAL).await;
        journal.tick(Instant::now());
        assert_eq!(counted(&journal), None, "it is new when it happens again");
    }
}

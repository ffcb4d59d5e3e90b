//! L10: a conflict is announced when it begins or changes, and every ten minutes while it lasts.

use std::{collections::BTreeMap, time::Duration};

use serde_json::Value;

use super::references::References;
use crate::{clock::Time, expected::Name, model, server::store::Change};

/// How often a conflict that lasts is announced again.
const REPEAT: Duration = Duration::from_secs(10 * 60);
/// How wrong clocks may be, and how late an announcement.
const SLACK: Duration = Duration::from_secs(20);
/// How late the last announcement of a conflict that lasts may be.
const LATE: Duration = Duration::from_secs(90);

/// What was announced, and what there was to announce.
#[derive(Debug, Default)]
pub struct Announcements {
    /// When conflicts began, by Workload.
    begun: BTreeMap<Name, Vec<Time>>,
    /// When they were announced, by Workload and by the name of the event, which says the meshes.
    announced: BTreeMap<(Name, String), Vec<Time>>,
    /// Announcements before this do not count.
    unknown_until: Time,
}

impl Announcements {
    /// A conflict has begun, or has changed.
    pub fn began(&mut self, name: Name, now: Time) {
        self.begun.entry(name).or_default().push(now);
    }

    /// What is announced up to this moment does not count.
    pub fn forget(&mut self, until: Time) {
        self.unknown_until = self.unknown_until.max(until + SLACK);
    }

    /// An event was written. Returns what is wrong with that.
    pub fn written(&mut self, change: &Change, now: Time) -> Option<String> {
        let event = &change.after.as_ref()?.value;
        if event["reason"] != "MultipleMeshesDetected" {
            return None;
        }
        let workload = event["related"]["name"].as_str().unwrap_or_default();
        let name = (change.key.namespace.clone(), workload.to_owned());
        let before = change.before.as_ref();
        if count(event) <= before.map_or(0, |before| count(&before.value)) {
            return None;
        }
        let window = (now.saturating_sub(REPEAT) + SLACK).max(self.unknown_until);
        let event_name = change.key.name.clone();
        let announced = self.announced.entry((name.clone(), event_name));
        let announced = announced.or_default();
        announced.push(now);
        let announced = announced.iter().filter(|time| **time > window).count();
        // A conflict that began before can be announced for the first time within the window.
        let begun = self.begun.get(&name).map_or(&[][..], Vec::as_slice);
        let since = window.saturating_sub(REPEAT);
        let recent = begun.iter().filter(|time| **time >= since).count();
        (announced > recent.max(1)).then(|| {
            let (namespace, workload) = name;
            format!(
                "the conflict of {namespace}/{workload} was announced {announced} times in ten minutes and began {recent} times"
            )
        })
    }

    /// The conflicts in which something is missing at the end.
    pub fn missing(&self, references: &References, now: Time, excluded: &[&str]) -> Vec<String> {
        let conflicts = references.conflicts();
        let conflicts = conflicts.filter(|(name, _)| {
            // A name that no object can have is reported as that (W5).
            !excluded.contains(&&*name.0) && model::is_possible(&name.1)
        });
        let silent = conflicts.filter(|(name, referred)| {
            let due = now.saturating_sub(REPEAT + LATE);
            let announced = self.announced.iter().filter(|((of, _), _)| of == *name);
            let announced = announced.filter_map(|(_, times)| times.last()).max();
            let since = referred.meshes_since;
            since + LATE < now && announced.is_none_or(|last| *last < due)
        });
        silent
            .map(|((namespace, workload), referred)| {
                format!(
                    "the conflict of {namespace}/{workload} ({:?} since {:?}) is not announced",
                    referred.meshes, referred.meshes_since
                )
            })
            .collect()
    }
}

/// How often an event was written.
fn count(event: &Value) -> u64 {
    event["series"]["count"].as_u64().unwrap_or(1)
}

/// An event that has changed, for the trace.
pub fn describe(change: &Change) -> String {
    let event = change
        .after
        .as_ref()
        .map_or(&Value::Null, |after| &after.value);
    let text = |field: &str| event[field].as_str().unwrap_or_default();
    format!(
        "event  {}/{} {} times, {}: {}",
        change.key.namespace,
        change.key.name,
        count(event),
        text("reason"),
        text("note")
    )
}

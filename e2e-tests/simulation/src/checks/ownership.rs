//! L16: only what is ours is written.

use serde_json::Value;

use crate::{
    managers::OURS,
    scenario::{Mode, Scenario},
    server::store::Change,
};

/// Why the program must not have changed this Workload; none if it may.
pub fn objection(scenario: &Scenario, change: &Change) -> Option<String> {
    let name = format!("{}/{}", change.key.namespace, change.key.name);
    if scenario.mode == Mode::Observe {
        return Some(format!("{name} was written in mode observe"));
    }
    if scenario.excluded().contains(&&*change.key.namespace) {
        return Some(format!("{name} was written outside of the scope"));
    }
    let before = change.before.as_ref()?;
    let label = |key: &str| before.label(key);
    if label("kuma.io/origin").is_some_and(|origin| origin != "zone") {
        return Some(format!("{name} is a copy and was written"));
    }
    match label("kuma.io/managed-by") {
        Some(OURS) => None,
        Some(manager) => Some(format!("{name} is managed by {manager} and was written")),
        None if change.after.is_none() => {
            Some(format!("{name} was managed by nobody and was deleted"))
        }
        None if labels_are_ours(change) => None,
        None => Some(format!(
            "{name} was managed by nobody and was not made ours"
        )),
    }
}

/// Whether a Workload is marked as ours afterwards.
fn labels_are_ours(change: &Change) -> bool {
    let after = change.after.as_ref().map(|after| &after.value);
    let label = after.map_or(
        &Value::Null,
        |after| &after["metadata"]["labels"]["kuma.io/managed-by"],
    );
    *label == OURS
}

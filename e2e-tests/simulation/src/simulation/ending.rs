//! What must hold some time after something, and at the end.

use std::time::Duration;

use super::{Simulation, rules};
use crate::{
    checks::Check,
    expected::Name,
    model,
    scenario::Mode,
    server::{resource::Resource, store::ObjectKey},
};

impl Simulation {
    /// A Workload that was deleted while a Dataplane came is back by now, if nothing else went wrong.
    pub(super) fn verify(&mut self, name: &Name, since: u64) {
        let calm = self.disturbed + Duration::from_secs(6) < self.now && !self.has_trouble;
        let key = ObjectKey::new(Resource::Workloads, &name.0, &name.1);
        let is_missed = self
            .references
            .get(name)
            .is_some_and(|referred| referred.since == since && referred.meshes.len() == 1);
        let is_managed = self.scenario.mode == Mode::Manage && !self.is_upgrading();
        if calm && is_missed && is_managed && self.server.store.get(&key).is_none() {
            let what = format!(
                "{}/{} was deleted while a Dataplane came, and is not back",
                name.0, name.1
            );
            self.violate(Check::NotBackInTime, what);
        }
    }

    /// Shows all Dataplanes of a namespace in the trace.
    fn show_dataplanes(&self, namespace: &str) {
        for resource in [Resource::Dataplanes, Resource::DataplaneInsights] {
            for (_, object) in self.server.store.list(resource, Some(namespace)) {
                self.trace.note(|| format!("       {}", object.json()));
            }
        }
    }

    /// What must hold at the end.
    pub(super) fn check_the_end(&mut self) {
        let expected = model::expected(&self.server.store, rules(&self.scenario));
        for (name, expected) in expected {
            let key = ObjectKey::new(Resource::Workloads, &name.0, &name.1);
            let object = self
                .server
                .store
                .get(&key)
                .map(|object| object.value.clone());
            if !expected.fits(object.as_ref()) {
                let found = describe(object.as_ref());
                let what = format!("{}/{}: expected {expected}, found {found}", name.0, name.1);
                self.violate(Check::Wrong, what);
                self.show_dataplanes(&name.0);
            }
        }
        let missing =
            self.announcements
                .missing(&self.references, self.now, self.scenario.excluded());
        for what in missing {
            self.violate(Check::NotAnnounced, what);
        }
        // Dataplanes, Insights, Workloads, perhaps Pods; Namespaces and Meshes, or three namespaces.
        let watches = 12;
        let conditions = self.references.conflicts().count() + crate::scenario::NAMESPACES.len();
        let conditions = u64::try_from(conditions).unwrap_or(u64::MAX);
        for what in self.requests.excess(&self.scenario, watches, conditions) {
            self.violate(Check::TooManyRequests, what);
        }
    }
}

fn describe(object: Option<&serde_json::Value>) -> String {
    match object {
        None => "none".to_owned(),
        Some(object) => format!(
            "labels {}, status {}",
            object["metadata"]["labels"], object["status"]
        ),
    }
}

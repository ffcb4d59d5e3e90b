//! Since when Dataplanes refer to each Workload, and since when they are of several meshes.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    clock::Time,
    expected::{Name, Rules},
    model,
    server::store::Store,
};

/// The references to a Workload, without a break.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Referred {
    /// Since which step of the simulation.
    pub since: u64,
    /// The meshes of the Dataplanes.
    pub meshes: BTreeSet<String>,
    /// Since when they are these.
    pub meshes_since: Time,
}

/// All references.
#[derive(Debug, Clone, Default)]
pub struct References(BTreeMap<Name, Referred>);

/// A conflict that has begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begun(pub Name);

impl References {
    /// The references to a Workload; none if there are none.
    pub fn get(&self, name: &Name) -> Option<&Referred> {
        self.0.get(name)
    }

    /// All that are in conflict.
    pub fn conflicts(&self) -> impl Iterator<Item = (&Name, &Referred)> {
        self.0
            .iter()
            .filter(|(_, referred)| referred.meshes.len() > 1)
    }

    /// The Dataplanes of a namespace may have changed. Returns the conflicts that this began.
    pub fn update(
        &mut self,
        store: &Store,
        rules: Rules,
        namespace: &str,
        step: u64,
        now: Time,
    ) -> Vec<Begun> {
        let mut found: BTreeMap<Name, BTreeSet<String>> = BTreeMap::new();
        for reference in model::references(store, rules, namespace) {
            let meshes = found.entry(reference.workload).or_default();
            meshes.insert(reference.mesh);
        }
        self.0
            .retain(|name, _| name.0 != namespace || found.contains_key(name));
        let mut begun = Vec::new();
        for (name, meshes) in found {
            let is_conflict = meshes.len() > 1;
            let known = self.0.entry(name.clone()).or_insert_with(|| Referred {
                since: step,
                meshes: BTreeSet::new(),
                meshes_since: now,
            });
            if known.meshes != meshes {
                known.meshes = meshes;
                known.meshes_since = now;
                begun.extend(is_conflict.then_some(Begun(name)));
            }
        }
        begun
    }
}

//! Identifiers computed from Pods, for control planes that store none (W8).

use std::collections::BTreeMap;

use kuma_workload_rulebook::{
    counts::Inbounds,
    identifier::{self, PodAnnotation},
    metadata::{Labels, Metadata, PodFacts},
    roster,
};

use crate::{
    kinds::{DataplaneRecord, NamespacedName, PodRecord},
    run::store::Store,
};

/// The Pods, and the Dataplanes without a stored identifier, which get the one of their Pod.
#[derive(Debug)]
pub struct PodIdentifiers {
    workload_labels: Vec<String>,
    annotation: PodAnnotation,
    dataplanes: Store<NamespacedName, CachedDataplane>,
    pods: Store<NamespacedName, Option<String>>,
}

/// What the roster needs of a Dataplane, kept until its identifier is known.
#[derive(Debug, Clone)]
pub(super) struct CachedDataplane {
    mesh: Option<String>,
    local: bool,
    inbounds: Inbounds,
    is_builtin_gateway: bool,
    /// The last computed identifier. It stays when the Pod is gone.
    workload: Option<String>,
}

impl CachedDataplane {
    pub(super) fn of(dataplane: &DataplaneRecord) -> Self {
        Self {
            mesh: dataplane.mesh.clone(),
            local: dataplane.is_local(),
            inbounds: dataplane.inbounds,
            is_builtin_gateway: dataplane.is_builtin_gateway,
            workload: None,
        }
    }

    pub(super) fn facts<'a>(
        &'a self,
        (namespace, name): &'a NamespacedName,
    ) -> roster::RosterDataplane<'a> {
        roster::RosterDataplane {
            namespace,
            name,
            workload: self.workload.as_deref(),
            mesh: self.mesh.as_deref(),
            local: self.local,
            inbounds: self.inbounds,
        }
    }
}

impl PodIdentifiers {
    /// Computes identifiers with the control plane's list of workload labels.
    pub fn new(workload_labels: Vec<String>, annotation: PodAnnotation) -> Self {
        Self {
            workload_labels,
            annotation,
            dataplanes: Store::default(),
            pods: Store::default(),
        }
    }

    /// Adds a Dataplane without a stored identifier. Returns the computed one.
    pub(super) fn apply_dataplane(
        &mut self,
        name: NamespacedName,
        mut dataplane: CachedDataplane,
    ) -> Option<String> {
        let known = self.dataplanes.get(&name);
        let last = known.and_then(|known| known.workload.clone());
        let of_pod = self.pods.get(&name).cloned();
        dataplane.workload = of_pod
            .unwrap_or(last)
            .filter(|_| !dataplane.is_builtin_gateway);
        let workload = dataplane.workload.clone();
        self.dataplanes.insert(name, dataplane);
        workload
    }

    pub(super) fn remove_dataplane(&mut self, name: &NamespacedName) {
        self.dataplanes.remove(name);
    }

    /// Adds a Pod. Returns the Dataplane that gets its identifier, if there is one.
    pub(super) fn apply_pod(
        &mut self,
        name: &NamespacedName,
        pod: &PodRecord,
    ) -> Option<&CachedDataplane> {
        let workload = self.identifier_of(pod);
        self.pods.insert(name.clone(), workload.clone());
        let dataplane = self.dataplanes.get_mut(name)?;
        dataplane.workload = workload.filter(|_| !dataplane.is_builtin_gateway);
        Some(dataplane)
    }

    pub(super) fn remove_pod(&mut self, name: &NamespacedName) {
        self.pods.remove(name);
    }

    pub(super) fn relist_dataplanes(&mut self, within: impl Fn(&str) -> bool) {
        self.dataplanes.relist(|(namespace, _)| within(namespace));
    }

    pub(super) fn sweep_dataplanes(&mut self, within: impl Fn(&str) -> bool) {
        self.dataplanes.sweep(|(namespace, _)| within(namespace));
    }

    pub(super) fn relist_pods(&mut self, within: impl Fn(&str) -> bool) {
        self.pods.relist(|(namespace, _)| within(namespace));
    }

    pub(super) fn sweep_pods(&mut self, within: impl Fn(&str) -> bool) {
        self.pods.sweep(|(namespace, _)| within(namespace));
    }

    /// The number of Pods.
    pub(super) fn len(&self) -> usize {
        self.pods.len()
    }

    /// The identifier of a Pod (W1, W2, W7).
    fn identifier_of(&self, pod: &PodRecord) -> Option<String> {
        let metadata = &pod.metadata;
        let service_account = pod.service_account_name.as_deref();
        let facts = PodFacts {
            metadata: Metadata {
                labels: entries(metadata.labels.as_ref()),
                annotations: entries(metadata.annotations.as_ref()),
            },
            service_account: service_account.map(Into::into),
            ..PodFacts::default()
        };
        let labels = self.workload_labels.iter().map(String::as_str);
        let found = identifier::of_pod(&facts, labels, self.annotation)?;
        Some(found.name.to_owned())
    }
}

fn entries(map: Option<&BTreeMap<String, String>>) -> Labels<'_> {
    let entries = map.into_iter().flatten();
    entries
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect()
}

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
    run::store::{Moment, Store},
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

/// What is known of the identifier of a Dataplane that has none stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownIdentifier<'a> {
    /// This one.
    Workload(&'a str),
    /// It has none: it is a builtin gateway (W8).
    None,
    /// Its Pod has not been seen.
    Unknown,
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

    /// The identifier of a Dataplane without a stored one; none if it has none, or none is known yet.
    pub(super) fn identifier(&self, name: &NamespacedName) -> KnownIdentifier<'_> {
        match self.dataplanes.get(name) {
            None => KnownIdentifier::Unknown,
            Some(dataplane) if dataplane.is_builtin_gateway => KnownIdentifier::None,
            Some(dataplane) => match dataplane.workload.as_deref() {
                Some(workload) => KnownIdentifier::Workload(workload),
                None => KnownIdentifier::Unknown,
            },
        }
    }

    pub(super) fn relist_dataplanes(&mut self) -> Moment {
        self.dataplanes.mark()
    }

    pub(super) fn sweep_dataplanes(
        &mut self,
        within: impl Fn(&str) -> bool,
        began: Moment,
        limit: usize,
    ) -> Vec<NamespacedName> {
        let is_in = |(namespace, _): &NamespacedName| within(namespace);
        let gone = self.dataplanes.sweep(is_in, began, limit);
        gone.into_iter().map(|(name, _)| name).collect()
    }

    pub(super) fn relist_pods(&mut self) -> Moment {
        self.pods.mark()
    }

    /// Returns whether there may be more to sweep.
    pub(super) fn sweep_pods(
        &mut self,
        within: impl Fn(&str) -> bool,
        began: Moment,
        limit: usize,
    ) -> bool {
        let is_in = |(namespace, _): &NamespacedName| within(namespace);
        self.pods.sweep(is_in, began, limit).len() == limit
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

//! Identifiers that are computed from Pods, for control planes that store none (W8).

use kuma_workload_rulebook::{
    counts::Inbounds,
    identifier::{self, PodAnnotation},
    metadata::{Labels, Metadata, PodFacts},
    roster,
};

use super::{index::Address, mirror::Mirror};
use crate::kinds::{Dataplane, Pod};

/// The identifiers of the Dataplanes that carry none, by the Pods of their names.
#[derive(Debug)]
pub struct PodIdentifiers {
    workload_labels: Vec<String>,
    annotation: PodAnnotation,
    dataplanes: Mirror<Address, Bare>,
    pods: Mirror<Address, Option<String>>,
}

/// What is needed of a Dataplane to put it into the roster when its identifier is known.
#[derive(Debug, Clone)]
pub(super) struct Bare {
    mesh: Option<String>,
    local: bool,
    inbounds: Inbounds,
    is_builtin_gateway: bool,
    /// The last identifier that was computed: it holds when the Pod is gone.
    workload: Option<String>,
}

impl Bare {
    pub(super) fn of(dataplane: &Dataplane) -> Self {
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
        (namespace, name): &'a Address,
    ) -> roster::DataplaneRecord<'a> {
        roster::DataplaneRecord {
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
    /// With the control plane's own list of labels.
    pub fn new(workload_labels: Vec<String>, annotation: PodAnnotation) -> Self {
        Self {
            workload_labels,
            annotation,
            dataplanes: Mirror::default(),
            pods: Mirror::default(),
        }
    }

    /// A Dataplane without an identifier of its own; gives the computed one.
    pub(super) fn apply_dataplane(&mut self, address: Address, mut bare: Bare) -> Option<String> {
        let known = self.dataplanes.get(&address);
        let last = known.and_then(|known| known.workload.clone());
        let of_pod = self.pods.get(&address).cloned();
        bare.workload = of_pod.unwrap_or(last).filter(|_| !bare.is_builtin_gateway);
        let workload = bare.workload.clone();
        self.dataplanes.put(address, bare);
        workload
    }

    pub(super) fn forget_dataplane(&mut self, address: &Address) {
        self.dataplanes.take(address);
    }

    /// A Pod; gives its Dataplane, if there is one that needs it, with its identifier.
    pub(super) fn apply_pod(&mut self, address: &Address, pod: &Pod) -> Option<&Bare> {
        let workload = self.of_pod(pod);
        self.pods.put(address.clone(), workload.clone());
        let bare = self.dataplanes.get_mut(address)?;
        bare.workload = workload.filter(|_| !bare.is_builtin_gateway);
        Some(bare)
    }

    pub(super) fn delete_pod(&mut self, address: &Address) {
        self.pods.take(address);
    }

    pub(super) fn relist_dataplanes(&mut self, within: impl Fn(&str) -> bool) {
        self.dataplanes.relist(|(home, _)| within(home));
    }

    pub(super) fn sweep_dataplanes(&mut self, within: impl Fn(&str) -> bool) {
        self.dataplanes.sweep(|(home, _)| within(home));
    }

    pub(super) fn relist_pods(&mut self, within: impl Fn(&str) -> bool) {
        self.pods.relist(|(home, _)| within(home));
    }

    pub(super) fn sweep_pods(&mut self, within: impl Fn(&str) -> bool) {
        self.pods.sweep(|(home, _)| within(home));
    }

    pub(super) fn len(&self) -> usize {
        self.pods.len()
    }

    /// The identifier of a Pod (W1, W2, W7).
    fn of_pod(&self, pod: &Pod) -> Option<String> {
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

fn entries(map: Option<&std::collections::BTreeMap<String, String>>) -> Labels<'_> {
    let entries = map.into_iter().flatten();
    entries
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect()
}

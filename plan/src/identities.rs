//! Which SPIFFE ID each proxy would get (ID1 to ID4).

use std::collections::BTreeMap;

use kuma_workload_rulebook::{
    keys,
    metadata::{Labels, Text},
    spiffe::{self, ControlPlane, IdentityFault, MeshIdentity, ProxyFacts},
};

use super::{
    finding::{Code, Finding, Severity},
    inventory::{Objects, full_name},
    manifest::{DataplaneManifest, MeshIdentityManifest},
    pod_source::PodSource,
    report::IdentityReport,
};

/// The MeshIdentities by mesh, and what went wrong with them.
pub(crate) struct Identities<'a> {
    by_mesh: BTreeMap<&'a str, Vec<&'a MeshIdentity>>,
    identities: BTreeMap<&'a str, &'a MeshIdentityManifest>,
    control_plane: ControlPlane<'a>,
    /// By MeshIdentity and sentence: how many proxies, and the first of them.
    faults: BTreeMap<(String, String), (bool, usize, String)>,
}

impl<'a> Identities<'a> {
    /// Those that the control plane knows.
    pub(crate) fn new(
        all: &'a Objects<MeshIdentityManifest>,
        control_plane: ControlPlane<'a>,
    ) -> Self {
        let mut by_mesh = BTreeMap::<_, Vec<_>>::new();
        for identity in all.values() {
            by_mesh
                .entry(&*identity.facts.mesh)
                .or_default()
                .push(&identity.facts);
        }
        Self {
            by_mesh,
            identities: all.values().map(|one| (&*one.facts.name, one)).collect(),
            control_plane,
            faults: BTreeMap::new(),
        }
    }

    /// Whether a mesh has any.
    pub(crate) fn has(&self, mesh: &str) -> bool {
        self.by_mesh.contains_key(mesh)
    }

    /// The identity of a proxy, which is called so in findings.
    pub(crate) fn of(&mut self, proxy: &ProxyFacts<'_>, called: &str) -> Option<IdentityReport> {
        let candidates = self.by_mesh.get(proxy.mesh)?.iter().copied();
        let identity = spiffe::of_proxy(candidates, proxy, &self.control_plane)?;
        let name = identity.mesh_identity.name.clone();
        let fault = identity.spiffe_id.as_ref().err();
        if let Some(fault) = fault {
            let key = (name.clone(), fault.to_string());
            let (_, count, first) = self
                .faults
                .entry(key)
                .or_insert_with(|| (fault.is_not_evaluated(), 0, called.to_owned()));
            *count += 1;
            if called < &**first {
                called.clone_into(first);
            }
        }
        Some(IdentityReport {
            mesh_identity: self
                .identities
                .get(&*name)
                .map_or(name.clone(), |one| one.named.name.as_str().to_owned()),
            fault: fault.map(IdentityFault::to_string),
            spiffe_id: identity.spiffe_id.ok().map(|id| id.to_string()),
        })
    }

    /// What went wrong, once for each MeshIdentity and reason.
    pub(crate) fn into_findings(self) -> impl Iterator<Item = Finding> {
        self.faults
            .into_iter()
            .filter_map(move |((name, fault), (not_evaluated, count, first))| {
                let identity = self.identities.get(&*name)?;
                let proxies = match count {
                    1 => first,
                    _ => format!("{count} proxies ({first} is the first)"),
                };
                let message = format!(
                    "MeshIdentity {} and {proxies}: {fault}",
                    full_name(&identity.named)
                );
                let (severity, code, remedy) = if not_evaluated {
                    (
                        Severity::Note,
                        Code::IdentityNotEvaluated,
                        "see on the control plane which SPIFFE ID they get",
                    )
                } else {
                    (
                        Severity::Error,
                        Code::IdentityFault,
                        "correct the template, or give these proxies what it asks for",
                    )
                };
                Some(Finding {
                    severity,
                    code,
                    place: identity.named.place.clone(),
                    message,
                    remedy: remedy.to_owned(),
                })
            })
    }
}

/// The logical labels of a Dataplane: some of them are stored as annotations.
pub(crate) fn labels_of_dataplane(
    dataplane: &DataplaneManifest,
    workload: Option<&str>,
) -> Labels<'static> {
    let metadata = &dataplane.metadata;
    let mut labels = metadata.labels.clone();
    let account = metadata
        .annotations
        .get(keys::SERVICE_ACCOUNT)
        .filter(|_| !labels.contains(keys::SERVICE_ACCOUNT));
    let added: Vec<_> = [(keys::WORKLOAD, workload), (keys::SERVICE_ACCOUNT, account)]
        .into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), value?.to_owned())))
        .collect();
    add(&mut labels, added);
    labels
}

/// The labels that Kuma gives the Dataplane of a Pod: the Pod's own, and what it knows itself.
pub(crate) fn labels_to_come(
    pod_source: &PodSource<'_>,
    mesh: &str,
    zone: &str,
) -> Labels<'static> {
    let mut labels = pod_source.facts.metadata.labels.clone();
    let account = pod_source.facts.service_account.as_deref();
    let account = account.filter(|name| !name.is_empty()).unwrap_or("default");
    let own = [
        (keys::MESH, mesh),
        (keys::HOME_NAMESPACE, pod_source.named.namespace()),
        (keys::SERVICE_ACCOUNT, account),
        (keys::ORIGIN, keys::ORIGIN_ZONE),
        (keys::ENVIRONMENT, "kubernetes"),
        (keys::ZONE, zone),
    ];
    let workload = pod_source
        .workload
        .map(|found| (keys::WORKLOAD, found.name));
    let added = own.into_iter().chain(workload);
    add(
        &mut labels,
        added.map(|(key, value)| (key.to_owned(), value.to_owned())),
    );
    labels
}

/// Of a key given twice, the last counts.
fn add(labels: &mut Labels<'static>, added: impl IntoIterator<Item = (String, String)>) {
    let text = |text: String| Text(text.into());
    labels.extend(
        added
            .into_iter()
            .map(|(key, value)| (text(key), text(value))),
    );
}

//! How an inventory is filled: each object is put where it is found again, and of one that is given
//! twice the later counts.

use kuma_workload_rulebook::keys;

use super::{Inventory, Key, Objects, full_name};
use crate::{
    finding::{Code, Finding},
    manifest::{
        BuiltinGatewayManifest, DataplaneManifest, Found, Manifest, Mention, Named, PodManifest,
        TemplateManifest, WorkloadManifest,
    },
    options::Options,
    read::Fault,
};

impl Inventory {
    /// Takes what was found in a list of a resource, such as `pods`. What could not be read there is
    /// told as a finding: it is the cluster's fault, and not that of who asked.
    pub fn take_listed(&mut self, mut found: Found, resource: &str, options: &Options<'_>) {
        for fault in std::mem::take(&mut found.faults) {
            self.tell(Finding::warning(
                Code::Unread,
                None,
                format!("one of {resource} cannot be read: {}", fault.message),
                "correct the object; it was left out".to_owned(),
            ));
        }
        self.take(found, options);
    }

    /// Adds what there is to say of the reading itself.
    pub fn tell(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// Adds what could not be read, such as a file.
    pub fn fault(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    /// Takes what was found.
    pub fn take(&mut self, found: Found, options: &Options<'_>) {
        for (kind, skipped) in found.skipped {
            self.skipped.entry(kind).or_default().add(skipped);
        }
        self.documents += found.documents;
        self.passed_over += usize::from(found.passed_over);
        self.shows_kubernetes |= found.shows_kubernetes;
        self.findings.extend(found.findings);
        self.faults.extend(found.faults);
        for (mention, object) in found.objects {
            if counts(&object, options) {
                self.add(mention, object);
            } else {
                self.elsewhere += 1;
            }
        }
    }

    fn add(&mut self, mention: Mention, object: Manifest) {
        match object {
            Manifest::Pod(pod) => {
                self.put(mention, "Pod", pod, |all| &mut all.pods, |pod| &pod.named);
            }
            Manifest::Template(template) => {
                let kind = template.kind.name;
                self.put(
                    mention,
                    kind,
                    template,
                    |all| &mut all.templates,
                    |one| &one.named,
                );
            }
            Manifest::Namespace(one) => {
                self.put(
                    mention,
                    "Namespace",
                    one,
                    |all| &mut all.namespaces,
                    |one| &one.named,
                );
            }
            Manifest::Mesh(one) => {
                self.put(
                    mention,
                    "Mesh",
                    one,
                    |all| &mut all.meshes,
                    |one| &one.named,
                );
            }
            Manifest::BuiltinGateway(one) => {
                self.put(
                    mention,
                    one.kind,
                    one,
                    |all| &mut all.gateways,
                    |one| &one.named,
                );
            }
            Manifest::Dataplane(one) => {
                self.put(
                    mention,
                    "Dataplane",
                    one,
                    |all| &mut all.dataplanes,
                    |one| &one.named,
                );
            }
            Manifest::Insight(one) => {
                self.put(
                    mention,
                    "DataplaneInsight",
                    one,
                    |all| &mut all.insights,
                    |one| &one.named,
                );
            }
            Manifest::Workload(one) => {
                self.put(
                    mention,
                    "Workload",
                    one,
                    |all| &mut all.workloads,
                    |one| &one.named,
                );
            }
            Manifest::MeshIdentity(one) => {
                self.put(
                    mention,
                    "MeshIdentity",
                    one,
                    |all| &mut all.identities,
                    |one| &one.named,
                );
            }
            Manifest::UniversalMesh(one) => {
                self.put(
                    mention,
                    "Mesh",
                    one,
                    |all| &mut all.universal_meshes,
                    |one| &one.named,
                );
            }
            Manifest::UniversalDataplane(one) => {
                self.put(
                    mention,
                    "Dataplane",
                    one,
                    |all| &mut all.universal_dataplanes,
                    |one| &one.named,
                );
            }
            Manifest::UniversalWorkload(one) => {
                self.put(
                    mention,
                    "Workload",
                    one,
                    |all| &mut all.universal_workloads,
                    |one| &one.named,
                );
            }
            Manifest::UniversalIdentity(one) => {
                self.put(
                    mention,
                    "MeshIdentity",
                    one,
                    |all| &mut all.universal_identities,
                    |one| &one.named,
                );
            }
        }
    }

    /// Of an object given twice, the later one counts. A watch tells of the same object again and
    /// again, and last that it has gone.
    fn put<T>(
        &mut self,
        mention: Mention,
        kind: &'static str,
        object: T,
        objects: impl FnOnce(&mut Self) -> &mut Objects<T>,
        named: impl Fn(&T) -> &Named,
    ) {
        let key = Key::of_named(named(&object), kind);
        if mention == Mention::Gone {
            let gone = objects(self).remove(&key);
            self.read -= usize::from(gone.is_some());
            return;
        }
        let later = named(&object).clone();
        let earlier = objects(self).insert(key, object);
        self.read += usize::from(mention == Mention::Given || earlier.is_none());
        // A cluster's pages overlap where objects come and go between them.
        let (Mention::Given, Some(earlier), Some(_)) = (mention, earlier, &later.place) else {
            return;
        };
        let Some(first) = &named(&earlier).place else {
            return;
        };
        self.findings.push(Finding::warning(
            Code::Duplicate,
            later.place.clone(),
            format!(
                "{kind} {} is given twice, at {first} too; this one counts",
                full_name(&later)
            ),
            "remove one of them".to_owned(),
        ));
    }

    /// What kumactl prints of Meshes and of MeshIdentities does not always say where they are stored.
    /// Beside other things from a control plane on Kubernetes, they are that one's as well.
    pub(crate) fn settle(&mut self) {
        if !self.shows_kubernetes {
            return;
        }
        for (key, mesh) in &self.universal_meshes {
            let mesh = || mesh.clone();
            self.meshes.entry(key.clone()).or_insert_with(mesh);
        }
        let identities = self.universal_identities.values();
        for identity in identities.filter(|one| !one.facts.labels.contains(keys::ENVIRONMENT)) {
            let key = Key::of_named(&identity.named, "MeshIdentity");
            let identity = || identity.clone();
            self.identities.entry(key).or_insert_with(identity);
        }
    }
}

/// What is limited to a namespace are the objects in it; MeshIdentities live in Kuma's.
fn counts(object: &Manifest, options: &Options<'_>) -> bool {
    let Some(only) = &options.namespace else {
        return true;
    };
    match object {
        Manifest::Pod(PodManifest { named, .. })
        | Manifest::Template(TemplateManifest { named, .. })
        | Manifest::Dataplane(DataplaneManifest { named, .. })
        | Manifest::Workload(WorkloadManifest { named, .. }) => named.namespace() == *only,
        Manifest::Namespace(namespace) => namespace.named.name.as_str() == *only,
        Manifest::BuiltinGateway(BuiltinGatewayManifest { named, .. }) => {
            named.namespace().is_empty() || named.namespace() == *only
        }
        _ => true,
    }
}

//! All objects that were read, each once, in an order that does not depend on how they came.

use std::collections::BTreeMap;

use kuma_workload_rulebook::{mesh, metadata::Metadata, quoted::Quoted};

use super::{
    finding::{Code, Finding},
    manifest::{
        DataplaneManifest, Found, Manifest, MeshIdentityManifest, Named, NamespaceManifest, Owner,
        PodManifest, TemplateManifest, UniversalDataplaneManifest, UniversalWorkloadManifest,
        WorkloadManifest,
    },
    options::Options,
    read::{Fault, Place},
};

/// What an object is found by. Objects whose names the API server will make are told apart by
/// where they stand.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key {
    /// Its namespace; empty where it has none. On Universal, its mesh.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its kind, where several share a map.
    pub kind: &'static str,
    unnamed: Option<Place>,
}

impl Key {
    /// The key of an object with a name.
    pub(crate) fn of(kind: &'static str, namespace: &str, name: &str) -> Self {
        Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            kind,
            unnamed: None,
        }
    }

    fn of_named(named: &Named, kind: &'static str) -> Self {
        Self {
            unnamed: named.place.clone().filter(|_| named.is_generated()),
            ..Self::of(kind, &named.namespace, &named.name)
        }
    }
}

/// Objects by their keys.
pub(crate) type Objects<T> = BTreeMap<Key, T>;

/// All objects that were read.
#[derive(Debug, Default)]
pub struct Inventory {
    /// Pods.
    pub(crate) pods: Objects<PodManifest>,
    /// Objects with a Pod template.
    pub(crate) templates: Objects<TemplateManifest>,
    /// Namespaces.
    pub(crate) namespaces: Objects<NamespaceManifest>,
    /// Meshes.
    pub(crate) meshes: Objects<Named>,
    /// Dataplanes of Kubernetes.
    pub(crate) dataplanes: Objects<DataplaneManifest>,
    /// Workloads of Kubernetes.
    pub(crate) workloads: Objects<WorkloadManifest>,
    /// MeshIdentities of Kubernetes.
    pub(crate) identities: Objects<MeshIdentityManifest>,
    /// Meshes of Universal.
    pub(crate) universal_meshes: Objects<Named>,
    /// Dataplanes of Universal.
    pub(crate) universal_dataplanes: Objects<UniversalDataplaneManifest>,
    /// Workloads of Universal.
    pub(crate) universal_workloads: Objects<UniversalWorkloadManifest>,
    /// MeshIdentities of Universal.
    pub(crate) universal_identities: Objects<MeshIdentityManifest>,
    /// How many objects do not matter here.
    pub(crate) skipped: usize,
    /// How many do.
    pub(crate) read: usize,
    /// What there is to say of the reading itself.
    pub(crate) findings: Vec<Finding>,
    /// What cannot be read.
    pub(crate) faults: Vec<Fault>,
    /// What could not be read of a cluster, and why.
    pub unread: Unread,
    /// Whether this is a cluster, where what was not found is not there.
    pub(crate) live: bool,
}

/// What could not be read of a cluster.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unread {
    /// Namespaces.
    pub namespaces: bool,
    /// Meshes.
    pub meshes: bool,
    /// Dataplanes.
    pub dataplanes: bool,
    /// Workloads.
    pub workloads: bool,
    /// Whether Kuma's kinds are unknown to the cluster.
    pub without_kuma: bool,
}

impl Inventory {
    /// The inventory of a cluster, where what was not found is not there.
    pub fn of_cluster() -> Self {
        Self {
            live: true,
            ..Self::default()
        }
    }

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
        self.skipped += found.skipped;
        self.faults.extend(found.faults);
        for object in found.objects {
            self.add(object, options);
        }
    }

    fn add(&mut self, object: Manifest, options: &Options<'_>) {
        if !counts(&object, options) {
            self.skipped += 1;
            return;
        }
        self.read += 1;
        match object {
            Manifest::Pod(pod) => self.put("Pod", pod, |all| &mut all.pods, |pod| &pod.named),
            Manifest::Template(template) => {
                let kind = template.kind.name;
                self.put(kind, template, |all| &mut all.templates, |one| &one.named);
            }
            Manifest::Namespace(one) => {
                self.put(
                    "Namespace",
                    one,
                    |all| &mut all.namespaces,
                    |one| &one.named,
                );
            }
            Manifest::Mesh(one) => self.put("Mesh", one, |all| &mut all.meshes, |one| one),
            Manifest::Dataplane(one) => {
                self.put(
                    "Dataplane",
                    one,
                    |all| &mut all.dataplanes,
                    |one| &one.named,
                );
            }
            Manifest::Workload(one) => {
                self.put("Workload", one, |all| &mut all.workloads, |one| &one.named);
            }
            Manifest::MeshIdentity(one) => {
                self.put(
                    "MeshIdentity",
                    one,
                    |all| &mut all.identities,
                    |one| &one.named,
                );
            }
            Manifest::UniversalMesh(one) => {
                self.put("Mesh", one, |all| &mut all.universal_meshes, |one| one);
            }
            Manifest::UniversalDataplane(one) => {
                self.put(
                    "Dataplane",
                    one,
                    |all| &mut all.universal_dataplanes,
                    |one| &one.named,
                );
            }
            Manifest::UniversalWorkload(one) => {
                self.put(
                    "Workload",
                    one,
                    |all| &mut all.universal_workloads,
                    |one| &one.named,
                );
            }
            Manifest::UniversalIdentity(one) => {
                self.put(
                    "MeshIdentity",
                    one,
                    |all| &mut all.universal_identities,
                    |one| &one.named,
                );
            }
        }
    }

    /// Of an object given twice, the later one counts.
    fn put<T>(
        &mut self,
        kind: &'static str,
        object: T,
        objects: impl FnOnce(&mut Self) -> &mut Objects<T>,
        named: impl Fn(&T) -> &Named,
    ) {
        let name = named(&object).clone();
        let earlier = objects(self).insert(Key::of_named(&name, kind), object);
        let Some(earlier) = earlier else {
            return;
        };
        // A cluster's pages overlap where objects come and go between them.
        let (Some(first), Some(_)) = (&named(&earlier).place, &name.place) else {
            return;
        };
        self.findings.push(Finding::warning(
            Code::Duplicate,
            name.place.clone(),
            format!(
                "{kind} {} is given twice, at {first} too; this one counts",
                full_name(&name)
            ),
            "remove one of them".to_owned(),
        ));
    }

    /// The labels and annotations of a Namespace; one that was not read has none.
    pub fn namespace(&self, name: &str) -> Option<&NamespaceManifest> {
        self.namespaces.get(&Key::of("Namespace", "", name))
    }

    /// As [`namespace`](Self::namespace).
    pub fn namespace_metadata(&self, name: &str) -> &Metadata<'static> {
        static NONE: std::sync::LazyLock<Metadata<'static>> =
            std::sync::LazyLock::new(Metadata::default);
        self.namespace(name).map_or(&NONE, |found| &found.metadata)
    }

    /// The Dataplane of a name.
    pub fn dataplane(&self, namespace: &str, name: &str) -> Option<&DataplaneManifest> {
        self.dataplanes.get(&Key::of("Dataplane", namespace, name))
    }

    /// The Pod of a name.
    pub fn pod(&self, namespace: &str, name: &str) -> Option<&PodManifest> {
        self.pods.get(&Key::of("Pod", namespace, name))
    }

    /// The Workload of a name.
    pub fn workload(&self, namespace: &str, name: &str) -> Option<&WorkloadManifest> {
        self.workloads.get(&Key::of("Workload", namespace, name))
    }

    /// Whether a template's controller was read: it says the same, and speaks for both (A2).
    pub fn is_spoken_for(&self, template: &TemplateManifest) -> bool {
        template
            .owner
            .as_ref()
            .is_some_and(|owner| self.template(&template.named.namespace, owner).is_some())
    }

    /// The object that controls another.
    pub fn template(&self, namespace: &str, owner: &Owner) -> Option<&TemplateManifest> {
        self.templates
            .get(&Key::of(owner.kind, namespace, &owner.name))
    }

    /// Whether a Mesh exists. Manifests without any Mesh say nothing of meshes, and `default` is
    /// Kuma's own.
    pub fn has_mesh(&self, name: &str) -> bool {
        let found = || self.meshes.contains_key(&Key::of("Mesh", "", name));
        if self.live {
            self.unread.meshes || found()
        } else {
            self.meshes.is_empty() || name == mesh::DEFAULT || found()
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
        | Manifest::Workload(WorkloadManifest { named, .. }) => named.namespace == *only,
        Manifest::Namespace(namespace) => namespace.named.name == *only,
        _ => true,
    }
}

/// A name with its namespace, for a sentence.
pub(crate) fn full_name(named: &Named) -> String {
    if named.namespace.is_empty() {
        Quoted(&named.name).to_string()
    } else {
        Quoted(&format!("{}/{}", named.namespace, named.name)).to_string()
    }
}

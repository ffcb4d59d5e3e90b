//! All objects that were read, each once, in an order that does not depend on how they came.

use std::collections::BTreeMap;

use kuma_workload_rulebook::{mesh, metadata::Metadata};

use super::{
    finding::{Code, Finding},
    input::Place,
    object::{
        Dataplane, Found, Identity, Named, Namespace, Object, Owner, Pod, Template,
        UniversalDataplane, UniversalWorkload, Workload, shown,
    },
};

/// What an object is found by. Objects whose names the API server will make are told apart by
/// where they stand.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
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
    pub fn of(kind: &'static str, namespace: &str, name: &str) -> Self {
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
pub type Objects<T> = BTreeMap<Key, T>;

/// All objects that were read.
#[derive(Debug, Default)]
pub struct Inventory {
    /// Pods.
    pub pods: Objects<Pod>,
    /// Objects with a Pod template.
    pub templates: Objects<Template>,
    /// Namespaces.
    pub namespaces: Objects<Namespace>,
    /// Meshes.
    pub meshes: Objects<Named>,
    /// Dataplanes of Kubernetes.
    pub dataplanes: Objects<Dataplane>,
    /// Workloads of Kubernetes.
    pub workloads: Objects<Workload>,
    /// MeshIdentities of Kubernetes.
    pub identities: Objects<Identity>,
    /// Meshes of Universal.
    pub universal_meshes: Objects<Named>,
    /// Dataplanes of Universal.
    pub universal_dataplanes: Objects<UniversalDataplane>,
    /// Workloads of Universal.
    pub universal_workloads: Objects<UniversalWorkload>,
    /// MeshIdentities of Universal.
    pub universal_identities: Objects<Identity>,
    /// How many objects do not matter here.
    pub skipped: usize,
    /// How many do.
    pub read: usize,
    /// What there is to say of the reading itself.
    pub findings: Vec<Finding>,
    /// What could not be read of a cluster, and why.
    pub unread: Unread,
    /// Whether this is a cluster, where what was not found is not there.
    pub live: bool,
    /// The only namespace that counts.
    pub only: Option<String>,
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
    /// Takes what was found in a file or in a page of a list.
    pub fn take(&mut self, found: Found) {
        self.skipped += found.skipped;
        for object in found.objects {
            self.add(object);
        }
    }

    fn add(&mut self, object: Object) {
        if !self.counts(&object) {
            self.skipped += 1;
            return;
        }
        self.read += 1;
        match object {
            Object::Pod(pod) => self.put("Pod", pod, |all| &mut all.pods, |pod| &pod.named),
            Object::Template(template) => {
                let kind = template.kind.name();
                self.put(kind, template, |all| &mut all.templates, |one| &one.named);
            }
            Object::Namespace(one) => {
                self.put(
                    "Namespace",
                    one,
                    |all| &mut all.namespaces,
                    |one| &one.named,
                );
            }
            Object::Mesh(one) => self.put("Mesh", one, |all| &mut all.meshes, |one| one),
            Object::Dataplane(one) => {
                self.put(
                    "Dataplane",
                    one,
                    |all| &mut all.dataplanes,
                    |one| &one.named,
                );
            }
            Object::Workload(one) => {
                self.put("Workload", one, |all| &mut all.workloads, |one| &one.named);
            }
            Object::MeshIdentity(one) => {
                self.put(
                    "MeshIdentity",
                    one,
                    |all| &mut all.identities,
                    |one| &one.named,
                );
            }
            Object::UniversalMesh(one) => {
                self.put("Mesh", one, |all| &mut all.universal_meshes, |one| one);
            }
            Object::UniversalDataplane(one) => {
                self.put(
                    "Dataplane",
                    one,
                    |all| &mut all.universal_dataplanes,
                    |one| &one.named,
                );
            }
            Object::UniversalWorkload(one) => {
                self.put(
                    "Workload",
                    one,
                    |all| &mut all.universal_workloads,
                    |one| &one.named,
                );
            }
            Object::UniversalIdentity(one) => {
                self.put(
                    "MeshIdentity",
                    one,
                    |all| &mut all.universal_identities,
                    |one| &one.named,
                );
            }
        }
    }

    /// What is limited to a namespace are the objects in it; MeshIdentities live in Kuma's.
    fn counts(&self, object: &Object) -> bool {
        let Some(only) = &self.only else {
            return true;
        };
        match object {
            Object::Pod(Pod { named, .. })
            | Object::Template(Template { named, .. })
            | Object::Dataplane(Dataplane { named, .. })
            | Object::Workload(Workload { named, .. }) => named.namespace == *only,
            Object::Namespace(namespace) => namespace.named.name == *only,
            _ => true,
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
    pub fn namespace(&self, name: &str) -> Option<&Namespace> {
        self.namespaces.get(&Key::of("Namespace", "", name))
    }

    /// As [`namespace`](Self::namespace).
    pub fn namespace_metadata(&self, name: &str) -> &Metadata<'static> {
        static NONE: std::sync::LazyLock<Metadata<'static>> =
            std::sync::LazyLock::new(Metadata::default);
        self.namespace(name).map_or(&NONE, |found| &found.metadata)
    }

    /// The Dataplane of a name.
    pub fn dataplane(&self, namespace: &str, name: &str) -> Option<&Dataplane> {
        self.dataplanes.get(&Key::of("Dataplane", namespace, name))
    }

    /// The Pod of a name.
    pub fn pod(&self, namespace: &str, name: &str) -> Option<&Pod> {
        self.pods.get(&Key::of("Pod", namespace, name))
    }

    /// The Workload of a name.
    pub fn workload(&self, namespace: &str, name: &str) -> Option<&Workload> {
        self.workloads.get(&Key::of("Workload", namespace, name))
    }

    /// Whether a template's controller was read: it says the same, and speaks for both (A2).
    pub fn is_spoken_for(&self, template: &Template) -> bool {
        template
            .owner
            .as_ref()
            .is_some_and(|owner| self.template(&template.named.namespace, owner).is_some())
    }

    /// The object that controls another.
    pub fn template(&self, namespace: &str, owner: &Owner) -> Option<&Template> {
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

/// A name with its namespace, for a sentence.
pub fn full_name(named: &Named) -> String {
    if named.namespace.is_empty() {
        shown(&named.name).to_string()
    } else {
        shown(&format!("{}/{}", named.namespace, named.name)).to_string()
    }
}

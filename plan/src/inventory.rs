//! All objects that were read, each once, in an order that does not depend on how they came.

use std::collections::BTreeMap;

use kuma_workload_rulebook::{keys, mesh, metadata::Metadata, quoted::Quoted};

use super::{
    finding::{self, Code, Finding},
    manifest::{
        BuiltinGatewayManifest, DataplaneManifest, Found, Home, InsightManifest, KindName,
        Manifest, Mention, MeshIdentityManifest, MeshManifest, Name, Named, NamespaceManifest,
        Owner, PodManifest, Skipped, TemplateManifest, UniversalDataplaneManifest,
        UniversalWorkloadManifest, WorkloadManifest,
    },
    options::Options,
    read::{Fault, Place},
    report::FindingReport,
};

/// What an object is found by. Objects whose names the API server will make are told apart by
/// where they stand.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key {
    home: Home,
    name: Name,
    /// Its kind, where several share a map.
    kind: &'static str,
    unnamed: Option<Place>,
}

impl Key {
    /// The key of an object with a name.
    pub(crate) fn of(kind: &'static str, home: Home, name: &str) -> Self {
        Self {
            home,
            name: Name::Given(name.into()),
            kind,
            unnamed: None,
        }
    }

    /// The key of an object in a namespace.
    fn in_namespace(kind: &'static str, namespace: &str, name: &str) -> Self {
        Self::of(kind, Home::Namespace(namespace.into()), name)
    }

    fn of_named(named: &Named, kind: &'static str) -> Self {
        let place = || named.place.clone();
        Self {
            home: named.home.clone(),
            name: named.name.clone(),
            kind,
            unnamed: match named.name {
                Name::Given(_) => None,
                Name::Generated(_) => place(),
            },
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
    pub(crate) meshes: Objects<MeshManifest>,
    /// Dataplanes of Kubernetes.
    pub(crate) dataplanes: Objects<DataplaneManifest>,
    /// Workloads of Kubernetes.
    pub(crate) workloads: Objects<WorkloadManifest>,
    /// MeshIdentities of Kubernetes.
    pub(crate) identities: Objects<MeshIdentityManifest>,
    /// Meshes of Universal.
    pub(crate) universal_meshes: Objects<MeshManifest>,
    /// Dataplanes of Universal.
    pub(crate) universal_dataplanes: Objects<UniversalDataplaneManifest>,
    /// Workloads of Universal.
    pub(crate) universal_workloads: Objects<UniversalWorkloadManifest>,
    /// MeshIdentities of Universal.
    pub(crate) universal_identities: Objects<MeshIdentityManifest>,
    /// What makes or describes builtin gateways, of whatever control plane.
    pub(crate) gateways: Objects<BuiltinGatewayManifest>,
    /// DataplaneInsights, of whatever control plane, if they are read.
    pub(crate) insights: Objects<InsightManifest>,
    /// Objects that do not matter here, by their kinds.
    pub(crate) skipped: BTreeMap<KindName, Skipped>,
    /// How many objects would matter, but are in another namespace than the one that counts.
    pub(crate) elsewhere: usize,
    /// How many objects matter.
    pub(crate) read: usize,
    /// How many files were passed over.
    pub(crate) passed_over: usize,
    /// How many documents said what they are.
    documents: usize,
    /// Whether kumactl printed something of it from a control plane on Kubernetes.
    shows_kubernetes: bool,
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

    /// Whether there was nothing at all: no document that says what it is, and nothing that went wrong.
    pub fn is_empty(&self) -> bool {
        self.documents == 0 && self.faults.is_empty()
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

    /// The Dataplanes of Kubernetes, copies from other zones among them.
    pub fn dataplanes(&self) -> impl Iterator<Item = &DataplaneManifest> {
        self.dataplanes.values()
    }

    /// The DataplaneInsights, of whatever control plane, if the options ask for them.
    pub fn insights(&self) -> impl Iterator<Item = &InsightManifest> {
        self.insights.values()
    }

    /// The Workloads of Kubernetes.
    pub fn workloads(&self) -> impl Iterator<Item = &WorkloadManifest> {
        self.workloads.values()
    }

    /// The Dataplanes of Universal, copies from other zones among them.
    pub fn universal_dataplanes(&self) -> impl Iterator<Item = &UniversalDataplaneManifest> {
        self.universal_dataplanes.values()
    }

    /// The Workloads of Universal, copies from other zones among them.
    pub fn universal_workloads(&self) -> impl Iterator<Item = &UniversalWorkloadManifest> {
        self.universal_workloads.values()
    }

    /// What there is to say of the reading itself.
    pub fn findings(&self) -> Vec<FindingReport> {
        finding::group::grouped(self.findings.iter().cloned())
    }

    /// What cannot be read.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// The labels and annotations of a Namespace; one that was not read has none.
    pub fn namespace(&self, name: &str) -> Option<&NamespaceManifest> {
        self.namespaces
            .get(&Key::of("Namespace", Home::Cluster, name))
    }

    /// Whether it is known what a Namespace says: it was read, or is not there.
    pub(crate) fn knows_namespace(&self, name: &str) -> bool {
        self.namespace(name).is_some() || self.live && !self.unread.namespaces
    }

    /// As [`namespace`](Self::namespace).
    pub fn namespace_metadata(&self, name: &str) -> &Metadata<'static> {
        static NONE: std::sync::LazyLock<Metadata<'static>> =
            std::sync::LazyLock::new(Metadata::default);
        self.namespace(name).map_or(&NONE, |found| &found.metadata)
    }

    /// The Dataplane of a name.
    pub fn dataplane(&self, namespace: &str, name: &str) -> Option<&DataplaneManifest> {
        self.dataplanes
            .get(&Key::in_namespace("Dataplane", namespace, name))
    }

    /// The Pod of a name.
    pub fn pod(&self, namespace: &str, name: &str) -> Option<&PodManifest> {
        self.pods.get(&Key::in_namespace("Pod", namespace, name))
    }

    /// The Workload of a name.
    pub fn workload(&self, namespace: &str, name: &str) -> Option<&WorkloadManifest> {
        self.workloads
            .get(&Key::in_namespace("Workload", namespace, name))
    }

    /// Whether a template's controller was read: it says the same, and speaks for both (A2).
    pub fn is_spoken_for(&self, template: &TemplateManifest) -> bool {
        let owner = template.owner.as_ref();
        template.is_made_by_its_owner()
            && owner.is_some_and(|owner| {
                let namespace = template.named.namespace();
                self.template(namespace, owner).is_some()
            })
    }

    /// The object that controls another.
    pub fn template(&self, namespace: &str, owner: &Owner) -> Option<&TemplateManifest> {
        self.templates.get(&Key::in_namespace(
            owner.template?.name,
            namespace,
            &owner.name,
        ))
    }

    /// Whether a Mesh exists. Manifests without any Mesh say nothing of meshes, and `default` is
    /// Kuma's own.
    pub fn has_mesh(&self, name: &str) -> bool {
        match self.live {
            true => self.unread.meshes || is_among(&self.meshes, name),
            false => may_be_among(&self.meshes, name),
        }
    }

    /// As [`has_mesh`](Self::has_mesh), of Universal's documents.
    pub(crate) fn has_universal_mesh(&self, name: &str) -> bool {
        may_be_among(&self.universal_meshes, name)
    }
}

fn is_among(meshes: &Objects<MeshManifest>, name: &str) -> bool {
    meshes.contains_key(&Key::of("Mesh", Home::Cluster, name))
}

fn may_be_among(meshes: &Objects<MeshManifest>, name: &str) -> bool {
    meshes.is_empty() || name == mesh::DEFAULT || is_among(meshes, name)
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

/// A name with its namespace or mesh, for a sentence.
pub(crate) fn full_name(named: &Named) -> String {
    let name = named.name.as_str();
    match &named.home {
        Home::Cluster => Quoted(name).to_string(),
        Home::Namespace(home) | Home::Mesh(home) => Quoted(&format!("{home}/{name}")).to_string(),
    }
}

//! The rulebook, asked what it says about objects whose names are made up: so no sentence is written
//! twice.

use kuma_workload_rulebook::{
    admission::{
        self, Cluster, ClusterAnswer, ClusterFailure, DataplaneFacts, EnforcementAction,
        ListQuestion, NamespaceMesh, Operation, Request, RequestObject, RequestUser, Settings,
        TemplateKind, Witness,
    },
    keys,
    mesh::MeshSource,
    metadata::{Labels, Metadata, PodFacts, Text},
};

use super::{cel::in_quotes, sentence::Sentence};

/// Names that no object has, and no pattern stands for.
const NAMESPACE: &str = "<namespace>";
const NAME: &str = "<name>";
const USER: &str = "<user>";
const IMPOSSIBLE_MESH: &str = "<mesh>";
/// Names that a Mesh can have.
const MESH: &str = "mesh";
const DECLARED_MESH: &str = "declared-mesh";

/// The variables that the sentences use: names that can have any character in them, as they are quoted.
const QUOTED_MESH: &str = "variables.quotedMesh";
const QUOTED_NAMESPACE_MESH: &str = "variables.quotedNamespaceMesh";
const QUOTED_USER: &str = "variables.quotedUser";

/// What a rule judges.
#[derive(Debug, Clone, Copy)]
pub(super) enum Subject {
    /// A Pod.
    Pod,
    /// The Pod template of an object of this kind.
    Template(&'static TemplateKind),
    /// A Namespace.
    Namespace,
}

/// What is said of the label `kuma.io/workload` (A1, A2).
pub(super) fn workload_label(subject: Subject) -> Sentence {
    let object = Metadata {
        labels: one(keys::WORKLOAD, "w"),
        ..Metadata::default()
    };
    let text = subject.judged(object, Metadata::default(), &Settings::default());
    subject.sentence(&text, &[])
}

/// What is said of a mesh that no Mesh can be called (M4), by where its name was found.
pub(super) fn impossible_mesh(subject: Subject, source: MeshSource) -> Sentence {
    let mut object = meshed();
    let mut namespace = Metadata::default();
    let label = one(keys::MESH, IMPOSSIBLE_MESH);
    match source {
        MeshSource::PodLabel => object.labels = label,
        MeshSource::PodAnnotation => object.annotations.extend([(keys::MESH, IMPOSSIBLE_MESH)]),
        MeshSource::NamespaceLabel | MeshSource::Default => namespace.labels = label,
        MeshSource::NamespaceAnnotation => namespace.annotations = label,
    }
    if matches!(subject, Subject::Namespace) {
        object = std::mem::take(&mut namespace);
    }
    let text = subject.judged(object, namespace, &declared());
    subject.sentence(&text, &[(IMPOSSIBLE_MESH, QUOTED_MESH)])
}

/// What is said of a mesh that is not that of the Namespace (A17).
pub(super) fn declared_mesh(subject: Subject) -> Sentence {
    let object = Metadata {
        labels: one(keys::MESH, MESH),
        ..Metadata::default()
    };
    let namespace = Metadata {
        labels: one(keys::MESH, DECLARED_MESH),
        ..Metadata::default()
    };
    let text = subject.judged(object, namespace, &declared());
    let words = [
        (MESH, &*in_quotes("variables.mesh")),
        (DECLARED_MESH, QUOTED_NAMESPACE_MESH),
    ];
    subject.sentence(&text, &words)
}

/// What is said of a mesh that is closed to the Namespace (A20).
pub(super) fn closed_mesh(subject: Subject, mesh: &str, settings: &Settings<'_>) -> Sentence {
    let object = Metadata {
        labels: one(keys::MESH, mesh),
        ..Metadata::default()
    };
    let settings = Settings {
        mesh_namespaces: settings.mesh_namespaces.clone(),
        ..Settings::default()
    };
    let text = subject.judged(object, Metadata::default(), &settings);
    subject.sentence(&text, &[(mesh, &in_quotes("variables.mesh"))])
}

/// What is said of a Workload that is written by hand (P1).
pub(super) fn workload_object(operation: Operation) -> Sentence {
    let request = Request {
        operation,
        user: Some(RequestUser {
            name: USER.into(),
            groups: Vec::new(),
        }),
        object: RequestObject::Workload {
            name: NAME.into(),
            terminating: false,
        },
        ..request()
    };
    let settings = Settings {
        protect_workloads: Some(EnforcementAction::Deny),
        ..Settings::default()
    };
    let text = said(&request, &settings, Metadata::default());
    let object = match operation {
        Operation::Create | Operation::Update => "object",
        Operation::Delete => "oldObject",
    };
    let name = in_quotes(&format!("{object}.metadata.name"));
    Sentence::new(
        &text,
        [(&*quoted(NAME), &*name), (&*quoted(USER), QUOTED_USER)],
    )
}

impl Subject {
    /// What the rulebook says of such an object that is created in such a Namespace.
    fn judged(
        self,
        object: Metadata<'static>,
        namespace: Metadata<'static>,
        settings: &Settings<'_>,
    ) -> String {
        let pod = |metadata| PodFacts {
            metadata,
            ..PodFacts::default()
        };
        let object = match self {
            Self::Pod => RequestObject::Pod {
                keeps_containers: true,
                new: pod(object),
                old: None,
            },
            Self::Template(kind) => RequestObject::Template {
                kind,
                name: NAME.into(),
                owner_is_judged: false,
                new: pod(object),
                old: None,
            },
            Self::Namespace => RequestObject::Namespace {
                name: NAME.into(),
                terminating: false,
                new: object,
                old: None,
            },
        };
        let request = Request {
            object,
            ..request()
        };
        said(&request, settings, namespace)
    }

    /// A sentence in which expressions take the place of the made-up names, those of the object and
    /// of its Namespace among them.
    fn sentence(self, text: &str, words: &[(&str, &str)]) -> Sentence {
        let name = in_quotes("object.metadata.name");
        let namespace = in_quotes("request.namespace");
        let mut all = vec![(quoted(NAMESPACE), namespace)];
        if let Self::Template(kind) = self {
            let kind_and_name = format!("request.kind.kind + ' ' + {name}");
            all.push((format!("{} {}", kind.name, quoted(NAME)), kind_and_name));
        }
        all.push((quoted(NAME), name));
        all.extend(
            words
                .iter()
                .map(|(word, cel)| (quoted(word), (*cel).to_owned())),
        );
        Sentence::new(text, all.iter().map(|(word, cel)| (&**word, &**cel)))
    }
}

/// Why the rulebook rejects a request.
fn said(request: &Request<'_>, settings: &Settings<'_>, namespace: Metadata<'static>) -> String {
    let verdict = admission::judge(request, settings, &OneNamespace(namespace));
    let rejection = verdict.rejection;
    rejection
        .map(|objection| objection.message)
        .unwrap_or_default()
}

fn request() -> Request<'static> {
    Request {
        operation: Operation::Create,
        namespace: NAMESPACE.into(),
        user: None,
        unchanged: false,
        object: RequestObject::Workload {
            name: Text::default(),
            terminating: false,
        },
    }
}

/// Settings under which M4 and A17 reject.
fn declared() -> Settings<'static> {
    Settings {
        mesh_rule: true,
        namespace_mesh: NamespaceMesh::Declared,
        ..Settings::default()
    }
}

/// What makes a Pod meshed in every Namespace.
fn meshed() -> Metadata<'static> {
    Metadata {
        annotations: one(keys::GATEWAY, keys::GATEWAY_BUILTIN),
        ..Metadata::default()
    }
}

fn one(key: &'static str, value: &str) -> Labels<'static> {
    [(Text::from(key), Text::from(value).into_owned())]
        .into_iter()
        .collect()
}

/// A name as a sentence has it.
fn quoted(name: &str) -> String {
    format!("\"{name}\"")
}

/// A cluster that has one Namespace, and nothing else.
struct OneNamespace(Metadata<'static>);

impl Witness for OneNamespace {}

impl Cluster for OneNamespace {
    fn namespace(&self, _: &str) -> ClusterAnswer<Metadata<'static>> {
        Ok(self.0.clone())
    }

    fn mesh_exists(&self, _: &str) -> ClusterAnswer<bool> {
        Err(ClusterFailure::KumaNotInstalled)
    }

    fn dataplanes(&self, _: ListQuestion<'_>) -> ClusterAnswer<Vec<DataplaneFacts>> {
        Err(ClusterFailure::KumaNotInstalled)
    }

    fn pods(&self, _: ListQuestion<'_>) -> ClusterAnswer<Vec<PodFacts<'static>>> {
        Err(ClusterFailure::KumaNotInstalled)
    }
}

//! May this object come in? The admission rules (A and P), one file for each that a user can name.
//!
//! [`scope`] says which requests are judged at all, [`judge`] judges one. A rule is given facts and
//! gives back nothing or an [`Objection`]; it asks the [`Cluster`] only when the answer decides.

mod cluster;
mod conflict;
mod declared_mesh;
mod mesh_rule;
mod namespace_relabel;
mod observed_mesh;
mod settings;
mod switch_words;
#[cfg(test)]
mod test_support;
mod workload_label;
mod workload_name;
mod workload_objects;

pub use crate::quoted::Quoted;
pub use cluster::{
    Cluster, ClusterAnswer, ClusterFailure, DataplaneFacts, Freshness, ListQuestion, MeshSelector,
};
pub use settings::{
    EnforcementAction, Names, NamespaceMesh, SETTINGS, Settings, SettingsFaults, SettingsValue,
    Updates,
};

use std::fmt;

use crate::metadata::{Metadata, PodFacts, Text};

/// The operations that are judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// `CREATE`.
    Create,
    /// `UPDATE`.
    Update,
    /// `DELETE`, of Workloads only (P1).
    Delete,
}

/// The kinds that are judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JudgedKind {
    /// `v1` Pod.
    Pod,
    /// A kind with a Pod template.
    Template(TemplateKind),
    /// `v1` Namespace.
    Namespace,
    /// `kuma.io/v1alpha1` Workload.
    Workload,
}

/// The kinds with a Pod template (A2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TemplateKind {
    /// `apps/v1`.
    Deployment,
    /// `apps/v1`.
    ReplicaSet,
    /// `apps/v1`.
    StatefulSet,
    /// `apps/v1`.
    DaemonSet,
    /// `v1`.
    ReplicationController,
    /// `batch/v1`.
    Job,
    /// `batch/v1`.
    CronJob,
}

impl TemplateKind {
    /// The kind of this API group and name, if it has a template that is judged.
    pub fn of(group: &str, kind: &str) -> Option<Self> {
        Some(match (group, kind) {
            ("apps", "Deployment") => Self::Deployment,
            ("apps", "ReplicaSet") => Self::ReplicaSet,
            ("apps", "StatefulSet") => Self::StatefulSet,
            ("apps", "DaemonSet") => Self::DaemonSet,
            ("", "ReplicationController") => Self::ReplicationController,
            ("batch", "Job") => Self::Job,
            ("batch", "CronJob") => Self::CronJob,
            _ => return None,
        })
    }

    /// The kind's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Deployment => "Deployment",
            Self::ReplicaSet => "ReplicaSet",
            Self::StatefulSet => "StatefulSet",
            Self::DaemonSet => "DaemonSet",
            Self::ReplicationController => "ReplicationController",
            Self::Job => "Job",
            Self::CronJob => "CronJob",
        }
    }

    /// Where the labels of the template stand in the object (A2).
    pub fn labels_path(self) -> &'static str {
        match self {
            Self::CronJob => "spec.jobTemplate.spec.template.metadata.labels",
            _ => "spec.template.metadata.labels",
        }
    }
}

/// Which rules a request is for; none where it is accepted without being read (A0, A14).
pub fn scope(
    group: &str,
    kind: &str,
    operation: &str,
    sub_resource: &str,
) -> Option<(JudgedKind, Operation)> {
    let kind = match (group, kind) {
        ("", "Pod") => JudgedKind::Pod,
        ("", "Namespace") => JudgedKind::Namespace,
        ("kuma.io", "Workload") => JudgedKind::Workload,
        _ => JudgedKind::Template(TemplateKind::of(group, kind)?),
    };
    let operation = match operation {
        "CREATE" => Operation::Create,
        "UPDATE" => Operation::Update,
        "DELETE" if kind == JudgedKind::Workload => Operation::Delete,
        _ => return None,
    };
    let judged = match sub_resource {
        "" => true,
        "status" => kind == JudgedKind::Workload && operation == Operation::Update,
        _ => false,
    };
    judged.then_some((kind, operation))
}

/// An admission request that is in [`scope`], as facts.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// What is to be done.
    pub operation: Operation,
    /// The Namespace of the object; empty for Namespaces.
    pub namespace: Text<'a>,
    /// Who asks; none in an audit (A15).
    pub user: Option<RequestUser<'a>>,
    /// Whether an UPDATE leaves everything as it was that the kind's rules look at (A4, P2).
    pub unchanged: bool,
    /// The object.
    pub object: RequestObject<'a>,
}

/// The user of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestUser<'a> {
    /// `userInfo.username`, not empty.
    pub name: Text<'a>,
    /// `userInfo.groups`.
    pub groups: Vec<Text<'a>>,
}

/// An object as it is to be and, for an UPDATE, as it was where the request says so.
#[derive(Debug, Clone)]
pub enum RequestObject<'a> {
    /// A Pod.
    Pod {
        /// As it is to be.
        new: PodFacts<'a>,
        /// As it was.
        old: Option<PodFacts<'a>>,
    },
    /// An object with a Pod template.
    Template {
        /// Which kind of object.
        kind: TemplateKind,
        /// Its name, or its `generateName`.
        name: Text<'a>,
        /// Whether a controller owns it that was judged itself (A2).
        owner_is_judged: bool,
        /// The template as it is to be.
        new: PodFacts<'a>,
        /// The template as it was.
        old: Option<PodFacts<'a>>,
    },
    /// A Namespace.
    Namespace {
        /// Its name.
        name: Text<'a>,
        /// Whether it is being deleted.
        terminating: bool,
        /// As it is to be.
        new: Metadata<'a>,
        /// As it was.
        old: Option<Metadata<'a>>,
    },
    /// A Workload.
    Workload {
        /// Its name.
        name: Text<'a>,
        /// Whether it is being deleted.
        terminating: bool,
    },
}

/// The rules that object, by the names that audit annotations and reports give them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// A1 and A2: nobody sets `kuma.io/workload`.
    WorkloadLabel,
    /// W7: an annotation without effect.
    WorkloadAnnotation,
    /// W5: names that no Workload can have.
    WorkloadName,
    /// I1: a switch word that is neither on nor off.
    SwitchWord,
    /// M4: a name that no Mesh can have.
    MeshName,
    /// A16: a Mesh that does not exist.
    MeshExists,
    /// A5 to A11: one mesh in a Namespace, as observed.
    ObservedMesh,
    /// A17: one mesh in a Namespace, as declared.
    DeclaredMesh,
    /// A12: a Namespace that moves to another mesh.
    NamespaceRelabel,
    /// A13: a question that was not answered.
    ClusterQuestion,
    /// P1: Workloads made by hand.
    WorkloadObject,
}

impl Rule {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::WorkloadLabel,
        Self::WorkloadAnnotation,
        Self::WorkloadName,
        Self::SwitchWord,
        Self::MeshName,
        Self::MeshExists,
        Self::ObservedMesh,
        Self::DeclaredMesh,
        Self::NamespaceRelabel,
        Self::ClusterQuestion,
        Self::WorkloadObject,
    ];

    /// The rule's name, fit for the key of an audit annotation. What finds the same elsewhere, such
    /// as a plan, calls it by this name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::WorkloadLabel => "forged-label",
            Self::WorkloadAnnotation => "idle-annotation",
            Self::WorkloadName => "bad-name",
            Self::SwitchWord => "switch-word",
            Self::MeshName => "bad-mesh-name",
            Self::MeshExists => "unknown-mesh",
            Self::ObservedMesh => "second-mesh",
            Self::DeclaredMesh => "declared-mesh",
            Self::NamespaceRelabel => "namespace-relabel",
            Self::ClusterQuestion => "cluster-question",
            Self::WorkloadObject => "workload-object",
        }
    }
}

/// What a rule has against a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objection {
    /// The rule.
    pub rule: Rule,
    /// The sentence for the user.
    pub message: String,
}

impl Objection {
    fn new(rule: Rule, message: String) -> Self {
        Self { rule, message }
    }

    /// The status code of a rejection: 403 for a verdict, 500 for a question without an answer.
    pub fn code(&self) -> u16 {
        match self.rule {
            Rule::ClusterQuestion => 500,
            _ => 403,
        }
    }
}

/// The answer to a request: accepted unless something rejects it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Why it is rejected.
    pub rejection: Option<Objection>,
    /// What the user should know all the same.
    pub warnings: Vec<Objection>,
}

/// What a rule says: nothing against the request, or an objection that rejects it.
type Ruling = Result<(), Objection>;

/// Applies a setting to a ruling: under [`EnforcementAction::Warn`] an objection becomes a warning.
fn enforce(action: EnforcementAction, ruling: Ruling, warnings: &mut Vec<Objection>) -> Ruling {
    match (action, ruling) {
        (EnforcementAction::Warn, Err(objection)) => {
            warnings.push(objection);
            Ok(())
        }
        (_, ruling) => ruling,
    }
}

/// Judges a request that is in [`scope`]. The first rule that rejects answers.
pub fn judge<C: Cluster>(request: &Request<'_>, settings: &Settings<'_>, cluster: &C) -> Verdict {
    let mut warnings = Vec::new();
    let ruling = match &request.object {
        RequestObject::Pod { new, .. } if is_settled(request, new) => Ok(()),
        RequestObject::Pod { new, old } => {
            let subject = PodOrTemplate::Pod;
            workload_label::pod(new).and_then(|()| {
                let old = old.as_ref();
                judge_pod(request, subject, new, old, settings, cluster, &mut warnings)
            })
        }
        RequestObject::Template {
            owner_is_judged: true,
            ..
        } => Ok(()),
        RequestObject::Template {
            kind,
            name,
            new,
            old,
            ..
        } => {
            let subject = PodOrTemplate::Template(*kind, name);
            let old = old.as_ref();
            workload_label::template(*kind, name, new, old).and_then(|()| {
                judge_pod(request, subject, new, old, settings, cluster, &mut warnings)
            })
        }
        RequestObject::Namespace {
            terminating: true, ..
        } => Ok(()),
        RequestObject::Namespace { name, new, old, .. } => {
            warnings.extend(switch_words::unknown_of_namespace(new));
            let change = (request.operation, new, old.as_ref());
            namespace_relabel::judge(name, change, settings, cluster, &mut warnings)
        }
        RequestObject::Workload { name, terminating } => {
            workload_objects::judge(request, name, *terminating, settings, &mut warnings)
        }
    };
    Verdict {
        rejection: ruling.err(),
        warnings,
    }
}

/// What a Pod and a Pod template are judged by alike.
fn judge_pod<C: Cluster>(
    request: &Request<'_>,
    subject: PodOrTemplate<'_>,
    new: &PodFacts<'_>,
    old: Option<&PodFacts<'_>>,
    settings: &Settings<'_>,
    cluster: &C,
    warnings: &mut Vec<Objection>,
) -> Ruling {
    warnings.extend(workload_label::idle_annotation(subject, new, settings));
    warnings.extend(switch_words::unknown(subject, new));
    workload_name::judge(subject, new, old, settings, warnings)?;
    mesh_rule::judge(request, subject, new, old, settings, cluster, warnings)
}

/// Nothing can be done to a Pod any more, or nothing is done to it that a rule looks at (A4, A15).
/// A Pod cannot be created terminating or finished; in an audit it can be found so.
fn is_settled(request: &Request<'_>, pod: &PodFacts<'_>) -> bool {
    match request.operation {
        Operation::Create => request.user.is_none() && (pod.terminating || pod.finished),
        _ => pod.terminating || request.unchanged,
    }
}

/// How a message calls what is judged.
#[derive(Debug, Clone, Copy)]
enum PodOrTemplate<'s> {
    Pod,
    Template(TemplateKind, &'s str),
}

impl fmt::Display for PodOrTemplate<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pod => formatter.write_str("pod"),
            Self::Template(kind, name) => {
                write!(
                    formatter,
                    "pod template of {} {}",
                    kind.name(),
                    Quoted(name)
                )
            }
        }
    }
}

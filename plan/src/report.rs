//! The plan as it is printed: a stable schema, described in `docs/plan.md`.
//!
//! Lists are sorted: namespaces, workloads and Pods by their names, findings by severity. What is
//! absent is left out.

use serde::Serialize;

use super::{
    finding::Severity,
    read::{Fault, Place},
    why::Walk,
};

/// The whole plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The version of this schema: 1.
    pub schema: u32,
    /// How much there is.
    pub summary: Summary,
    /// Whether `run` in mode `auto` would write Workloads: `manage`, or `observe` where a control
    /// plane manages them itself.
    pub mode: &'static str,
    /// The Namespaces that have something in a mesh, or declare one.
    pub namespaces: Vec<NamespaceReport>,
    /// The Workloads that exist or should.
    pub workloads: Vec<WorkloadReport>,
    /// Pods, Pod templates, and Dataplanes whose Pod was not read.
    pub pods: Vec<PodReport>,
    /// What was read in Universal's form, if anything was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub universal: Option<UniversalReport>,
    /// What there is to say.
    pub findings: Vec<FindingReport>,
    /// What could not be read, and is left out of the rest.
    pub faults: Vec<Fault>,
    /// The kinds of the objects that do not matter here.
    pub skipped_kinds: Vec<SkippedKind>,
}

/// A kind that does not matter here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SkippedKind {
    /// Its apiVersion; none in Kuma's own form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_version: Option<String>,
    /// The kind, or the type in Kuma's own form; none of documents that do not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// How many objects there are of it.
    pub count: usize,
}

/// How much there is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Objects that were read.
    pub objects: usize,
    /// Objects that do not matter here.
    pub skipped: usize,
    /// Files of folders that have nothing to do with Kubernetes or Kuma.
    pub passed_over: usize,
    /// Findings of severity `error`.
    pub errors: usize,
    /// Findings of severity `warning`.
    pub warnings: usize,
    /// Findings of severity `note`.
    pub notes: usize,
    /// Documents, objects or settings that could not be read.
    pub faults: usize,
}

/// A Namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct NamespaceReport {
    /// Its name.
    pub name: String,
    /// The mesh that it declares, and by what; none where nothing is declared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub declared: Option<Sourced>,
    /// Whether it injects Pods that do not say otherwise.
    pub injects: bool,
    /// The meshes that have something in it.
    pub meshes: Vec<MeshCount>,
    /// Whether these are several.
    pub split: bool,
    /// What would have to move, so that one mesh is left.
    pub moves: Vec<Move>,
}

/// A name, and where it came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Sourced {
    /// The name.
    pub name: String,
    /// Where it came from.
    pub source: String,
}

/// What a mesh has in a Namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct MeshCount {
    /// The mesh.
    pub mesh: String,
    /// Its Pods that have not finished.
    pub pods: usize,
    /// Its Dataplanes.
    pub dataplanes: usize,
    /// Its Pod templates that count because neither Pods nor Dataplanes of theirs were read.
    pub templates: usize,
}

/// Something that would have to move to another namespace or mesh: what people change, such as the
/// Deployment of the Pods.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Move {
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// The mesh that it is in.
    pub mesh: String,
    /// How many Pods of it there are in that mesh; 0 of a template whose Pods are yet to come.
    pub pods: usize,
}

/// A Workload that exists or should.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct WorkloadReport {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// What `run` would do: `create`, `keep`, `relabel`, `delete`, `conflict` (several meshes, none
    /// is made), `orphan` (several meshes, the one that exists stays as it is), `foreign` (somebody
    /// else manages it), `leave` (nothing refers to it, and it is not ours), `bad-name` (no object
    /// can have the name).
    pub action: &'static str,
    /// Whether that is left to the control plane (see the report's `mode`).
    pub withheld: bool,
    /// The meshes of those that refer to it.
    pub meshes: Vec<ReferenceCount>,
    /// Who manages the one that exists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub managed_by: Option<String>,
    /// Where it stands, if it was read from a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// Those of one mesh that refer to a Workload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ReferenceCount {
    /// The mesh.
    pub mesh: String,
    /// Dataplanes that are there.
    pub dataplanes: usize,
    /// Pods and templates whose Dataplanes are to come.
    pub coming: usize,
}

/// A Pod, a Pod template, or a Dataplane whose Pod was not read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct PodReport {
    /// Its kind.
    pub kind: &'static str,
    /// Its namespace.
    pub namespace: String,
    /// Its name; `web-*` where the API server will make it from `generateName`.
    pub name: String,
    /// Whether it is or will be in a mesh.
    pub meshed: bool,
    /// Why, or why not.
    pub reason: String,
    /// Whether its Pods have all ended: then it does not count.
    pub finished: bool,
    /// Its mesh: `pod-label`, `pod-annotation`, `namespace-label`, `namespace-annotation`,
    /// `default`, or `dataplane` where its Pod was not read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mesh: Option<Sourced>,
    /// Its workload as it is computed today: `label KEY`, `spec.serviceAccountName`,
    /// `the default ServiceAccount`, `annotation kuma.io/workload`; or `dataplane`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workload: Option<Sourced>,
    /// Its Dataplane, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dataplane: Option<DataplaneReport>,
    /// What admission would say; none of Dataplanes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub admission: Option<AdmissionReport>,
    /// Its identity, if a MeshIdentity selects it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<IdentityReport>,
    /// The walk through the rules that led to all that, if it was asked for.
    #[serde(skip_serializing_if = "Walk::is_empty")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<crate::why::StepReport>"))]
    pub why: Walk,
    /// Where it stands, if it was read from a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// The Dataplane of a Pod.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct DataplaneReport {
    /// Its mesh.
    pub mesh: String,
    /// Its identifier as it is stored, if one is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workload: Option<String>,
}

/// What admission would say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct AdmissionReport {
    /// `accepted`; `rejected`; or `pods-rejected`, of a template that is let in and whose Pods are
    /// not.
    pub verdict: &'static str,
    /// Why it is rejected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rejection: Option<ObjectionReport>,
    /// What it warns of.
    pub warnings: Vec<ObjectionReport>,
}

/// What a rule has against an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ObjectionReport {
    /// The rule, as `docs/messages.md` names it.
    pub rule: &'static str,
    /// Its sentence.
    pub message: String,
}

/// The identity of a proxy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct IdentityReport {
    /// The MeshIdentity.
    pub mesh_identity: String,
    /// The SPIFFE ID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spiffe_id: Option<String>,
    /// Why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

/// What was read in Universal's form.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct UniversalReport {
    /// The Dataplanes.
    pub dataplanes: Vec<UniversalDataplaneReport>,
    /// The Workloads that exist or should.
    pub workloads: Vec<UniversalWorkloadReport>,
}

/// A Dataplane of Universal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct UniversalDataplaneReport {
    /// Its mesh.
    pub mesh: String,
    /// Its name.
    pub name: String,
    /// Its workload: `label` or `tag`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workload: Option<Sourced>,
    /// Its identity, if a MeshIdentity selects it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<IdentityReport>,
    /// Where it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// A Workload of Universal that exists or should.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct UniversalWorkloadReport {
    /// Its mesh.
    pub mesh: String,
    /// Its name.
    pub name: String,
    /// What there is to do: `create`, `keep`, `relabel`, `delete`, `foreign`, `leave`, `bad-name`.
    pub action: &'static str,
    /// How many Dataplanes refer to it.
    pub dataplanes: usize,
    /// Who manages the one that exists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub managed_by: Option<String>,
}

/// Something that the plan has to say. What has one cause is said once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct FindingReport {
    /// `error`, `warning` or `note`.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub severity: Severity,
    /// What it is about; `docs/plan.md` lists the codes.
    pub code: &'static str,
    /// What is found.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
    /// In how many Pods, templates or other objects it is found; 1 where it is about none.
    pub count: usize,
    /// The first of the objects that people change, three at most; none where it is about none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub objects: Vec<ObjectReport>,
    /// Where it stands, if it was read from a file; of several places, the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// An object that a finding is about: what people change, such as the Deployment of Pods.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ObjectReport {
    /// Its kind.
    pub kind: String,
    /// Its namespace, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// On Universal, its mesh, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mesh: Option<String>,
    /// Its name.
    pub name: String,
    /// In how many it is found: the object itself, and those that it controls.
    pub count: usize,
    /// Where it stands, if it was read from a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

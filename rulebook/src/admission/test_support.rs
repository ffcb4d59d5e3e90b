//! Builders for requests and a cluster that is a table, for the tests of the rules.

use std::{borrow::Cow, cell::RefCell};

use super::{
    Cluster, ClusterAnswer, ClusterFailure, DataplaneFacts, Freshness, ListQuestion, MeshSelector,
    Operation, Request, RequestObject, RequestUser, Settings, TemplateKind, Verdict, judge, scope,
};
use crate::{
    keys,
    metadata::{Labels, Metadata, PodFacts, Text},
};

pub(super) type Entries<'e> = &'e [(&'static str, &'static str)];

fn labels(entries: Entries<'_>) -> Labels<'static> {
    entries.iter().copied().collect()
}

pub(super) fn message(verdict: &Verdict) -> Option<&str> {
    verdict
        .rejection
        .as_ref()
        .map(|objection| &*objection.message)
}

pub(super) fn code(verdict: &Verdict) -> Option<u16> {
    verdict.rejection.as_ref().map(|objection| objection.code())
}

pub(super) fn warnings(verdict: &Verdict) -> Vec<&str> {
    verdict
        .warnings
        .iter()
        .map(|objection| &*objection.message)
        .collect()
}

fn run(request: &Request<'_>, settings: &str, world: &FakeCluster) -> Verdict {
    let settings = Settings::read(serde_json::from_str(settings).unwrap()).unwrap();
    judge(request, &settings, world)
}

/// A Pod `web-0` in Namespace `team`, asked for by somebody.
#[derive(Clone)]
pub(super) struct PodRequest {
    operation: Operation,
    namespace: &'static str,
    pub(super) user: Option<RequestUser<'static>>,
    pub(super) unchanged: bool,
    pub(super) new: PodFacts<'static>,
    old: Option<PodFacts<'static>>,
    settings: String,
}

impl PodRequest {
    pub(super) fn new(operation: Operation) -> Self {
        Self {
            operation,
            namespace: "team",
            user: Some(user("jane", &[])),
            unchanged: false,
            new: PodFacts {
                name: "web-0".into(),
                ..PodFacts::default()
            },
            old: None,
            settings: "{}".to_owned(),
        }
    }

    pub(super) fn name(mut self, name: &'static str) -> Self {
        self.new.name = name.into();
        self
    }

    pub(super) fn namespace(mut self, namespace: &'static str) -> Self {
        self.namespace = namespace;
        self
    }

    pub(super) fn labels(mut self, entries: Entries<'_>) -> Self {
        self.new.metadata.labels = labels(entries);
        self
    }

    pub(super) fn annotations(mut self, entries: Entries<'_>) -> Self {
        self.new.metadata.annotations = labels(entries);
        self
    }

    pub(super) fn was(mut self, entries: Entries<'_>) -> Self {
        let mut old = self.new.clone();
        old.metadata.labels = labels(entries);
        self.old = Some(old);
        self
    }

    pub(super) fn settings(mut self, settings: &str) -> Self {
        settings.clone_into(&mut self.settings);
        self
    }

    pub(super) fn judge(self, world: &FakeCluster) -> Verdict {
        let request = Request {
            operation: self.operation,
            namespace: self.namespace.into(),
            user: self.user,
            unchanged: self.unchanged,
            object: RequestObject::Pod {
                new: self.new,
                old: self.old,
            },
        };
        run(&request, &self.settings, world)
    }
}

/// An object named `web` with a Pod template, in Namespace `team`.
#[derive(Clone)]
pub(super) struct TemplateRequest {
    kind: TemplateKind,
    owned: bool,
    new: PodFacts<'static>,
    old: Option<PodFacts<'static>>,
    settings: String,
}

impl TemplateRequest {
    pub(super) fn new(kind: &str) -> Self {
        let kind = ["apps", "", "batch"]
            .iter()
            .find_map(|group| TemplateKind::of(group, kind))
            .unwrap();
        Self {
            kind,
            owned: false,
            new: PodFacts::default(),
            old: None,
            settings: "{}".to_owned(),
        }
    }

    pub(super) fn labels(mut self, entries: Entries<'_>) -> Self {
        self.new.metadata.labels = labels(entries);
        self
    }

    pub(super) fn annotations(mut self, entries: Entries<'_>) -> Self {
        self.new.metadata.annotations = labels(entries);
        self
    }

    pub(super) fn was(mut self, entries: Entries<'_>) -> Self {
        let mut old = self.new.clone();
        old.metadata.labels = labels(entries);
        self.old = Some(old);
        self
    }

    pub(super) fn owned(mut self) -> Self {
        self.owned = true;
        self
    }

    pub(super) fn settings(mut self, settings: &str) -> Self {
        settings.clone_into(&mut self.settings);
        self
    }

    pub(super) fn judge(self, world: &FakeCluster) -> Verdict {
        let request = Request {
            operation: if self.old.is_some() {
                Operation::Update
            } else {
                Operation::Create
            },
            namespace: "team".into(),
            user: Some(user("jane", &[])),
            unchanged: false,
            object: RequestObject::Template {
                kind: self.kind,
                name: "web".into(),
                owner_is_judged: self.owned,
                new: self.new,
                old: self.old,
            },
        };
        run(&request, &self.settings, world)
    }
}

/// The Namespace `team`; created, unless it was something before.
#[derive(Clone)]
pub(super) struct NamespaceRequest {
    operation: Operation,
    name: &'static str,
    terminating: bool,
    new: Metadata<'static>,
    old: Option<Metadata<'static>>,
    settings: String,
}

impl NamespaceRequest {
    pub(super) fn new(entries: Entries<'_>) -> Self {
        Self {
            operation: Operation::Create,
            name: "team",
            terminating: false,
            new: Metadata {
                labels: labels(entries),
                ..Metadata::default()
            },
            old: None,
            settings: r#"{"disallowMultipleMeshesPerNamespace":true}"#.to_owned(),
        }
    }

    pub(super) fn named(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }

    pub(super) fn annotated(mut self, mesh: &'static str) -> Self {
        self.new.annotations = labels(&[(keys::MESH, mesh)]);
        self
    }

    pub(super) fn updated(mut self) -> Self {
        self.operation = Operation::Update;
        self
    }

    pub(super) fn was(mut self, entries: Entries<'_>) -> Self {
        self.old = Some(Metadata {
            labels: labels(entries),
            ..Metadata::default()
        });
        self.updated()
    }

    pub(super) fn terminating(mut self) -> Self {
        self.terminating = true;
        self
    }

    pub(super) fn settings(mut self, settings: &str) -> Self {
        settings.clone_into(&mut self.settings);
        self
    }

    pub(super) fn judge(self, world: &FakeCluster) -> Verdict {
        let request = Request {
            operation: self.operation,
            namespace: "".into(),
            user: Some(user("jane", &[])),
            unchanged: false,
            object: RequestObject::Namespace {
                name: self.name.into(),
                terminating: self.terminating,
                new: self.new,
                old: self.old,
            },
        };
        run(&request, &self.settings, world)
    }
}

/// The Workload `web` in Namespace `team`.
#[derive(Clone)]
pub(super) struct WorkloadRequest {
    operation: Operation,
    user: Option<RequestUser<'static>>,
    unchanged: bool,
    terminating: bool,
}

impl WorkloadRequest {
    pub(super) fn new(operation: Operation) -> Self {
        Self {
            operation,
            user: None,
            unchanged: false,
            terminating: false,
        }
    }

    pub(super) fn by(mut self, name: &str, groups: &[&'static str]) -> Self {
        self.user = Some(user(name, groups));
        self
    }

    pub(super) fn unchanged(mut self) -> Self {
        self.unchanged = true;
        self
    }

    pub(super) fn terminating(mut self) -> Self {
        self.terminating = true;
        self
    }

    pub(super) fn judge(self, settings: &str) -> Verdict {
        let request = Request {
            operation: self.operation,
            namespace: "team".into(),
            user: self.user,
            unchanged: self.unchanged,
            object: RequestObject::Workload {
                name: "web".into(),
                terminating: self.terminating,
            },
        };
        run(&request, settings, &FakeCluster::forbidden())
    }
}

fn user(name: &str, groups: &[&'static str]) -> RequestUser<'static> {
    RequestUser {
        name: Text(Cow::Owned(name.to_owned())),
        groups: groups.iter().map(|group| Text::from(*group)).collect(),
    }
}

/// A cluster with the meshes `default`, `mesh1`, `mesh2` and `mesh3`, and one Namespace. It counts
/// what it is asked, and answers lists as label selectors would.
#[derive(Default)]
pub(super) struct FakeCluster {
    namespace: Metadata<'static>,
    dataplanes: Vec<(DataplaneFacts, Option<&'static str>)>,
    pods: Vec<PodFacts<'static>>,
    failure: Option<ClusterFailure>,
    is_forbidden: bool,
    asked: RefCell<Vec<String>>,
}

impl FakeCluster {
    pub(super) fn new(namespace_labels: Entries<'_>) -> Self {
        Self {
            namespace: Metadata {
                labels: labels(namespace_labels),
                ..Metadata::default()
            },
            ..Self::default()
        }
    }

    /// A cluster that must not be asked.
    pub(super) fn forbidden() -> Self {
        Self {
            is_forbidden: true,
            ..Self::default()
        }
    }

    /// A cluster that fails every question in this way.
    pub(super) fn failing(failure: ClusterFailure) -> Self {
        Self {
            failure: Some(failure),
            ..Self::default()
        }
    }

    pub(super) fn dataplane(
        mut self,
        name: &'static str,
        field: Option<&'static str>,
        label: Option<&'static str>,
    ) -> Self {
        let dataplane = DataplaneFacts {
            name: name.into(),
            mesh: field.map(Text::from),
        };
        self.dataplanes.push((dataplane, label));
        self
    }

    pub(super) fn pod(mut self, name: &'static str, entries: Entries<'_>, finished: bool) -> Self {
        self.pods.push(PodFacts {
            name: name.into(),
            metadata: Metadata {
                labels: labels(entries),
                ..Metadata::default()
            },
            finished,
            ..PodFacts::default()
        });
        self
    }

    pub(super) fn questions(&self) -> usize {
        self.asked.borrow().len()
    }

    pub(super) fn lists(&self) -> usize {
        self.asked
            .borrow()
            .iter()
            .filter(|question| question.starts_with("list"))
            .count()
    }

    pub(super) fn asked_afresh(&self) -> bool {
        self.asked
            .borrow()
            .iter()
            .all(|question| question.ends_with("Fresh"))
    }

    pub(super) fn asked_without_selector(&self) -> bool {
        let asked = self.asked.borrow();
        let mut lists = asked.iter().filter(|question| question.starts_with("list"));
        lists.all(|question| question.ends_with("Any"))
    }

    fn ask<T>(&self, question: String, answer: T) -> ClusterAnswer<T> {
        assert!(
            !self.is_forbidden,
            "asked although nothing needs asking: {question}"
        );
        self.asked.borrow_mut().push(question);
        self.failure.map_or(Ok(answer), Err)
    }
}

fn selects(selector: MeshSelector<'_>, label: Option<&str>) -> bool {
    match selector {
        MeshSelector::Any => true,
        MeshSelector::NotOfMesh(mesh) => label != Some(mesh),
        MeshSelector::OfMesh(mesh) => label == Some(mesh),
    }
}

impl Cluster for FakeCluster {
    fn namespace(&self, name: &str, freshness: Freshness) -> ClusterAnswer<Metadata<'static>> {
        self.ask(
            format!("get Namespace {name} {freshness:?}"),
            self.namespace.clone(),
        )
    }

    fn mesh_exists(&self, name: &str) -> ClusterAnswer<bool> {
        let exists = ["default", "mesh1", "mesh2", "mesh3"].contains(&name);
        self.ask(format!("get Mesh {name}"), exists)
    }

    fn dataplanes(&self, question: ListQuestion<'_>) -> ClusterAnswer<Vec<DataplaneFacts>> {
        let selected = self
            .dataplanes
            .iter()
            .filter(|(_, label)| selects(question.selector, *label));
        let answer = selected.map(|(dataplane, _)| dataplane.clone()).collect();
        self.ask(format!("list Dataplane {:?}", question.selector), answer)
    }

    fn pods(&self, question: ListQuestion<'_>) -> ClusterAnswer<Vec<PodFacts<'static>>> {
        let selected = self.pods.iter().filter(|pod| {
            let label = pod.metadata.labels.get(keys::MESH);
            label.is_some() && selects(question.selector, label)
        });
        let answer = selected.cloned().collect();
        self.ask(format!("list Pod {:?}", question.selector), answer)
    }
}

mod tests {
    use super::super::JudgedKind;
    use super::*;
    use rstest::rstest;

    const ON: &str = r#"{"disallowMultipleMeshesPerNamespace":true}"#;

    #[rstest]
    #[case::create_pod(("", "Pod", "CREATE", ""), true)]
    #[case::update_pod(("", "Pod", "UPDATE", ""), true)]
    #[case::delete_pod(("", "Pod", "DELETE", ""), false)]
    #[case::connect_pod(("", "Pod", "CONNECT", "exec"), false)]
    #[case::unknown_operation(("", "Pod", "PATCH", ""), false)]
    #[case::pod_status(("", "Pod", "UPDATE", "status"), false)]
    #[case::ephemeral_containers(("", "Pod", "UPDATE", "ephemeralcontainers"), false)]
    #[case::resize(("", "Pod", "UPDATE", "resize"), false)]
    #[case::binding(("", "Pod", "CREATE", "binding"), false)]
    #[case::eviction(("", "Pod", "CREATE", "eviction"), false)]
    #[case::scale(("apps", "Deployment", "UPDATE", "scale"), false)]
    #[case::namespace_finalize(("", "Namespace", "UPDATE", "finalize"), false)]
    #[case::deployment(("apps", "Deployment", "UPDATE", ""), true)]
    #[case::delete_deployment(("apps", "Deployment", "DELETE", ""), false)]
    #[case::workload(("kuma.io", "Workload", "CREATE", ""), true)]
    #[case::delete_workload(("kuma.io", "Workload", "DELETE", ""), true)]
    #[case::workload_status(("kuma.io", "Workload", "UPDATE", "status"), true)]
    #[case::workload_scale(("kuma.io", "Workload", "UPDATE", "scale"), false)]
    fn a0_what_is_judged_at_all(
        #[case] (group, kind, operation, sub_resource): (&str, &str, &str, &str),
        #[case] judged: bool,
    ) {
        assert_eq!(
            scope(group, kind, operation, sub_resource).is_some(),
            judged
        );
    }

    #[rstest]
    #[case::core("", "ConfigMap")]
    #[case::a_pod_of_another_group("example.com", "Pod")]
    #[case::a_deployment_of_another_group("extensions", "Deployment")]
    #[case::a_workload_of_another_group("example.com", "Workload")]
    #[case::pod_template("", "PodTemplate")]
    fn a14_unknown_kinds_are_accepted(#[case] group: &str, #[case] kind: &str) {
        assert_eq!(scope(group, kind, "CREATE", ""), None);
    }

    #[test]
    fn a14_known_kinds_are_told_apart() {
        let kind = |group, kind| scope(group, kind, "CREATE", "").map(|(kind, _)| kind);
        assert_eq!(kind("", "Pod"), Some(JudgedKind::Pod));
        assert_eq!(kind("", "Namespace"), Some(JudgedKind::Namespace));
        assert_eq!(
            kind("batch", "Job"),
            Some(JudgedKind::Template(TemplateKind::Job))
        );
    }

    #[test]
    fn a4_a_pod_that_is_being_deleted_is_accepted_on_update() {
        let mut request = PodRequest::new(Operation::Update)
            .labels(&[(keys::WORKLOAD, "forged")])
            .settings(ON);
        request.new.terminating = true;
        assert_eq!(message(&request.judge(&FakeCluster::forbidden())), None);
    }

    #[test]
    fn a4_an_update_that_changes_nothing_is_accepted() {
        let mut request = PodRequest::new(Operation::Update)
            .labels(&[(keys::WORKLOAD, "forged")])
            .settings(ON);
        request.unchanged = true;
        assert_eq!(
            message(&request.clone().judge(&FakeCluster::forbidden())),
            None
        );
        request.unchanged = false;
        assert_eq!(code(&request.judge(&FakeCluster::forbidden())), Some(403));
    }

    #[rstest]
    #[case::terminating(|pod: &mut PodFacts<'static>| pod.terminating = true, true)]
    #[case::finished(|pod: &mut PodFacts<'static>| pod.finished = true, true)]
    #[case::running(|_: &mut PodFacts<'static>| {}, false)]
    fn a15_an_audit_passes_over_what_is_going(
        #[case] edit: fn(&mut PodFacts<'static>),
        #[case] accepted: bool,
    ) {
        let mut request = PodRequest::new(Operation::Create).labels(&[(keys::WORKLOAD, "forged")]);
        edit(&mut request.new);
        let by_somebody = request.clone().judge(&FakeCluster::forbidden());
        assert_eq!(
            code(&by_somebody),
            Some(403),
            "nobody can create a Pod in such a state"
        );
        request.user = None;
        assert_eq!(
            message(&request.judge(&FakeCluster::forbidden())).is_none(),
            accepted
        );
    }

    #[test]
    fn a15_an_audited_pod_is_not_in_conflict_with_its_own_dataplane() {
        let world = FakeCluster::new(&[]).dataplane("web-0", Some("mesh2"), Some("mesh2"));
        let mut request = PodRequest::new(Operation::Create)
            .labels(&[(keys::MESH, "mesh1")])
            .settings(ON);
        request.user = None;
        assert_eq!(message(&request.judge(&world)), None);
    }

    #[test]
    fn w6_the_workloads_name_is_the_identifier_to_the_letter() {
        let request = PodRequest::new(Operation::Create)
            .labels(&[("app", "Back.End_1")])
            .annotations(&[(keys::WORKLOAD, "x")])
            .settings(r#"{"workloadLabels":["app"]}"#);
        let verdict = request.judge(&FakeCluster::forbidden());
        assert!(warnings(&verdict)[0].contains("\"Back.End_1\""));
    }
}

//! A mesh can be closed to all but certain Namespaces (A20).

use std::fmt;

use super::{
    settings::Settings,
    stop::Stop,
    verdict::{Objection, Rule},
};
use crate::{
    mesh::{MeshSource, ResolvedMesh},
    metadata::Text,
    quoted::Quoted,
};

/// Rejects a Pod or Pod template that joins a mesh, if its Namespace may not join that mesh.
pub(super) fn check_member(
    subject: impl fmt::Display,
    mesh: ResolvedMesh<'_>,
    namespace: &str,
    settings: &Settings<'_>,
) -> Result<(), Stop> {
    let Some(patterns) = settings.mesh_namespaces.closed_to(mesh.name, namespace) else {
        return Ok(());
    };
    let mesh = Quoted(mesh.name);
    Err(closed(format_args!(
        "{subject} is in mesh {mesh}, which namespace {} may not join; mesh {mesh} is for {}",
        Quoted(namespace),
        Told(patterns),
    )))
}

/// Rejects a Namespace that begins to name a mesh, if it may not join that mesh. A Namespace that
/// names none declares nothing, although its Pods are in the mesh `default`.
pub(super) fn check_declaration(
    namespace: &str,
    mesh: ResolvedMesh<'_>,
    before: Option<ResolvedMesh<'_>>,
    settings: &Settings<'_>,
) -> Result<(), Stop> {
    let names_one = |mesh: &ResolvedMesh<'_>| mesh.source != MeshSource::Default;
    let before = before.filter(names_one);
    if !names_one(&mesh) || before.is_some_and(|before| before.name == mesh.name) {
        return Ok(());
    }
    let Some(patterns) = settings.mesh_namespaces.closed_to(mesh.name, namespace) else {
        return Ok(());
    };
    let mesh = Quoted(mesh.name);
    Err(closed(format_args!(
        "namespace {} names mesh {mesh}, which it may not join; mesh {mesh} is for {}",
        Quoted(namespace),
        Told(patterns),
    )))
}

fn closed(sentence: fmt::Arguments<'_>) -> Stop {
    Stop::Reject(Objection::new(Rule::ClosedMesh, sentence.to_string()))
}

/// The Namespaces that a mesh is for, as a message tells them: a few, and how many more there are.
/// They need no quotes, since the settings allow only letters, digits, `-` and `*` in them.
struct Told<'p>(&'p [Text<'p>]);

/// So many patterns are told.
const TOLD: usize = 5;

impl fmt::Display for Told<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return formatter.write_str("no namespace");
        }
        formatter.write_str("namespaces")?;
        for (number, pattern) in self.0.iter().take(TOLD).enumerate() {
            formatter.write_str(if number == 0 { " " } else { ", " })?;
            formatter.write_str(pattern)?;
        }
        match self.0.len().saturating_sub(TOLD) {
            0 => Ok(()),
            more => write!(formatter, " and {more} more"),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::admission::{cluster::ClusterFailure, request::Operation, test_support::*};
    use rstest::rstest;

    /// `mesh1` is for some, `mesh2` is closed, `mesh3` is open.
    const CLOSED: &str = r#"{"meshNamespaces":{"mesh1":["payments","payments-*"],"mesh2":[]}}"#;
    const SENTENCE: &str = "pod is in mesh \"mesh1\", which namespace \"team\" may not join; \
        mesh \"mesh1\" is for namespaces payments, payments-*";

    fn pod(operation: Operation, mesh: &'static str) -> PodRequest {
        PodRequest::new(operation).in_mesh(mesh).settings(CLOSED)
    }

    #[rstest]
    #[case::of_another_namespace("mesh1", "team", Some(SENTENCE))]
    #[case::by_name("mesh1", "payments", None)]
    #[case::by_its_beginning("mesh1", "payments-eu", None)]
    #[case::closed_to_all(
        "mesh2",
        "payments",
        Some(
            "pod is in mesh \"mesh2\", which namespace \
        \"payments\" may not join; mesh \"mesh2\" is for no namespace"
        )
    )]
    #[case::an_open_mesh("mesh3", "team", None)]
    #[case::a_name_that_no_mesh_can_have("Mesh1", "team", None)]
    #[case::a_system_namespace("mesh1", "kuma-system", None)]
    #[case::kube_system("mesh2", "kube-system", None)]
    fn a20_who_may_join_is_known_without_a_question(
        #[case] mesh: &'static str,
        #[case] namespace: &'static str,
        #[case] rejection: Option<&str>,
    ) {
        let request = pod(Operation::Create, mesh).namespace(namespace);
        let verdict = request.judge(&FakeCluster::untouched());
        assert_eq!(message(&verdict), rejection);
        assert_eq!(code(&verdict), rejection.map(|_| 403));
    }

    #[rstest]
    #[case::five(5, "namespaces a0, a1, a2, a3, a4")]
    #[case::six(6, "namespaces a0, a1, a2, a3, a4 and 1 more")]
    #[case::many(256, "namespaces a0, a1, a2, a3, a4 and 251 more")]
    fn a20_five_patterns_are_told_at_most(#[case] patterns: usize, #[case] told: &str) {
        let patterns: Vec<String> = (0..patterns)
            .map(|number| format!("\"a{number}\""))
            .collect();
        let settings = format!(
            r#"{{"meshNamespaces":{{"mesh1":[{}]}}}}"#,
            patterns.join(",")
        );
        let verdict = pod(Operation::Create, "mesh1")
            .settings(&settings)
            .judge(&FakeCluster::untouched());
        assert!(message(&verdict).unwrap().ends_with(told), "{verdict:?}");
    }

    /// The Namespace says the mesh, or whether the Pod is in one.
    #[rstest]
    #[case::it_names_the_mesh(&[("kuma.io/sidecar-injection", "enabled"), ("kuma.io/mesh", "mesh1")], true)]
    #[case::it_names_an_open_mesh(&[("kuma.io/sidecar-injection", "enabled"), ("kuma.io/mesh", "mesh3")], false)]
    #[case::it_does_not_inject(&[("kuma.io/sidecar-injection", "disabled"), ("kuma.io/mesh", "mesh1")], false)]
    fn a20_the_namespace_is_asked_where_it_decides(
        #[case] namespace: &[(&'static str, &'static str)],
        #[case] rejected: bool,
    ) {
        let cluster = FakeCluster::new(namespace);
        let request = PodRequest::new(Operation::Create).settings(CLOSED);
        let verdict = request.judge(&cluster);
        assert_eq!(message(&verdict), rejected.then_some(SENTENCE));
        assert_eq!((cluster.questions(), cluster.lists()), (1, 0));
    }

    /// Whatever the Namespace says, these cannot be rejected.
    #[rstest]
    #[case::every_mesh_is_open_to_the_namespace(PodRequest::new(Operation::Create).namespace("payments"))]
    #[case::an_open_mesh_by_annotation(PodRequest::new(Operation::Create).annotations(&[("kuma.io/mesh", "mesh3")]))]
    fn a20_the_namespace_is_not_asked_where_nothing_is_closed(#[case] request: PodRequest) {
        let verdict = request
            .settings(r#"{"meshNamespaces":{"mesh1":["payments"]}}"#)
            .judge(&FakeCluster::untouched());
        assert_eq!(message(&verdict), None);
    }

    #[test]
    fn a20_default_can_be_closed_to_who_names_none() {
        let cluster = FakeCluster::new(&[("kuma.io/sidecar-injection", "enabled")]);
        let verdict = PodRequest::new(Operation::Create)
            .settings(r#"{"meshNamespaces":{"default":["shop"]}}"#)
            .judge(&cluster);
        let sentence = "pod is in mesh \"default\", which namespace \"team\" may not join; \
                        mesh \"default\" is for namespaces shop";
        assert_eq!(message(&verdict), Some(sentence));
    }

    #[rstest]
    #[case::it_changes_its_mesh(&[("kuma.io/mesh", "mesh3")], true)]
    #[case::it_becomes_meshed(&[("kuma.io/mesh", "mesh1"), ("kuma.io/sidecar-injection", "no")], true)]
    #[case::it_was_in_the_mesh(&[("kuma.io/mesh", "mesh1"), ("app", "a")], false)]
    fn a20_an_update_is_judged_where_it_joins(
        #[case] old: &[(&'static str, &'static str)],
        #[case] rejected: bool,
        #[values("all", "membership")] updates: &str,
    ) {
        let settings = format!(r#"{{"updates":"{updates}",{}"#, &CLOSED[1..]);
        let request = pod(Operation::Update, "mesh1").was(old).settings(&settings);
        let verdict = request.judge(&FakeCluster::untouched());
        assert_eq!(message(&verdict), rejected.then_some(SENTENCE));
    }

    #[rstest]
    #[case::off("false", "observed", 0)]
    #[case::observed("true", "observed", 0)]
    #[case::declared("true", "declared", 0)]
    fn a20_comes_before_the_mesh_rule_asks(
        #[case] mesh_rule: &str,
        #[case] namespace_mesh: &str,
        #[case] questions: usize,
    ) {
        let settings = format!(
            r#"{{"disallowMultipleMeshesPerNamespace":{mesh_rule},
                "namespaceMesh":"{namespace_mesh}",{}"#,
            &CLOSED[1..]
        );
        let cluster = FakeCluster::new(&[]);
        let verdict = pod(Operation::Create, "mesh1")
            .settings(&settings)
            .judge(&cluster);
        assert_eq!(message(&verdict), Some(SENTENCE));
        assert_eq!(cluster.questions(), questions);
    }

    #[test]
    fn a20_the_mesh_rule_judges_what_may_join() {
        let cluster = FakeCluster::new(&[]).dataplane("a", Some("mesh3"), Some("mesh3"));
        let settings = format!(
            r#"{{"disallowMultipleMeshesPerNamespace":true,{}"#,
            &CLOSED[1..]
        );
        let request = pod(Operation::Create, "mesh1").namespace("payments");
        let verdict = request.settings(&settings).judge(&cluster);
        assert!(
            message(&verdict)
                .unwrap()
                .contains("already contains dataplanes")
        );
    }

    #[rstest]
    #[case::rule_off("false", "observed")]
    #[case::observed("true", "observed")]
    #[case::declared("true", "declared")]
    fn a20_a_template_is_rejected(#[case] mesh_rule: &str, #[case] namespace_mesh: &str) {
        let settings = format!(
            r#"{{"disallowMultipleMeshesPerNamespace":{mesh_rule},
                "namespaceMesh":"{namespace_mesh}",{}"#,
            &CLOSED[1..]
        );
        let request = TemplateRequest::new("Deployment")
            .labels(&[("kuma.io/mesh", "mesh1")])
            .settings(&settings);
        let verdict = request.clone().judge(&FakeCluster::untouched());
        let sentence = format!(
            "pod template of Deployment \"web\" {}",
            &SENTENCE["pod ".len()..]
        );
        assert_eq!(message(&verdict), Some(&*sentence));
        assert_eq!(code(&verdict), Some(403));
        let unchanged = request.was(&[("kuma.io/mesh", "mesh1")]);
        assert_eq!(message(&unchanged.judge(&FakeCluster::new(&[]))), None);
    }

    #[test]
    fn a20_a_failed_question_rejects_a_pod_and_warns_of_a_template() {
        let cluster = || FakeCluster::failing(ClusterFailure::NamespaceNotFound);
        let sentence = "the mesh rule cannot be checked: the namespace was not found";
        let pod = PodRequest::new(Operation::Create)
            .settings(CLOSED)
            .judge(&cluster());
        assert_eq!((message(&pod), code(&pod)), (Some(sentence), Some(500)));
        let template = TemplateRequest::new("Job")
            .settings(CLOSED)
            .judge(&cluster());
        assert_eq!(
            (message(&template), warnings(&template)),
            (None, vec![sentence])
        );
    }

    #[test]
    fn a9_warn_accepts_who_may_not_join() {
        let settings = format!(r#"{{"action":"warn",{}"#, &CLOSED[1..]);
        let verdict = pod(Operation::Create, "mesh1")
            .settings(&settings)
            .judge(&FakeCluster::untouched());
        assert_eq!(
            (message(&verdict), warnings(&verdict)),
            (None, vec![SENTENCE])
        );
    }

    const NAMESPACE: &str = "namespace \"team\" names mesh \"mesh1\", which it may not join; \
        mesh \"mesh1\" is for namespaces payments, payments-*";

    fn namespace(mesh: &'static str) -> NamespaceRequest {
        NamespaceRequest::new(&[]).labelled(mesh).settings(CLOSED)
    }

    #[rstest]
    #[case::created(namespace("mesh1"), Some(NAMESPACE))]
    #[case::labelled(namespace("mesh1").was(&[]), Some(NAMESPACE))]
    #[case::relabelled(namespace("mesh1").was(&[("kuma.io/mesh", "mesh3")]), Some(NAMESPACE))]
    #[case::annotated(NamespaceRequest::new(&[]).annotated("mesh1").settings(CLOSED), Some(NAMESPACE))]
    #[case::without_the_old_object(namespace("mesh1").updated(), Some(NAMESPACE))]
    #[case::it_named_it_before(namespace("mesh1").was(&[("kuma.io/mesh", "mesh1"), ("a", "b")]), None)]
    #[case::among_the_named(namespace("mesh1").named("payments-eu"), None)]
    #[case::an_open_mesh(namespace("mesh3"), None)]
    #[case::empty_label(namespace(""), None)]
    #[case::a_system_namespace(namespace("mesh1").named("kuma-system"), None)]
    #[case::on_its_way_out(namespace("mesh1").terminating(), None)]
    fn a20_a_namespace_that_names_a_mesh(
        #[case] request: NamespaceRequest,
        #[case] rejection: Option<&str>,
    ) {
        let verdict = request.judge(&FakeCluster::untouched());
        assert_eq!(message(&verdict), rejection);
        assert_eq!(code(&verdict), rejection.map(|_| 403));
    }

    #[rstest]
    #[case::says_nothing(NamespaceRequest::new(&[]), false)]
    #[case::says_nothing_any_more(NamespaceRequest::new(&[]).was(&[("kuma.io/mesh", "mesh3")]), false)]
    #[case::says_it(NamespaceRequest::new(&[("kuma.io/mesh", "default")]).was(&[]), true)]
    fn a20_a_namespace_that_says_nothing_declares_nothing(
        #[case] request: NamespaceRequest,
        #[case] rejected: bool,
    ) {
        let verdict = request
            .settings(r#"{"meshNamespaces":{"default":[]}}"#)
            .judge(&FakeCluster::untouched());
        assert_eq!(message(&verdict).is_some(), rejected);
    }
}

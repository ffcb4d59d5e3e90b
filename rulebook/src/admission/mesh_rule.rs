//! The rules on the mesh of a Pod: whom they judge, and in which order (A8, A9, A11, A19).

use super::{
    cluster::Cluster,
    declared_mesh,
    inquiry::Inquiry,
    joins::{self, Joins},
    mesh_name, mesh_namespaces, observed_mesh,
    pod_review::{PodOrTemplate, PodReview},
    settings::{NamespaceMesh, Updates},
    stop::Stop,
    verdict::{Objection, Ruling},
    witness::Step,
};
use crate::mesh;

/// Judges a Pod or a Pod template (A11).
pub(super) fn judge<C: Cluster>(inquiry: &Inquiry<'_, C>, warnings: &mut Vec<Objection>) -> Ruling {
    let Inquiry {
        settings, cluster, ..
    } = *inquiry;
    if !settings.judges_meshes() {
        cluster.step(Step::MeshesNotJudged);
        return Ok(());
    }
    if settings.is_system_namespace(inquiry.review.namespace) {
        cluster.step(Step::ExemptNamespace);
        return Ok(());
    }
    match check(inquiry) {
        Ok(()) => Ok(()),
        Err(stop) => stop.into_ruling(settings.action, warnings, cluster),
    }
}

fn check<C: Cluster>(inquiry: &Inquiry<'_, C>) -> Result<(), Stop> {
    let Inquiry {
        settings, cluster, ..
    } = *inquiry;
    let PodReview {
        subject, namespace, ..
    } = inquiry.review;
    let ends = |step| {
        cluster.step(step);
        Ok(())
    };
    let is_template = matches!(subject, PodOrTemplate::Template(..));
    let rejects_templates =
        settings.mesh_rule && settings.namespace_mesh == NamespaceMesh::Declared;
    let judges_every_update = settings.mesh_rule
        && !is_template
        && settings.namespace_mesh == NamespaceMesh::Observed
        && settings.updates == Updates::All;
    // Under `observed` a template is only warned about (A11), and where a question fails as well
    // (A20).
    let soften = |stop| match stop {
        Stop::Reject(objection) if is_template && !rejects_templates => {
            cluster.step(Step::TemplateOnlyWarned);
            Stop::Warn(objection)
        }
        stop => stop,
    };
    let by_itself = joins::by_itself(&inquiry.review, settings.mesh_annotations);
    if by_itself == Joins::No && !judges_every_update {
        return ends(Step::JoinsNothing);
    }
    // Nothing is asked where no mesh that the Pod can be in is closed to its Namespace (A20).
    let named = mesh::named_by_pod(&inquiry.review.new.metadata, settings.mesh_annotations);
    let named = named.map(|mesh| mesh.name);
    if !settings.mesh_rule && !settings.mesh_namespaces.may_close(named, namespace) {
        return ends(Step::NothingClosed);
    }
    let Some(mesh) = inquiry
        .mesh_of(inquiry.review.new)
        .map_err(|failure| soften(failure.into()))?
    else {
        return ends(Step::Unmeshed);
    };
    let is_closed = settings.mesh_namespaces.closed_to(mesh.name, namespace);
    if !settings.mesh_rule && is_closed.is_none() {
        return ends(Step::OnlyOpenMesh);
    }
    let joins = match by_itself {
        Joins::Yes => true,
        Joins::No => false,
        // Nothing is asked about a name that no Mesh can have (M4), so it counts as new.
        Joins::AskNamespace if mesh.is_named_by_pod() && !mesh::is_possible_name(mesh.name) => true,
        Joins::AskNamespace => inquiry
            .joins_in_namespace()
            .map_err(|failure| soften(failure.into()))?,
    };
    if !joins && !judges_every_update {
        return ends(Step::JoinsNothing);
    }
    cluster.step(match joins {
        true => Step::Joins,
        false => Step::EveryUpdate,
    });
    if settings.mesh_rule {
        mesh_name::check(subject, mesh)?;
        cluster.step(Step::PossibleMesh);
    }
    if joins {
        mesh_namespaces::check_member(subject, mesh, namespace, settings)?;
        cluster.step(Step::OpenMesh);
    }
    if !settings.mesh_rule {
        return Ok(());
    }
    match settings.namespace_mesh {
        NamespaceMesh::Observed => observed_mesh::judge(inquiry, mesh.name, joins).map_err(soften),
        NamespaceMesh::Declared => declared_mesh::judge(inquiry, mesh.name),
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        admission::{cluster::ClusterFailure, request::Operation, test_support::*},
        metadata::PodFacts,
    };
    use rstest::rstest;

    const ON: &str = r#"{"disallowMultipleMeshesPerNamespace":true}"#;
    const DECLARED: &str =
        r#"{"disallowMultipleMeshesPerNamespace":true,"namespaceMesh":"declared"}"#;

    #[rstest]
    #[case::unmeshed(&[("kuma.io/sidecar-injection", "disabled")], &[])]
    #[case::namespace_does_not_inject(&[], &[])]
    fn i2_only_meshed_pods_are_judged(
        #[case] labels: &[(&'static str, &'static str)],
        #[case] annotations: &[(&'static str, &'static str)],
    ) {
        let cluster = FakeCluster::new(&[]).dataplane("db-0", Some("mesh2"), Some("mesh2"));
        let request = PodRequest::new(Operation::Create)
            .labels(labels)
            .annotations(annotations)
            .settings(ON);
        assert_eq!(message(&request.judge(&cluster)), None);
        assert_eq!(cluster.lists(), 0);
    }

    #[rstest]
    #[case::ingress("kuma.io/ingress")]
    #[case::egress("kuma.io/egress")]
    fn i5_annotations_of_zone_proxies_exempt_nothing(#[case] key: &'static str) {
        let cluster = FakeCluster::new(&[]).dataplane("db-0", Some("mesh2"), Some("mesh2"));
        let request = PodRequest::new(Operation::Create)
            .labels(&[("kuma.io/mesh", "mesh1")])
            .annotations(&[(key, "enabled")])
            .settings(ON);
        assert_eq!(code(&request.judge(&cluster)), Some(403));
    }

    #[test]
    fn i1_a_namespace_that_injects_makes_its_pods_meshed() {
        let cluster = FakeCluster::new(&[
            ("kuma.io/sidecar-injection", "enabled"),
            ("kuma.io/mesh", "mesh1"),
        ])
        .dataplane("db-0", Some("mesh2"), Some("mesh2"));
        let verdict = PodRequest::new(Operation::Create)
            .settings(ON)
            .judge(&cluster);
        assert_eq!(
            message(&verdict),
            Some(
                "pod is in mesh \"mesh1\" but namespace \"team\" already contains dataplanes in \
                  mesh \"mesh2\"; only one mesh per namespace is allowed when \
                  runtime.kubernetes.disallowMultipleMeshesPerNamespace is enabled"
            )
        );
    }

    /// The Namespace has no mesh of its own, and a Dataplane of mesh2.
    #[rstest]
    #[case::nothing_new(&[("app", "a")], &[("app", "b")], None, 0)]
    #[case::keeps_the_mesh_that_it_names(&[("kuma.io/mesh", "mesh1")], &[("kuma.io/mesh", "mesh1"), ("app", "b")], None, 0)]
    #[case::stops_to_be_injected(&[("kuma.io/sidecar-injection", "enabled")], &[], None, 0)]
    #[case::was_off(&[("kuma.io/sidecar-injection", "no")], &[], Some(403), 4)]
    #[case::names_the_mesh_that_it_had(&[], &[("kuma.io/mesh", "default")], None, 1)]
    #[case::names_another_mesh(&[], &[("kuma.io/mesh", "mesh1")], Some(403), 4)]
    fn a8_an_update_asks_the_namespace_only_where_it_decides(
        #[case] old: &[(&'static str, &'static str)],
        #[case] new: &[(&'static str, &'static str)],
        #[case] status: Option<u16>,
        #[case] most_questions: usize,
    ) {
        let cluster = FakeCluster::new(&[("kuma.io/sidecar-injection", "true")]).dataplane(
            "db-0",
            Some("mesh2"),
            Some("mesh2"),
        );
        let request = PodRequest::new(Operation::Update)
            .labels(new)
            .was(old)
            .settings(r#"{"disallowMultipleMeshesPerNamespace":true,"updates":"membership"}"#);
        assert_eq!(code(&request.judge(&cluster)), status);
        assert!(
            cluster.questions() <= most_questions,
            "{}",
            cluster.questions()
        );
    }

    #[rstest]
    #[case::sidecar_injected(|pod: &mut PodFacts<'static>| {
        pod.metadata.annotations = [("kuma.io/sidecar-injected", "true")].into_iter().collect();
    })]
    #[case::sidecar(|pod: &mut PodFacts<'static>| pod.has_sidecar = true)]
    #[case::builtin_gateway(|pod: &mut PodFacts<'static>| {
        pod.metadata.annotations = [("kuma.io/gateway", "builtin")].into_iter().collect();
    })]
    fn a8_a_pod_that_becomes_a_proxy_joins(#[case] edit: fn(&mut PodFacts<'static>)) {
        let cluster = FakeCluster::new(&[]).dataplane("db-0", Some("mesh2"), Some("mesh2"));
        for settings in [
            r#"{"disallowMultipleMeshesPerNamespace":true,"updates":"membership"}"#,
            DECLARED,
        ] {
            let mut request = PodRequest::new(Operation::Update)
                .labels(&[("kuma.io/mesh", "mesh1")])
                .was(&[("kuma.io/mesh", "mesh1")])
                .settings(settings);
            edit(&mut request.new);
            assert_eq!(code(&request.judge(&cluster)), Some(403), "{settings}");
        }
    }

    #[test]
    fn a5_is_off_by_default() {
        let request = PodRequest::new(Operation::Create).labels(&[("kuma.io/mesh", "mesh1")]);
        assert_eq!(message(&request.judge(&FakeCluster::untouched())), None);
    }

    #[rstest]
    #[case::kube_system("kube-system")]
    #[case::kong("kong-mesh-system")]
    #[case::kuma("kuma-system")]
    fn a19_system_namespaces_are_exempt(#[case] namespace: &'static str) {
        let request = PodRequest::new(Operation::Create)
            .labels(&[("kuma.io/mesh", "Impossible Name")])
            .namespace(namespace)
            .settings(ON);
        assert_eq!(message(&request.judge(&FakeCluster::untouched())), None);
    }

    #[rstest]
    #[case::crds_missing(ClusterFailure::KumaNotInstalled, None, None)]
    #[case::no_grant(
        ClusterFailure::NotGranted("the policy is not granted get on meshes.kuma.io".into()),
        Some(500),
        Some("the mesh rule cannot be checked: the policy is not granted get on meshes.kuma.io")
    )]
    #[case::anything_else(
        ClusterFailure::Unavailable("meshes.kuma.io"),
        Some(500),
        Some(
            "the mesh rule cannot be checked: the cluster did not answer about meshes.kuma.io; try again"
        )
    )]
    fn a13_failed_questions(
        #[case] failure: ClusterFailure,
        #[case] status: Option<u16>,
        #[case] sentence: Option<&str>,
    ) {
        let request = PodRequest::new(Operation::Create)
            .labels(&[("kuma.io/mesh", "mesh1")])
            .settings(ON);
        let verdict = request.judge(&FakeCluster::failing(failure));
        assert_eq!((code(&verdict), message(&verdict)), (status, sentence));
    }

    #[test]
    fn a13_no_such_namespace() {
        let request = PodRequest::new(Operation::Create).settings(ON);
        let verdict = request.judge(&FakeCluster::failing(ClusterFailure::NamespaceNotFound));
        assert_eq!(
            (code(&verdict), message(&verdict)),
            (
                Some(500),
                Some("the mesh rule cannot be checked: the namespace was not found")
            )
        );
    }

    #[test]
    fn a9_warn_accepts_what_deny_rejects_with_the_same_sentence() {
        let cluster = FakeCluster::new(&[]).dataplane("db-0", Some("mesh2"), Some("mesh2"));
        let request = |action: &str| {
            PodRequest::new(Operation::Create)
                .labels(&[("kuma.io/mesh", "mesh1")])
                .settings(&format!(
                    r#"{{"disallowMultipleMeshesPerNamespace":true,"action":"{action}"}}"#
                ))
                .judge(&cluster)
        };
        let (deny, warn) = (request("deny"), request("warn"));
        assert_eq!(message(&warn), None);
        assert_eq!(warnings(&warn), [message(&deny).unwrap()]);
    }

    #[test]
    fn a9_a_failed_question_warns_too() {
        let request = PodRequest::new(Operation::Create)
            .labels(&[("kuma.io/mesh", "mesh1")])
            .settings(r#"{"disallowMultipleMeshesPerNamespace":true,"action":"warn"}"#);
        let verdict = request.judge(&FakeCluster::failing(ClusterFailure::Unavailable(
            "meshes.kuma.io",
        )));
        assert_eq!((message(&verdict), warnings(&verdict).len()), (None, 1));
    }

    /// A Namespace of mesh2 in which Dataplanes of mesh2 live, and a template of mesh1.
    fn template_against_mesh2(settings: &str) -> (TemplateRequest, FakeCluster) {
        let cluster = FakeCluster::new(&[("kuma.io/mesh", "mesh2")]).dataplane(
            "db-0",
            Some("mesh2"),
            Some("mesh2"),
        );
        let request = TemplateRequest::new("Deployment")
            .labels(&[("kuma.io/mesh", "mesh1")])
            .settings(settings);
        (request, cluster)
    }

    #[test]
    fn a11_observed_warns_of_a_template() {
        let (request, cluster) = template_against_mesh2(ON);
        let verdict = request.judge(&cluster);
        assert_eq!(message(&verdict), None);
        assert_eq!(
            warnings(&verdict),
            [
                "pod template of Deployment \"web\" is in mesh \"mesh1\" but namespace \"team\" \
              already contains dataplanes in mesh \"mesh2\"; only one mesh per namespace is \
              allowed when runtime.kubernetes.disallowMultipleMeshesPerNamespace is enabled"
            ]
        );
    }

    #[test]
    fn a11_declared_rejects_a_template() {
        let (request, cluster) = template_against_mesh2(DECLARED);
        let verdict = request.judge(&cluster);
        assert_eq!(
            message(&verdict),
            Some(
                "pod template of Deployment \"web\" is in mesh \"mesh1\" but namespace \"team\" \
                  is declared for mesh \"mesh2\"; only one mesh per namespace is allowed"
            )
        );
    }

    #[rstest]
    #[case::owned_by_a_judged_controller(template_against_mesh2(DECLARED).0.owned())]
    #[case::update_that_keeps_the_mesh(template_against_mesh2(DECLARED).0.was(&[("kuma.io/mesh", "mesh1")]))]
    fn a11_the_exceptions_of_a2_hold(#[case] request: TemplateRequest) {
        let (_, cluster) = template_against_mesh2(DECLARED);
        let verdict = request.judge(&cluster);
        assert_eq!((message(&verdict), warnings(&verdict).len()), (None, 0));
    }

    #[test]
    fn a11_an_update_that_changes_the_mesh_is_judged() {
        let (request, cluster) = template_against_mesh2(DECLARED);
        let verdict = request.was(&[("kuma.io/mesh", "mesh2")]).judge(&cluster);
        assert_eq!(code(&verdict), Some(403));
    }

    #[test]
    fn a11_a_missing_mesh_only_warns() {
        let request = TemplateRequest::new("Job")
            .labels(&[("kuma.io/mesh", "nowhere")])
            .settings(ON);
        let verdict = request.judge(&FakeCluster::new(&[]));
        assert_eq!(message(&verdict), None);
        assert_eq!(
            warnings(&verdict),
            ["pod template of Job \"web\" is in mesh \"nowhere\", which does not exist"]
        );
    }

    #[rstest]
    #[case::observed_only_warns(ON, None, 1)]
    #[case::declared_rejects(DECLARED, Some(500), 0)]
    fn a11_a_failed_question(
        #[case] settings: &str,
        #[case] status: Option<u16>,
        #[case] warned: usize,
    ) {
        let request = TemplateRequest::new("Deployment")
            .labels(&[("kuma.io/mesh", "mesh1")])
            .settings(settings);
        let verdict = request.judge(&FakeCluster::failing(ClusterFailure::Unavailable("x")));
        assert_eq!((code(&verdict), warnings(&verdict).len()), (status, warned));
    }
}

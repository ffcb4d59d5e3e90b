//! The mesh rule: who is judged by it at all, before one of its two forms judges (A9, A11, A19).

use std::cell::OnceCell;

use super::{
    Cluster, ClusterAnswer, ClusterFailure, EnforcementAction, Freshness, NamespaceMesh, Objection,
    Operation, PodOrTemplate, Quoted, Request, Rule, Ruling, Settings, Updates, declared_mesh,
    enforce, observed_mesh,
};
use crate::{
    membership::{self, Membership},
    mesh::{self, MeshSource, ResolvedMesh},
    metadata::{Metadata, PodFacts},
};

/// Why the mesh rule stops before its end.
#[derive(Debug)]
pub(super) enum Stop {
    /// No mesh can be in conflict.
    Pass,
    /// It has something against the object.
    Reject(Objection),
    /// It has something against the object that never rejects.
    Warn(Objection),
}

impl From<ClusterFailure> for Stop {
    /// What an unanswered question means (A13).
    fn from(failure: ClusterFailure) -> Self {
        match failure {
            ClusterFailure::KumaNotInstalled => Self::Pass,
            failure => Self::Reject(Objection::new(
                Rule::ClusterQuestion,
                format!("the mesh rule cannot be checked: {failure}"),
            )),
        }
    }
}

impl Stop {
    /// Under the action of the settings, an objection rejects or warns.
    pub(super) fn into_ruling(
        self,
        action: EnforcementAction,
        warnings: &mut Vec<Objection>,
    ) -> Ruling {
        match self {
            Self::Pass => Ok(()),
            Self::Reject(objection) => enforce(action, Err(objection), warnings),
            Self::Warn(objection) => enforce(EnforcementAction::Warn, Err(objection), warnings),
        }
    }
}

/// What the rule asks, and for whom. The Namespace is asked for once at most.
pub(super) struct Inquiry<'r, C> {
    pub(super) cluster: &'r C,
    pub(super) settings: &'r Settings<'r>,
    pub(super) namespace: &'r str,
    /// The name of the object; empty where nothing is its own.
    pub(super) own_name: &'r str,
    pub(super) subject: PodOrTemplate<'r>,
    asked: OnceCell<ClusterAnswer<Metadata<'static>>>,
}

impl<C: Cluster> Inquiry<'_, C> {
    /// The Namespace's labels and annotations.
    pub(super) fn namespace_metadata(&self) -> ClusterAnswer<&Metadata<'static>> {
        let freshness = match self.settings.namespace_mesh {
            NamespaceMesh::Observed => Freshness::Cached,
            NamespaceMesh::Declared => Freshness::Fresh,
        };
        self.asked
            .get_or_init(|| self.cluster.namespace(self.namespace, freshness))
            .as_ref()
            .map_err(|failure| *failure)
    }

    /// The mesh that a Pod is in, if it is in one (I1, I2, M1).
    fn mesh_of<'a>(&'a self, pod: &'a PodFacts<'_>) -> ClusterAnswer<Option<ResolvedMesh<'a>>> {
        let meshed = match membership::of_pod(pod) {
            Membership::Meshed => true,
            Membership::Unmeshed => false,
            Membership::AskNamespace => membership::injects(self.namespace_metadata()?),
        };
        if !meshed {
            return Ok(None);
        }
        let annotations = self.settings.mesh_annotations;
        Ok(Some(match mesh::named_by_pod(&pod.metadata, annotations) {
            Some(mesh) => mesh,
            None => mesh::of_namespace(self.namespace_metadata()?, annotations),
        }))
    }
}

/// Judges a Pod, or warns of a Pod template what its Pods would meet (A11).
pub(super) fn judge<C: Cluster>(
    request: &Request<'_>,
    subject: PodOrTemplate<'_>,
    new: &PodFacts<'_>,
    old: Option<&PodFacts<'_>>,
    settings: &Settings<'_>,
    cluster: &C,
    warnings: &mut Vec<Objection>,
) -> Ruling {
    if !settings.mesh_rule || settings.is_system_namespace(&request.namespace) {
        return Ok(());
    }
    let inquiry = Inquiry {
        cluster,
        settings,
        namespace: &request.namespace,
        own_name: &new.name,
        subject,
        asked: OnceCell::new(),
    };
    match inquiry.judge(request.operation, new, old) {
        Ok(()) => Ok(()),
        Err(stop) => stop.into_ruling(settings.action, warnings),
    }
}

impl<C: Cluster> Inquiry<'_, C> {
    fn judge(
        &self,
        operation: Operation,
        new: &PodFacts<'_>,
        old: Option<&PodFacts<'_>>,
    ) -> Result<(), Stop> {
        let observed = self.settings.namespace_mesh == NamespaceMesh::Observed;
        let is_template = matches!(self.subject, PodOrTemplate::Template(..));
        // What an observed template meets is only a warning (A11), the failure of a question too.
        let soften = |stop| match stop {
            Stop::Reject(objection) if is_template && observed => Stop::Warn(objection),
            stop => stop,
        };
        let Some(mesh) = self
            .mesh_of(new)
            .map_err(|failure| soften(failure.into()))?
        else {
            return Ok(());
        };
        let joins = match old {
            Some(old) if operation == Operation::Update => {
                let stays = self.was_in(mesh, old);
                !stays.map_err(|failure| soften(failure.into()))?
            }
            _ => true,
        };
        let judges_every_update = observed && !is_template && self.settings.updates == Updates::All;
        if !joins && !judges_every_update {
            return Ok(());
        }
        check_name(self.subject, mesh)?;
        if observed {
            observed_mesh::judge(self, mesh.name, operation, joins).map_err(soften)
        } else {
            declared_mesh::judge(self, mesh.name)
        }
    }

    /// Whether a Pod was in this mesh already.
    fn was_in(&self, mesh: ResolvedMesh<'_>, old: &PodFacts<'_>) -> ClusterAnswer<bool> {
        let names_it =
            |found: Option<ResolvedMesh<'_>>| found.is_some_and(|found| found.name == mesh.name);
        if mesh.is_named_by_pod() && !mesh::is_possible_name(mesh.name) {
            // Nothing is asked for an impossible name (M4): only the Pod itself can have had it.
            let annotations = self.settings.mesh_annotations;
            return Ok(membership::of_pod(old) == Membership::Meshed
                && names_it(mesh::named_by_pod(&old.metadata, annotations)));
        }
        self.mesh_of(old).map(names_it)
    }
}

/// A mesh's name must be a possible one (M4).
pub(super) fn check_name(
    subject: impl std::fmt::Display,
    mesh: ResolvedMesh<'_>,
) -> Result<(), Stop> {
    if mesh::is_possible_name(mesh.name) {
        return Ok(());
    }
    let place = match mesh.source {
        MeshSource::PodLabel => "label",
        MeshSource::PodAnnotation => "annotation",
        MeshSource::NamespaceLabel | MeshSource::Default => "namespace label",
        MeshSource::NamespaceAnnotation => "namespace annotation",
    };
    Err(Stop::Reject(Objection::new(
        Rule::MeshName,
        format!(
            "{subject} is in mesh {} ({place} kuma.io/mesh), which is not a possible name: \
             it must be 1 to 63 of a-z, 0-9, '.', '_' and '-', \
             beginning and ending with a letter or digit",
            Quoted(mesh.name),
        ),
    )))
}

#[cfg(test)]
mod tests {
    use super::super::{ClusterFailure, Operation, test_support::*};
    use rstest::rstest;

    /// The settings under which every case of this table would otherwise object.
    const ON: &str = r#"{"disallowMultipleMeshesPerNamespace":true}"#;
    const DECLARED: &str =
        r#"{"disallowMultipleMeshesPerNamespace":true,"namespaceMesh":"declared"}"#;

    #[rstest]
    #[case::unmeshed(&[("kuma.io/sidecar-injection", "disabled")], &[])]
    #[case::zone_ingress(&[("kuma.io/mesh", "mesh1")], &[("kuma.io/ingress", "enabled")])]
    #[case::namespace_does_not_inject(&[], &[])]
    fn i2_only_meshed_pods_are_judged(
        #[case] labels: &[(&'static str, &'static str)],
        #[case] annotations: &[(&'static str, &'static str)],
    ) {
        let world = FakeCluster::new(&[]).dataplane("db-0", Some("mesh2"), Some("mesh2"));
        let request = PodRequest::new(Operation::Create)
            .labels(labels)
            .annotations(annotations)
            .settings(ON);
        assert_eq!(message(&request.judge(&world)), None);
        assert_eq!(world.lists(), 0);
    }

    #[test]
    fn i1_a_namespace_that_injects_makes_its_pods_meshed() {
        let world = FakeCluster::new(&[
            ("kuma.io/sidecar-injection", "enabled"),
            ("kuma.io/mesh", "mesh1"),
        ])
        .dataplane("db-0", Some("mesh2"), Some("mesh2"));
        let verdict = PodRequest::new(Operation::Create)
            .settings(ON)
            .judge(&world);
        assert_eq!(
            message(&verdict),
            Some(
                "pod is in mesh \"mesh1\" but namespace \"team\" already contains dataplanes in \
                  mesh \"mesh2\"; only one mesh per namespace is allowed when \
                  runtime.kubernetes.disallowMultipleMeshesPerNamespace is enabled"
            )
        );
    }

    #[test]
    fn a5_is_off_by_default() {
        let request = PodRequest::new(Operation::Create).labels(&[("kuma.io/mesh", "mesh1")]);
        assert_eq!(message(&request.judge(&FakeCluster::forbidden())), None);
    }

    #[rstest]
    #[case::observed(ON)]
    #[case::declared(DECLARED)]
    fn m4_an_impossible_name_is_rejected_before_anything_is_asked(#[case] settings: &str) {
        let request = PodRequest::new(Operation::Create)
            .labels(&[("kuma.io/mesh", "Mesh,One")])
            .settings(settings);
        let verdict = request.judge(&FakeCluster::forbidden());
        assert_eq!(
            message(&verdict),
            Some(
                "pod is in mesh \"Mesh,One\" (label kuma.io/mesh), which is not a possible name: \
                  it must be 1 to 63 of a-z, 0-9, '.', '_' and '-', \
                  beginning and ending with a letter or digit"
            )
        );
        assert_eq!(code(&verdict), Some(403));
    }

    #[rstest]
    #[case::it_is_new("all", &[], true)]
    #[case::it_is_new_under_membership("membership", &[], true)]
    #[case::it_was_there("membership", &[("kuma.io/mesh", "My-Mesh")], false)]
    #[case::it_was_there_unmeshed("membership",
        &[("kuma.io/mesh", "My-Mesh"), ("kuma.io/sidecar-injection", "no")], true)]
    fn m4_an_update_is_judged_without_a_question(
        #[case] updates: &str,
        #[case] old: &[(&'static str, &'static str)],
        #[case] rejected: bool,
    ) {
        let settings =
            format!(r#"{{"disallowMultipleMeshesPerNamespace":true,"updates":"{updates}"}}"#);
        let request = PodRequest::new(Operation::Update)
            .labels(&[("kuma.io/mesh", "My-Mesh")])
            .was(old)
            .settings(&settings);
        assert_eq!(
            code(&request.judge(&FakeCluster::forbidden())).is_some(),
            rejected
        );
    }

    #[test]
    fn m4_warns_under_action_warn_and_lists_nothing() {
        let request = PodRequest::new(Operation::Create)
            .labels(&[("kuma.io/mesh", "Mesh")])
            .settings(r#"{"disallowMultipleMeshesPerNamespace":true,"action":"warn"}"#);
        let verdict = request.judge(&FakeCluster::forbidden());
        assert_eq!((message(&verdict), warnings(&verdict).len()), (None, 1));
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
        assert_eq!(message(&request.judge(&FakeCluster::forbidden())), None);
    }

    #[rstest]
    #[case::crds_missing(ClusterFailure::KumaNotInstalled, None, None)]
    #[case::no_grant(
        ClusterFailure::NotGranted("get on meshes.kuma.io"),
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
        let world = FakeCluster::new(&[]).dataplane("db-0", Some("mesh2"), Some("mesh2"));
        let request = |action: &str| {
            PodRequest::new(Operation::Create)
                .labels(&[("kuma.io/mesh", "mesh1")])
                .settings(&format!(
                    r#"{{"disallowMultipleMeshesPerNamespace":true,"action":"{action}"}}"#
                ))
                .judge(&world)
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
        let world = FakeCluster::new(&[("kuma.io/mesh", "mesh2")]).dataplane(
            "db-0",
            Some("mesh2"),
            Some("mesh2"),
        );
        let request = TemplateRequest::new("Deployment")
            .labels(&[("kuma.io/mesh", "mesh1")])
            .settings(settings);
        (request, world)
    }

    #[test]
    fn a11_observed_warns_of_a_template() {
        let (request, world) = template_against_mesh2(ON);
        let verdict = request.judge(&world);
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
        let (request, world) = template_against_mesh2(DECLARED);
        let verdict = request.judge(&world);
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
        let (_, world) = template_against_mesh2(DECLARED);
        let verdict = request.judge(&world);
        assert_eq!((message(&verdict), warnings(&verdict).len()), (None, 0));
    }

    #[test]
    fn a11_an_update_that_changes_the_mesh_is_judged() {
        let (request, world) = template_against_mesh2(DECLARED);
        let verdict = request.was(&[("kuma.io/mesh", "mesh2")]).judge(&world);
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

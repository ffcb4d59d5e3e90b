//! One mesh in a Namespace, as declared: the Namespace's own mesh is the only one allowed (A17).

use super::{
    cluster::Cluster,
    inquiry::Inquiry,
    stop::Stop,
    verdict::{Objection, Rule},
    witness::Step,
};
use crate::{mesh, quoted::Quoted};

/// Judges a Pod or Pod template that joins a mesh. It asks for the Namespace only.
pub(super) fn judge<C: Cluster>(inquiry: &Inquiry<'_, C>, mesh: &str) -> Result<(), Stop> {
    let namespace = inquiry.namespace_metadata()?;
    let declared = mesh::of_namespace(namespace, inquiry.settings.mesh_annotations);
    if mesh == declared.name {
        inquiry.cluster.step(Step::DeclaredMesh);
        return Ok(());
    }
    Err(Stop::Reject(Objection::new(
        Rule::DeclaredMesh,
        format!(
            "{} is in mesh {} but namespace {} is declared for mesh {}; \
             only one mesh per namespace is allowed",
            inquiry.review.subject,
            Quoted(mesh),
            Quoted(inquiry.review.namespace),
            Quoted(declared.name),
        ),
    )))
}

#[cfg(test)]
mod tests {
    use crate::admission::{request::Operation, test_support::*};
    use rstest::rstest;

    const DECLARED: &str =
        r#"{"disallowMultipleMeshesPerNamespace":true,"namespaceMesh":"declared"}"#;

    #[rstest]
    #[case::same(&[("kuma.io/mesh", "mesh1")], None)]
    #[case::other(&[("kuma.io/mesh", "mesh2")], Some("mesh2"))]
    #[case::says_nothing(&[], Some("default"))]
    fn a17_the_namespaces_own_mesh_is_the_law(
        #[case] namespace: &[(&'static str, &'static str)],
        #[case] law: Option<&str>,
    ) {
        let cluster = FakeCluster::new(namespace).dataplane("db-0", Some("mesh3"), Some("mesh3"));
        let request = PodRequest::new(Operation::Create)
            .labels(&[("kuma.io/mesh", "mesh1")])
            .settings(DECLARED);
        let verdict = request.judge(&cluster);
        let expected = law.map(|law| {
            format!(
                "pod is in mesh \"mesh1\" but namespace \"team\" is declared for mesh \"{law}\"; \
                 only one mesh per namespace is allowed"
            )
        });
        assert_eq!(message(&verdict), expected.as_deref());
        assert_eq!(code(&verdict), expected.map(|_| 403));
        assert_eq!(
            (cluster.questions(), cluster.lists()),
            (1, 0),
            "one get and no list"
        );
    }

    #[rstest]
    #[case::keeps_its_mesh(&[("kuma.io/mesh", "mesh1")], false)]
    #[case::changes_it(&[("kuma.io/mesh", "mesh2")], true)]
    #[case::becomes_meshed(&[("kuma.io/sidecar-injection", "no")], true)]
    fn a17_updates_are_judged_by_membership_whatever_the_setting(
        #[case] old: &[(&'static str, &'static str)],
        #[case] rejected: bool,
    ) {
        let cluster = FakeCluster::new(&[("kuma.io/mesh", "mesh2")]);
        let request = PodRequest::new(Operation::Update)
            .labels(&[("kuma.io/mesh", "mesh1")])
            .was(old)
            .settings(DECLARED);
        assert_eq!(message(&request.judge(&cluster)).is_some(), rejected);
    }

    #[test]
    fn a17_a_mesh_that_does_not_exist_is_not_asked_for() {
        let cluster = FakeCluster::new(&[("kuma.io/mesh", "nowhere")]);
        let request = PodRequest::new(Operation::Create)
            .labels(&[("kuma.io/mesh", "nowhere")])
            .settings(DECLARED);
        assert_eq!(message(&request.judge(&cluster)), None);
        assert_eq!((cluster.questions(), cluster.lists()), (1, 0));
    }
}

//! A mesh must have a name that a Mesh can have (M4).

use std::fmt;

use super::{
    stop::Stop,
    verdict::{Objection, Rule},
};
use crate::{
    keys,
    mesh::{self, MeshSource, ResolvedMesh},
    quoted::Quoted,
};

/// Rejects a mesh with an impossible name. `subject` is in the mesh.
pub(super) fn check(subject: impl fmt::Display, mesh: ResolvedMesh<'_>) -> Result<(), Stop> {
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
            "{subject} is in mesh {} ({place} {}), which is not a possible name: \
             it must be 1 to 63 of a-z, 0-9, '.', '_' and '-', \
             beginning and ending with a letter or digit",
            Quoted(mesh.name),
            keys::MESH,
        ),
    )))
}

#[cfg(test)]
mod tests {
    use crate::admission::{request::Operation, test_support::*};
    use rstest::rstest;

    const ON: &str = r#"{"disallowMultipleMeshesPerNamespace":true}"#;
    const DECLARED: &str =
        r#"{"disallowMultipleMeshesPerNamespace":true,"namespaceMesh":"declared"}"#;

    #[rstest]
    #[case::observed(ON)]
    #[case::declared(DECLARED)]
    fn m4_an_impossible_name_is_rejected_before_anything_is_asked(#[case] settings: &str) {
        let request = PodRequest::new(Operation::Create)
            .labels(&[("kuma.io/mesh", "Mesh,One")])
            .settings(settings);
        let verdict = request.judge(&FakeCluster::untouched());
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
            code(&request.judge(&FakeCluster::untouched())).is_some(),
            rejected
        );
    }

    #[test]
    fn m4_warns_under_action_warn_and_lists_nothing() {
        let request = PodRequest::new(Operation::Create)
            .labels(&[("kuma.io/mesh", "Mesh")])
            .settings(r#"{"disallowMultipleMeshesPerNamespace":true,"action":"warn"}"#);
        let verdict = request.judge(&FakeCluster::untouched());
        assert_eq!((message(&verdict), warnings(&verdict).len()), (None, 1));
    }
}

//! A Namespace does not move to another mesh while it still contains proxies of its old one (A12).

use super::{
    cluster::{Cluster, ListQuestion},
    conflict::{self, Search},
    settings::Settings,
    stop::Stop,
    verdict::{Objection, Rule},
};
use crate::quoted::Quoted;

/// Rejects the move of a Namespace to a mesh while something of another mesh is in it.
pub(super) fn check<C: Cluster>(
    namespace: &str,
    mesh: &str,
    settings: &Settings<'_>,
    cluster: &C,
) -> Result<(), Stop> {
    let search = Search {
        question: ListQuestion {
            namespace,
            selector: conflict::selector(mesh, cluster.mesh_exists(mesh)?),
        },
        mesh,
        own_name: "",
        ignored_dataplane: "",
    };
    let Some(conflict) = conflict::find(search, settings, cluster)? else {
        return Ok(());
    };
    Err(Stop::Reject(Objection::new(
        Rule::NamespaceRelabel,
        format!(
            "namespace {} cannot move to mesh {}: it still contains {} in mesh {}; \
             only one mesh per namespace is allowed",
            Quoted(namespace),
            Quoted(mesh),
            conflict.what,
            Quoted(&conflict.mesh),
        ),
    )))
}

#[cfg(test)]
mod tests {
    use crate::admission::{cluster::ClusterFailure, test_support::*};
    use rstest::rstest;

    const ON: &str = r#"{"disallowMultipleMeshesPerNamespace":true}"#;

    fn sentence(mesh: &str, what: &str, other: &str) -> String {
        format!(
            "namespace \"team\" cannot move to mesh \"{mesh}\": it still contains {what} in mesh \
             \"{other}\"; only one mesh per namespace is allowed"
        )
    }

    fn moved(from: &'static str, to: &'static str) -> NamespaceRequest {
        NamespaceRequest::new(&[("kuma.io/mesh", to)])
            .was(&[("kuma.io/mesh", from)])
            .settings(ON)
    }

    #[rstest]
    #[case::empty(|w: FakeCluster| w, None)]
    #[case::dataplanes_of_the_new_mesh(|w: FakeCluster| w.dataplane("a", Some("mesh2"), Some("mesh2")), None)]
    #[case::dataplanes_of_the_old_mesh(|w: FakeCluster| w.dataplane("a", Some("mesh1"), Some("mesh1")), Some(sentence("mesh2", "dataplanes", "mesh1")))]
    #[case::pods_of_the_old_mesh(|w: FakeCluster| w.pod("a", &[("kuma.io/mesh", "mesh1")], false), Some(sentence("mesh2", "pods", "mesh1")))]
    #[case::finished_pods(|w: FakeCluster| w.pod("a", &[("kuma.io/mesh", "mesh1")], true), None)]
    fn a12_the_namespace_may_contain_no_other_mesh(
        #[case] add: fn(FakeCluster) -> FakeCluster,
        #[case] rejection: Option<String>,
        #[values(
            ON,
            r#"{"disallowMultipleMeshesPerNamespace":true,"namespaceMesh":"declared"}"#
        )]
        settings: &str,
    ) {
        let cluster = add(FakeCluster::new(&[]));
        let verdict = moved("mesh1", "mesh2").settings(settings).judge(&cluster);
        assert_eq!(message(&verdict), rejection.as_deref());
        assert_eq!(code(&verdict), rejection.map(|_| 403));
    }

    #[test]
    fn a12_removing_the_label_is_a_move_to_default() {
        let cluster = FakeCluster::new(&[]).dataplane("a", Some("mesh1"), Some("mesh1"));
        let verdict = NamespaceRequest::new(&[])
            .was(&[("kuma.io/mesh", "mesh1")])
            .settings(ON)
            .judge(&cluster);
        let expected = sentence("default", "dataplanes", "mesh1");
        assert_eq!(message(&verdict), Some(&*expected));
    }

    #[test]
    fn a12_annotations_count_up_to_kuma_2() {
        let cluster = FakeCluster::new(&[]).dataplane("a", Some("default"), Some("default"));
        let request = NamespaceRequest::new(&[]).annotated("mesh2").was(&[]);
        assert_eq!(
            code(&request.clone().settings(ON).judge(&cluster)),
            Some(403)
        );
        let labels_only =
            r#"{"disallowMultipleMeshesPerNamespace":true,"legacyMeshAnnotations":false}"#;
        assert_eq!(code(&request.settings(labels_only).judge(&cluster)), None);
    }

    #[rstest]
    #[case::same_mesh(moved("mesh1", "mesh1"))]
    #[case::rule_off(moved("mesh1", "mesh2").settings("{}"))]
    #[case::terminating(moved("mesh1", "mesh2").terminating())]
    #[case::system(moved("mesh1", "mesh2").named("kuma-system"))]
    fn a12_asks_nothing_where_nothing_moves(#[case] request: NamespaceRequest) {
        assert_eq!(message(&request.judge(&FakeCluster::untouched())), None);
    }

    #[test]
    fn a12_without_the_old_object_an_update_counts_as_a_move() {
        let cluster = FakeCluster::new(&[]).dataplane("a", Some("mesh1"), Some("mesh1"));
        let request = NamespaceRequest::new(&[("kuma.io/mesh", "mesh2")])
            .updated()
            .settings(ON);
        assert_eq!(code(&request.judge(&cluster)), Some(403));
    }

    #[test]
    fn a12_a_mesh_that_does_not_exist_opens_no_watch_of_its_own() {
        let cluster = FakeCluster::new(&[])
            .dataplane("a", Some("mesh1"), Some("mesh1"))
            .pod("a", &[("kuma.io/mesh", "mesh1")], false);
        let verdict = moved("mesh1", "nowhere").judge(&cluster);
        let expected = sentence("nowhere", "dataplanes", "mesh1");
        assert_eq!(message(&verdict), Some(&*expected));
        assert!(cluster.asked_without_selector());
    }

    #[test]
    fn a12_pods_count_only_where_they_are_considered() {
        let cluster = FakeCluster::new(&[]).pod("a", &[("kuma.io/mesh", "mesh1")], false);
        let verdict = moved("mesh1", "mesh2")
            .settings(r#"{"disallowMultipleMeshesPerNamespace":true,"considerPods":false}"#)
            .judge(&cluster);
        assert_eq!((message(&verdict), cluster.lists()), (None, 1));
    }

    #[rstest]
    #[case::no_grant(ClusterFailure::NotGranted("no grant".into()), Some(500))]
    #[case::crds_missing(ClusterFailure::KumaNotInstalled, None)]
    fn a12_failed_questions(#[case] failure: ClusterFailure, #[case] status: Option<u16>) {
        let verdict = moved("mesh1", "mesh2").judge(&FakeCluster::failing(failure));
        assert_eq!(code(&verdict), status);
    }

    #[rstest]
    #[case::create(NamespaceRequest::new(&[("kuma.io/mesh", "My Mesh")]))]
    #[case::update(NamespaceRequest::new(&[("kuma.io/mesh", "My Mesh")]).was(&[]))]
    fn m4_an_impossible_name_is_rejected(#[case] request: NamespaceRequest) {
        let verdict = request.settings(ON).judge(&FakeCluster::untouched());
        assert_eq!(
            message(&verdict),
            Some(
                "namespace \"team\" is in mesh \"My Mesh\" (namespace label kuma.io/mesh), which \
                  is not a possible name: it must be 1 to 63 of a-z, 0-9, '.', '_' and '-', \
                  beginning and ending with a letter or digit"
            )
        );
    }

    #[test]
    fn a9_warn_accepts_a_move() {
        let cluster = FakeCluster::new(&[]).dataplane("a", Some("mesh1"), Some("mesh1"));
        let verdict = moved("mesh1", "mesh2")
            .settings(r#"{"disallowMultipleMeshesPerNamespace":true,"action":"warn"}"#)
            .judge(&cluster);
        assert_eq!(message(&verdict), None);
        assert_eq!(
            warnings(&verdict),
            [sentence("mesh2", "dataplanes", "mesh1")]
        );
    }
}

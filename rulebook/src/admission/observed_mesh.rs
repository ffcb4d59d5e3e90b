//! One mesh in a Namespace, as observed: its Dataplanes and Pods decide (A5 to A8, A10, A16, A18).

use super::{
    cluster::{Cluster, ListQuestion},
    conflict::{self, Search},
    inquiry::Inquiry,
    pod_review::PodReview,
    request::Operation,
    settings::EnforcementAction,
    stop::Stop,
    verdict::{Objection, Rule},
    witness::Step,
};
use crate::{keys, metadata::PodFacts, quoted::Quoted};

/// Judges a Pod or Pod template that is meshed; `joins` says whether it was not in this mesh
/// before.
pub(super) fn judge<C: Cluster>(
    inquiry: &Inquiry<'_, C>,
    mesh: &str,
    joins: bool,
) -> Result<(), Stop> {
    let Inquiry {
        cluster, settings, ..
    } = *inquiry;
    let PodReview {
        subject,
        operation,
        namespace,
        new,
        ..
    } = inquiry.review;
    let exists = cluster.mesh_exists(mesh)?;
    if !exists && !joins {
        cluster.step(Step::WasInUnknownMesh);
        return Ok(());
    }
    if !exists && !is_zone_proxy(new) {
        return Err(Stop::Reject(Objection::new(
            Rule::MeshExists,
            format!(
                "{subject} is in mesh {}, which does not exist",
                Quoted(mesh)
            ),
        )));
    }
    cluster.step(match exists {
        true => Step::MeshExists,
        false => Step::ZoneProxy,
    });
    let search = Search {
        question: ListQuestion {
            namespace,
            selector: conflict::selector(mesh, exists),
        },
        mesh,
        own_name: inquiry.own_name(),
        // A new Pod replaces the Dataplane that an earlier Pod of its name has left behind. On an
        // UPDATE the Dataplane is that of the running proxy, which cannot change its mesh (A7).
        ignored_dataplane: match operation {
            Operation::Create => inquiry.own_name(),
            Operation::Update | Operation::Delete => "",
        },
    };
    let Some(conflict) = conflict::find(search, settings, cluster)? else {
        return Ok(());
    };
    let objection = Objection::new(
        Rule::ObservedMesh,
        format!(
            "{subject} is in mesh {} but namespace {} already contains {} in mesh {}; \
             only one mesh per namespace is allowed when \
             runtime.kubernetes.disallowMultipleMeshesPerNamespace is enabled",
            Quoted(mesh),
            Quoted(namespace),
            conflict.what,
            Quoted(&conflict.mesh),
        ),
    );
    // If nobody can say whether the Namespace is split already, the conflict stands.
    if settings.already_split == EnforcementAction::Deny {
        return Err(Stop::Reject(objection));
    }
    let is_split_already =
        conflict.found_own_mesh || conflict::has_member(search, settings, cluster).unwrap_or(false);
    Err(if is_split_already {
        cluster.step(Step::AlreadySplit);
        Stop::Warn(objection)
    } else {
        cluster.step(Step::NotYetSplit);
        Stop::Reject(objection)
    })
}

/// Whether a Pod is a zone proxy of a mesh, which may come before its Mesh (A16).
fn is_zone_proxy(pod: &PodFacts<'_>) -> bool {
    let labels = &pod.metadata.labels;
    labels.get_non_empty(keys::ZONE_PROXY_TYPE).is_some()
}

#[cfg(test)]
mod tests {
    use crate::admission::{cluster::ClusterFailure, request::Operation, test_support::*};
    use rstest::rstest;

    const ON: &str = r#"{"disallowMultipleMeshesPerNamespace":true}"#;

    fn sentence(mesh: &str, what: &str, other: &str) -> String {
        format!(
            "pod is in mesh \"{mesh}\" but namespace \"team\" already contains {what} in mesh \
             \"{other}\"; only one mesh per namespace is allowed when \
             runtime.kubernetes.disallowMultipleMeshesPerNamespace is enabled"
        )
    }

    fn pod(operation: Operation) -> PodRequest {
        PodRequest::new(operation)
            .labels(&[("kuma.io/mesh", "mesh1")])
            .settings(ON)
    }

    #[rstest]
    #[case::empty_namespace(&[], None)]
    #[case::same_mesh(&[("db-0", "mesh1")], None)]
    #[case::other_mesh(&[("db-0", "mesh2")], Some("mesh2"))]
    #[case::the_smallest_name_is_told(&[("a", "mesh3"), ("b", "mesh2"), ("c", "mesh1")], Some("mesh2"))]
    fn a5_a_second_mesh_is_rejected(
        #[case] dataplanes: &[(&'static str, &'static str)],
        #[case] other: Option<&str>,
    ) {
        let cluster = dataplanes
            .iter()
            .fold(FakeCluster::new(&[]), |cluster, (name, mesh)| {
                cluster.dataplane(name, Some(mesh), Some(mesh))
            });
        let verdict = pod(Operation::Create).judge(&cluster);
        let expected = other.map(|other| sentence("mesh1", "dataplanes", other));
        assert_eq!(message(&verdict), expected.as_deref());
        assert_eq!(code(&verdict), expected.map(|_| 403));
    }

    #[rstest]
    #[case::field_without_label(Some("mesh1"), None, None)]
    #[case::other_field_without_label(Some("mesh2"), None, Some("mesh2"))]
    #[case::no_field_is_default(None, None, Some("default"))]
    #[case::empty_field_is_default(Some(""), None, Some("default"))]
    #[case::field_against_another_label(Some("mesh1"), Some("mesh2"), None)]
    #[case::label_of_the_pods_mesh_hides_the_field(Some("mesh2"), Some("mesh1"), None)]
    fn a6_the_field_decides_among_what_the_label_selects(
        #[case] field: Option<&'static str>,
        #[case] label: Option<&'static str>,
        #[case] other: Option<&str>,
    ) {
        let cluster = FakeCluster::new(&[]).dataplane("db-0", field, label);
        let verdict = pod(Operation::Create).judge(&cluster);
        let expected = other.map(|other| sentence("mesh1", "dataplanes", other));
        assert_eq!(message(&verdict), expected.as_deref());
    }

    #[rstest]
    #[case::create_replaces_its_predecessor(Operation::Create, None)]
    #[case::update_is_of_the_running_proxy(
        Operation::Update,
        Some(sentence("mesh1", "dataplanes", "mesh2"))
    )]
    fn a7_a_dataplane_of_the_pods_own_name(
        #[case] operation: Operation,
        #[case] rejection: Option<String>,
    ) {
        let cluster = FakeCluster::new(&[]).dataplane("web-0", Some("mesh2"), Some("mesh2"));
        let verdict = pod(operation).judge(&cluster);
        assert_eq!(message(&verdict), rejection.as_deref());
    }

    #[test]
    fn a7_without_a_name_nothing_is_its_own() {
        let cluster = FakeCluster::new(&[]).dataplane("", Some("mesh2"), Some("mesh2"));
        let verdict = pod(Operation::Create).name("").judge(&cluster);
        assert_eq!(code(&verdict), Some(403));
    }

    #[rstest]
    #[case::all_judges_every_update("all", &[("kuma.io/mesh", "mesh1")], true)]
    #[case::membership_skips_the_same_mesh("membership", &[("kuma.io/mesh", "mesh1")], false)]
    #[case::membership_judges_a_change("membership", &[("kuma.io/mesh", "mesh2")], true)]
    #[case::membership_judges_a_new_member("membership", &[("kuma.io/sidecar-injection", "disabled")], true)]
    fn a8_which_updates_are_judged(
        #[case] updates: &str,
        #[case] old: &[(&'static str, &'static str)],
        #[case] rejected: bool,
    ) {
        let settings =
            format!(r#"{{"disallowMultipleMeshesPerNamespace":true,"updates":"{updates}"}}"#);
        let cluster = FakeCluster::new(&[]).dataplane("db-0", Some("mesh2"), Some("mesh2"));
        let verdict = pod(Operation::Update)
            .was(old)
            .settings(&settings)
            .judge(&cluster);
        assert_eq!(message(&verdict).is_some(), rejected);
        if !rejected {
            assert_eq!(cluster.questions(), 0);
        }
    }

    #[test]
    fn a8_without_the_old_object_an_update_counts_as_a_change() {
        let cluster = FakeCluster::new(&[]).dataplane("db-0", Some("mesh2"), Some("mesh2"));
        let verdict = pod(Operation::Update)
            .settings(r#"{"disallowMultipleMeshesPerNamespace":true,"updates":"membership"}"#)
            .judge(&cluster);
        assert_eq!(code(&verdict), Some(403));
    }

    #[rstest]
    #[case::same_mesh("api-0", &[("kuma.io/mesh", "mesh1")], false, None)]
    #[case::other_mesh("api-0", &[("kuma.io/mesh", "mesh2")], false, Some("mesh2"))]
    #[case::finished("api-0", &[("kuma.io/mesh", "mesh2")], true, None)]
    #[case::own_name("web-0", &[("kuma.io/mesh", "mesh2")], false, None)]
    #[case::unmeshed("api-0", &[("kuma.io/mesh", "mesh2"), ("kuma.io/sidecar-injection", "no")], false, None)]
    #[case::names_no_mesh("api-0", &[("kuma.io/mesh", "")], false, None)]
    fn a10_pods_that_name_another_mesh_count(
        #[case] name: &'static str,
        #[case] labels: &[(&'static str, &'static str)],
        #[case] finished: bool,
        #[case] other: Option<&str>,
        #[values(Operation::Create, Operation::Update)] operation: Operation,
    ) {
        let cluster = FakeCluster::new(&[]).pod(name, labels, finished);
        let verdict = pod(operation).judge(&cluster);
        let expected = other.map(|other| sentence("mesh1", "pods", other));
        assert_eq!(message(&verdict), expected.as_deref());
    }

    #[test]
    fn a10_pods_are_not_asked_for_where_the_setting_says_so() {
        let cluster = FakeCluster::new(&[]).pod("api-0", &[("kuma.io/mesh", "mesh2")], false);
        let verdict = pod(Operation::Create)
            .settings(r#"{"disallowMultipleMeshesPerNamespace":true,"considerPods":false}"#)
            .judge(&cluster);
        assert_eq!((message(&verdict), cluster.lists()), (None, 1));
    }

    #[rstest]
    #[case::create(Operation::Create, None, "all", true)]
    #[case::change(Operation::Update, Some("mesh1"), "all", true)]
    #[case::change_under_membership(Operation::Update, Some("mesh1"), "membership", true)]
    #[case::any_other_update(Operation::Update, Some("nowhere"), "all", false)]
    fn a16_a_mesh_that_does_not_exist(
        #[case] operation: Operation,
        #[case] old: Option<&'static str>,
        #[case] updates: &str,
        #[case] rejected: bool,
    ) {
        let settings =
            format!(r#"{{"disallowMultipleMeshesPerNamespace":true,"updates":"{updates}"}}"#);
        let mut request = pod(operation)
            .labels(&[("kuma.io/mesh", "nowhere")])
            .settings(&settings);
        if let Some(old) = old {
            request = request.was(&[("kuma.io/mesh", old)]);
        }
        let cluster = FakeCluster::new(&[]).dataplane("db-0", Some("mesh2"), Some("mesh2"));
        let verdict = request.judge(&cluster);
        let expected = rejected.then_some("pod is in mesh \"nowhere\", which does not exist");
        assert_eq!(message(&verdict), expected);
        assert_eq!(code(&verdict), expected.map(|_| 403));
        assert_eq!(cluster.lists(), 0, "an invented name must not open a watch");
    }

    #[rstest]
    #[case::empty_namespace(|w: FakeCluster| w, None)]
    #[case::its_own_mesh(|w: FakeCluster| w.dataplane("zone-1", Some("nowhere"), Some("nowhere")), None)]
    #[case::a_dataplane_of_another(|w: FakeCluster| w.dataplane("db-0", Some("mesh2"), Some("mesh2")), Some("dataplanes"))]
    #[case::a_pod_of_another(|w: FakeCluster| w.pod("db-0", &[("kuma.io/mesh", "mesh2")], false), Some("pods"))]
    fn a16_a_zone_proxy_may_come_before_its_mesh(
        #[case] add: fn(FakeCluster) -> FakeCluster,
        #[case] what: Option<&str>,
    ) {
        let zone_proxy = pod(Operation::Create).labels(&[
            ("kuma.io/mesh", "nowhere"),
            ("k8s.kuma.io/zone-proxy-type", "ingress"),
        ]);
        let cluster = add(FakeCluster::new(&[]));
        let verdict = zone_proxy.judge(&cluster);
        let expected = what.map(|what| sentence("nowhere", what, "mesh2"));
        assert_eq!(message(&verdict), expected.as_deref());
        assert!(cluster.lists() > 0 && cluster.asked_without_selector());
    }

    #[test]
    fn a16_an_empty_zone_proxy_type_makes_no_zone_proxy() {
        let labels = [
            ("kuma.io/mesh", "nowhere"),
            ("k8s.kuma.io/zone-proxy-type", ""),
        ];
        let cluster = FakeCluster::new(&[]);
        let verdict = pod(Operation::Create).labels(&labels).judge(&cluster);
        assert_eq!((code(&verdict), cluster.lists()), (Some(403), 0));
    }

    #[test]
    fn a16_a18_a_split_namespace_is_looked_at_without_a_selector_too() {
        let cluster = FakeCluster::new(&[])
            .dataplane("db-0", Some("mesh2"), Some("mesh2"))
            .pod("zone-1", &[("kuma.io/mesh", "nowhere")], false);
        let verdict = pod(Operation::Create)
            .labels(&[
                ("kuma.io/mesh", "nowhere"),
                ("k8s.kuma.io/zone-proxy-type", "egress"),
            ])
            .settings(r#"{"disallowMultipleMeshesPerNamespace":true,"alreadySplit":"warn"}"#)
            .judge(&cluster);
        assert_eq!((message(&verdict), warnings(&verdict).len()), (None, 1));
        assert!(cluster.asked_without_selector());
    }

    /// The Namespace holds a Dataplane of mesh2, and what the case adds.
    #[rstest]
    #[case::nothing_of_the_own_mesh(|w: FakeCluster| w, true)]
    #[case::a_dataplane_of_it(|w: FakeCluster| w.dataplane("api-0", Some("mesh1"), Some("mesh1")), false)]
    #[case::one_without_a_label(|w: FakeCluster| w.dataplane("api-0", Some("mesh1"), None), false)]
    #[case::one_whose_field_says_another(|w: FakeCluster| w.dataplane("api-0", Some("mesh3"), Some("mesh1")), true)]
    #[case::its_predecessor(|w: FakeCluster| w.dataplane("web-0", Some("mesh1"), Some("mesh1")), false)]
    #[case::a_pod_of_it(|w: FakeCluster| w.pod("api-0", &[("kuma.io/mesh", "mesh1")], false), false)]
    #[case::a_finished_pod_of_it(|w: FakeCluster| w.pod("api-0", &[("kuma.io/mesh", "mesh1")], true), true)]
    #[case::an_injected_pod_of_it(|w: FakeCluster| w.pod("api-0", &[("kuma.io/mesh", "mesh1")], false).with_sidecar(&[("kuma.io/sidecar-injected", "true")]), false)]
    #[case::a_hand_written_sidecar(|w: FakeCluster| w.pod("api-0", &[("kuma.io/mesh", "mesh1")], false).with_sidecar(&[]), true)]
    fn a18_where_the_namespace_is_split_already(
        #[case] add: fn(FakeCluster) -> FakeCluster,
        #[case] rejected: bool,
    ) {
        let cluster = add(FakeCluster::new(&[]).dataplane("db-0", Some("mesh2"), Some("mesh2")));
        let verdict = pod(Operation::Create)
            .settings(r#"{"disallowMultipleMeshesPerNamespace":true,"alreadySplit":"warn"}"#)
            .judge(&cluster);
        assert_eq!(message(&verdict).is_some(), rejected);
        assert_eq!(warnings(&verdict).len(), usize::from(!rejected));

        let deny = pod(Operation::Create).judge(&cluster);
        assert_eq!(code(&deny), Some(403), "the page's letter is the default");
    }

    #[test]
    fn a18_the_second_list_is_made_only_in_a_conflict() {
        let cluster = FakeCluster::new(&[]).dataplane("api-0", Some("mesh1"), Some("mesh1"));
        let verdict = pod(Operation::Create)
            .settings(r#"{"disallowMultipleMeshesPerNamespace":true,"alreadySplit":"warn"}"#)
            .judge(&cluster);
        assert_eq!((message(&verdict), cluster.lists()), (None, 2));
    }

    /// The Namespace holds a Dataplane or a Pod of mesh2. The Mesh is the first question.
    #[rstest]
    #[case::its_own_dataplanes(|w: FakeCluster| w.dataplane("db-0", Some("mesh2"), Some("mesh2")), "dataplanes", 2)]
    #[case::its_own_pods(|w: FakeCluster| w.dataplane("db-0", Some("mesh2"), Some("mesh2")), "dataplanes", 3)]
    #[case::after_a_conflict_of_pods(|w: FakeCluster| w.pod("db-0", &[("kuma.io/mesh", "mesh2")], false), "pods", 3)]
    fn a18_a_conflict_stands_whatever_becomes_of_the_second_list(
        #[case] add: fn(FakeCluster) -> FakeCluster,
        #[case] what: &str,
        #[case] answers: usize,
        #[values(
            ClusterFailure::KumaNotInstalled,
            ClusterFailure::NotGranted("no grant".into()),
            ClusterFailure::NamespaceNotFound,
            ClusterFailure::Unavailable("pods")
        )]
        failure: ClusterFailure,
    ) {
        let cluster = add(FakeCluster::new(&[])).after(answers, failure);
        let verdict = pod(Operation::Create)
            .settings(r#"{"disallowMultipleMeshesPerNamespace":true,"alreadySplit":"warn"}"#)
            .judge(&cluster);
        let expected = sentence("mesh1", what, "mesh2");
        assert_eq!(message(&verdict), Some(&*expected));
        assert_eq!(code(&verdict), Some(403));
        assert_eq!(cluster.questions(), answers + 1);
    }

    #[test]
    fn a13_without_the_pods_there_is_no_verdict() {
        let failure = ClusterFailure::Unavailable("pods");
        let verdict = pod(Operation::Create).judge(&FakeCluster::new(&[]).after(2, failure));
        assert_eq!(code(&verdict), Some(500));
    }
}

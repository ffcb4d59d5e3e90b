//! Who is told the steps of a judgement, and what the steps are.
//!
//! The rules tell what they find as they go, so that a walk through them is the judgement itself, and
//! no second reading of it. The policy has no witness: what it would be told costs it nothing.

use super::verdict::Objection;

/// Who is told the steps of a judgement of a Pod or Pod template. By default they are not heard.
pub trait Witness {
    /// A rule had nothing against the object, or said what the next rules go by.
    fn step(&self, step: Step) {
        let _ = step;
    }

    /// A rule has something against the object, and rejects it or only warns.
    fn objects(&self, objection: &Objection, rejects: bool) {
        let _ = (objection, rejects);
    }
}

/// What comes of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Something that rules go by.
    Fact,
    /// The rule has nothing against the object.
    Passes,
    /// The rule warns.
    Warns,
    /// The rule rejects the object.
    Rejects,
    /// No later rule is asked.
    Ends,
}

impl Outcome {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fact => "fact",
            Self::Passes => "passes",
            Self::Warns => "warns",
            Self::Rejects => "rejects",
            Self::Ends => "ends",
        }
    }
}

/// Declares [`Step`] from one table, in the order in which the rules are asked.
macro_rules! steps {
    ($($(#[doc = $doc:literal])+ $step:ident = $rule:literal $outcome:ident,)+) => {
        /// A step of a judgement that is no objection.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Step {
            $($(#[doc = $doc])+ $step,)+
        }

        impl Step {
            /// All steps, in the order in which the rules are asked.
            pub const ALL: &[Self] = &[$(Self::$step,)+];

            /// The number of the rule whose step it is.
            pub const fn rule(self) -> &'static str {
                match self {
                    $(Self::$step => $rule,)+
                }
            }

            /// What comes of it.
            pub const fn outcome(self) -> Outcome {
                match self {
                    $(Self::$step => Outcome::$outcome,)+
                }
            }
        }
    };
}

steps! {
    /// Another object has the same template, and is judged.
    OwnerIsJudged = "A2" Ends,
    /// The Pod has not finished, and is not being deleted.
    NotAtItsEnd = "A15" Passes,
    /// The Pod has finished, or is being deleted.
    AtItsEnd = "A15" Ends,
    /// The UPDATE changes something that rules look at.
    Changes = "A4" Passes,
    /// The UPDATE changes nothing that matters.
    ChangesNothing = "A4" Ends,
    /// The Pod does not have the label `kuma.io/workload`.
    PodWithoutLabel = "A1" Passes,
    /// The template does not have the label `kuma.io/workload`.
    TemplateWithoutLabel = "A2" Passes,
    /// The template had the label `kuma.io/workload` before.
    TemplateHadLabel = "A2" Passes,
    /// There is no annotation `kuma.io/workload`.
    WithoutAnnotation = "A3" Passes,
    /// Names of workloads are not judged.
    NamesNotJudged = "W5" Passes,
    /// It has no workload, as far as it can be told without the Namespace.
    NoWorkloadKnown = "W5" Passes,
    /// A Workload can have the name.
    PossibleWorkload = "W5" Passes,
    /// No Workload can have the name, but the UPDATE does not change it.
    KeptWorkload = "W5" Passes,
    /// No rule judges meshes.
    MeshesNotJudged = "A5" Ends,
    /// The Namespace is exempt.
    ExemptNamespace = "A19" Ends,
    /// The UPDATE brings it into no mesh.
    JoinsNothing = "A8" Ends,
    /// Only `meshNamespaces` judges meshes, and closes none to the Namespace.
    NothingClosed = "A20" Ends,
    /// It is in no mesh.
    Unmeshed = "I2" Ends,
    /// It joins its mesh.
    Joins = "A8" Fact,
    /// It was in its mesh before, and every UPDATE is judged.
    EveryUpdate = "A8" Fact,
    /// A Mesh can have the name.
    PossibleMesh = "M4" Passes,
    /// The mesh is open to the Namespace.
    OpenMesh = "A20" Passes,
    /// The mesh is open to the Namespace, and no other rule judges meshes.
    OnlyOpenMesh = "A20" Ends,
    /// The Namespace declares this mesh.
    DeclaredMesh = "A17" Passes,
    /// Kuma is not installed, so no mesh can be in conflict.
    WithoutKuma = "A13" Ends,
    /// The Mesh exists.
    MeshExists = "A16" Passes,
    /// The Mesh does not exist, but the object was in it before.
    WasInUnknownMesh = "A16" Ends,
    /// The Mesh does not exist, but a zone proxy may come before it.
    ZoneProxy = "A16" Passes,
    /// A Dataplane of the Pod's own name is of another mesh, and does not count.
    Predecessor = "A7" Fact,
    /// The Namespace has no Dataplane of another mesh.
    NoOtherDataplane = "A5" Passes,
    /// Pods are not looked at.
    PodsNotConsidered = "A10" Passes,
    /// The Namespace has no Pod of another mesh.
    NoOtherPod = "A10" Passes,
    /// The Namespace has a Pod of another mesh.
    OtherPod = "A10" Fact,
    /// The Namespace is split already, so the object brings no mesh that is not there.
    AlreadySplit = "A18" Fact,
    /// The Namespace has nothing of the object's mesh yet.
    NotYetSplit = "A18" Fact,
    /// A Pod template is only warned about.
    TemplateOnlyWarned = "A11" Fact,
    /// The setting `action` makes a warning of it.
    OnlyWarned = "A9" Fact,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        admission::{cluster::ClusterFailure, request::Operation, test_support::*},
        keys,
    };
    use rstest::rstest;

    const OBSERVED: &str = r#"{"disallowMultipleMeshesPerNamespace":true}"#;
    const DECLARED: &str =
        r#"{"disallowMultipleMeshesPerNamespace":true,"namespaceMesh":"declared"}"#;
    const CLOSED: &str = r#"{"meshNamespaces":{"mesh1":["other"]}}"#;
    const OPEN: &str = r#"{"meshNamespaces":{"mesh1":["team"]}}"#;
    const UPDATES: &str = r#"{"disallowMultipleMeshesPerNamespace":true,"updates":"membership"}"#;
    const NO_PODS: &str = r#"{"disallowMultipleMeshesPerNamespace":true,"considerPods":false}"#;
    const WARN: &str = r#"{"disallowMultipleMeshesPerNamespace":true,"action":"warn"}"#;
    const SPLIT: &str = r#"{"disallowMultipleMeshesPerNamespace":true,"alreadySplit":"warn"}"#;

    fn create() -> PodRequest {
        PodRequest::new(Operation::Create)
    }

    fn update() -> PodRequest {
        PodRequest::new(Operation::Update)
    }

    fn unchanged() -> PodRequest {
        let mut request = update();
        request.unchanged = true;
        request
    }

    fn template() -> TemplateRequest {
        TemplateRequest::new("Deployment")
    }

    fn empty() -> FakeCluster {
        FakeCluster::new(&[])
    }

    /// With a Dataplane of another mesh.
    fn mixed() -> FakeCluster {
        empty().dataplane("other", Some("mesh2"), Some("mesh2"))
    }

    const BEGIN: &str = "A15 passes, A1 passes, A3 passes, W5 passes";
    const UPDATED: &str = "A4 passes, A1 passes, A3 passes, W5 passes";
    const ASKED: &str = "A8 fact, M4 passes, A20 passes, A16 passes";

    #[rstest]
    #[case::off(create().in_mesh("mesh1"), empty(), &[BEGIN, "A5 ends"])]
    #[case::settled(unchanged(), empty(), &["A4 ends"])]
    #[case::label(create().labels(&[(keys::WORKLOAD, "x")]), empty(), &["A15 passes", "forged-label rejects"])]
    #[case::annotation(create().annotations(&[(keys::WORKLOAD, "x")]), empty(),
        &["A15 passes, A1 passes", "idle-annotation warns", "W5 passes, A5 ends"])]
    #[case::word(create().annotations(&[(keys::GATEWAY, "x")]), empty(), &[BEGIN, "A5 ends", "switch-word warns"])]
    #[case::exempt(create().in_mesh("mesh1").namespace("kube-system").settings(OBSERVED), empty(),
        &[BEGIN, "A19 ends"])]
    #[case::unmeshed(create().settings(OBSERVED), empty(), &[BEGIN, "I2 ends"])]
    #[case::accepted(create().in_mesh("mesh1").settings(OBSERVED), empty(),
        &[BEGIN, ASKED, "A5 passes, A10 passes"])]
    #[case::no_pods(create().in_mesh("mesh1").settings(NO_PODS), empty(),
        &[BEGIN, ASKED, "A5 passes, A10 passes"])]
    #[case::mixed(create().in_mesh("mesh1").settings(OBSERVED), mixed(),
        &[BEGIN, ASKED, "second-mesh rejects"])]
    #[case::pods(create().in_mesh("mesh1").settings(OBSERVED), empty().pod("b", &[(keys::MESH, "mesh2")], false),
        &[BEGIN, ASKED, "A5 passes, A10 fact", "second-mesh rejects"])]
    #[case::predecessor(create().in_mesh("mesh1").settings(OBSERVED),
        empty().dataplane("web-0", Some("mesh2"), None),
        &[BEGIN, ASKED, "A7 fact, A5 passes, A10 passes"])]
    #[case::warned(create().in_mesh("mesh1").settings(WARN), mixed(),
        &[BEGIN, ASKED, "A9 fact", "second-mesh warns"])]
    #[case::not_split(create().in_mesh("mesh1").settings(SPLIT), mixed(),
        &[BEGIN, ASKED, "A18 fact", "second-mesh rejects"])]
    #[case::split(create().in_mesh("mesh1").settings(SPLIT),
        mixed().dataplane("own", Some("mesh1"), None),
        &[BEGIN, ASKED, "A18 fact", "second-mesh warns"])]
    #[case::bad_mesh(create().in_mesh("Mesh!").settings(OBSERVED), empty(),
        &[BEGIN, "A8 fact", "bad-mesh-name rejects"])]
    #[case::unknown_mesh(create().in_mesh("mesh9").settings(OBSERVED), empty(),
        &[BEGIN, "A8 fact, M4 passes, A20 passes", "unknown-mesh rejects"])]
    #[case::zone_proxy(
        create().labels(&[(keys::MESH, "mesh9"), (keys::ZONE_PROXY_TYPE, "ingress")]).settings(OBSERVED), empty(),
        &[BEGIN, ASKED, "A5 passes, A10 passes"])]
    #[case::declared(create().in_mesh("mesh1").settings(DECLARED), FakeCluster::new(&[(keys::MESH, "mesh1")]),
        &[BEGIN, "A8 fact, M4 passes, A20 passes, A17 passes"])]
    #[case::declared_otherwise(create().in_mesh("mesh1").settings(DECLARED), empty(),
        &[BEGIN, "A8 fact, M4 passes, A20 passes", "declared-mesh rejects"])]
    #[case::closed(create().in_mesh("mesh1").settings(CLOSED), empty(),
        &[BEGIN, "A8 fact", "closed-mesh rejects"])]
    #[case::open(create().in_mesh("mesh1").settings(OPEN), empty(), &[BEGIN, "A20 ends"])]
    #[case::joins_nothing(update().in_mesh("mesh1").was(&[(keys::MESH, "mesh1")]).settings(UPDATES), empty(),
        &[UPDATED, "A8 ends"])]
    #[case::every_update(update().in_mesh("mesh1").was(&[(keys::MESH, "mesh1")]).settings(OBSERVED), empty(),
        &[UPDATED, "A8 fact, M4 passes, A16 passes, A5 passes, A10 passes"])]
    #[case::still_unknown(update().in_mesh("mesh9").was(&[(keys::MESH, "mesh9")]).settings(OBSERVED), empty(),
        &[UPDATED, "A8 fact, M4 passes, A16 ends"])]
    #[case::without_kuma(create().in_mesh("mesh1").settings(OBSERVED),
        FakeCluster::failing(ClusterFailure::KumaNotInstalled),
        &[BEGIN, "A8 fact, M4 passes, A20 passes, A13 ends"])]
    #[case::no_answer(create().in_mesh("mesh1").settings(OBSERVED),
        FakeCluster::failing(ClusterFailure::NamespaceNotFound),
        &[BEGIN, "A8 fact, M4 passes, A20 passes", "cluster-question rejects"])]
    fn a_pod_goes_from_rule_to_rule(
        #[case] mut request: PodRequest,
        #[case] cluster: FakeCluster,
        #[case] steps: &[&str],
    ) {
        request.user = None;
        request.judge(&cluster);
        assert_eq!(cluster.told(), steps.join(", "));
    }

    const TEMPLATE: &str = "A2 passes, A3 passes, W5 passes";

    #[rstest]
    #[case::owned(template().owned(), empty(), &["A2 ends"])]
    #[case::label(template().labels(&[(keys::WORKLOAD, "x")]), empty(), &["forged-label rejects"])]
    #[case::had_label(template().labels(&[(keys::WORKLOAD, "x")]).was(&[(keys::WORKLOAD, "y")]), empty(),
        &["A2 passes, A3 passes, W5 passes, A5 ends"])]
    #[case::observed(template().labels(&[(keys::MESH, "mesh1")]).settings(OBSERVED), mixed(),
        &[TEMPLATE, ASKED, "A11 fact", "second-mesh warns"])]
    #[case::refused(template().labels(&[(keys::MESH, "mesh1")]).settings(DECLARED), mixed(),
        &[TEMPLATE, "A8 fact, M4 passes, A20 passes", "declared-mesh rejects"])]
    fn a_template_goes_from_rule_to_rule(
        #[case] request: TemplateRequest,
        #[case] cluster: FakeCluster,
        #[case] steps: &[&str],
    ) {
        request.judge(&cluster);
        assert_eq!(cluster.told(), steps.join(", "));
    }

    #[test]
    fn no_step_is_an_objection() {
        let is_an_objection =
            |step: &&Step| matches!(step.outcome(), Outcome::Warns | Outcome::Rejects);
        assert_eq!(Step::ALL.iter().find(is_an_objection), None);
    }
}

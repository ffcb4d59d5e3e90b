//! What the rules answer: objections, and the verdict that is made of them.

/// Declares [`Rule`] from one table, so that a rule, its name and its numbers stand on one line.
macro_rules! rules {
    ($(#[doc = $doc:literal] $rule:ident => $name:literal by [$($number:literal),+],)+) => {
        /// The rules that can object to a request.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Rule {
            $(#[doc = $doc] $rule,)+
        }

        impl Rule {
            /// All rules.
            pub const ALL: &[Self] = &[$(Self::$rule,)+];

            /// The name of the rule in audit annotations, reports and the documentation. A plan calls
            /// what it finds of the same kind by this name.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$rule => $name,)+
                }
            }

            /// The numbers of the rules that object by this name: the first says what they are about.
            /// A template's label has a rule of its own, the second.
            pub const fn numbers(self) -> &'static [&'static str] {
                match self {
                    $(Self::$rule => &[$($number),+],)+
                }
            }
        }
    };
}

rules! {
    /// A1 and A2: nobody sets the label `kuma.io/workload`.
    WorkloadLabel => "forged-label" by ["A1", "A2"],
    /// W7: the annotation `kuma.io/workload` has no effect.
    WorkloadAnnotation => "idle-annotation" by ["A3", "W7"],
    /// W5: no Workload can have this name.
    WorkloadName => "bad-name" by ["W5"],
    /// I6: a switch word that does not do what it looks like.
    SwitchWord => "switch-word" by ["I6"],
    /// M4: no Mesh can have this name.
    MeshName => "bad-mesh-name" by ["M4"],
    /// A20: a mesh that the Namespace may not join.
    ClosedMesh => "closed-mesh" by ["A20"],
    /// A16: a Mesh that does not exist.
    MeshExists => "unknown-mesh" by ["A16"],
    /// A5 to A11: one mesh in a Namespace, as observed.
    ObservedMesh => "second-mesh" by ["A5", "A6", "A7", "A8", "A9", "A10", "A11", "A18"],
    /// A17: one mesh in a Namespace, as declared.
    DeclaredMesh => "declared-mesh" by ["A17"],
    /// A12: a Namespace that moves to another mesh.
    NamespaceRelabel => "namespace-relabel" by ["A12"],
    /// A21: a Namespace that stops to inject while it has proxies.
    InjectionOff => "injection-off" by ["A21"],
    /// A13: a question to the cluster that failed.
    ClusterQuestion => "cluster-question" by ["A13"],
    /// P1: a Workload that is written by hand.
    WorkloadObject => "workload-object" by ["P1"],
}

/// What a rule has against a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objection {
    /// The rule that objects.
    pub rule: Rule,
    /// The sentence for the user.
    pub message: String,
}

impl Objection {
    /// An objection of this rule.
    pub(super) fn new(rule: Rule, message: String) -> Self {
        Self { rule, message }
    }

    /// The status code of a rejection: 403, or 500 if a question to the cluster failed (A13).
    pub fn code(&self) -> u16 {
        match self.rule {
            Rule::ClusterQuestion => 500,
            _ => 403,
        }
    }
}

/// The answer to a request. The request is accepted if there is no rejection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Why the request is rejected.
    pub rejection: Option<Objection>,
    /// What the user is warned about, whether the request is accepted or not.
    pub warnings: Vec<Objection>,
}

/// What a rule answers: nothing, or an objection that rejects the request.
pub(super) type Ruling = Result<(), Objection>;

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a9_the_name_of_a_rule_is_its_own_and_fit_for_the_key_of_an_annotation() {
        let names: BTreeSet<_> = Rule::ALL.iter().map(|rule| rule.name()).collect();
        assert_eq!(names.len(), Rule::ALL.len());
        for name in names {
            assert!(
                name.bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte == b'-')
            );
            assert!(name.len() <= 63, "{name}");
        }
    }
}

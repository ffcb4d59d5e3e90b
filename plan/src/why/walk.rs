//! A walk through the rules: its steps, and how they are written.

use kuma_workload_rulebook::{
    admission::{Outcome, Rule, Step},
    membership::MembershipReason,
    mesh::MeshSource,
};
use serde::{Serialize, Serializer};

/// The walk through the rules that led to a verdict.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Walk {
    pub(super) namespace: String,
    pub(super) mesh: String,
    pub(super) workload: String,
    pub(super) entries: Vec<Entry>,
}

/// A step of a walk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct StepReport {
    /// The number of the rule, as `docs/rules.md` has it.
    pub rule: &'static str,
    /// `fact`, `passes`, `warns`, `rejects`, or `ends`: no later rule is asked.
    pub outcome: &'static str,
    /// What was looked at, and what was found. Of a rule that warns or rejects, its sentence.
    pub message: String,
}

/// What a walk keeps of a step until it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Entry {
    /// Why it is in a mesh, or in none.
    Membership(MembershipReason),
    /// It is a Dataplane.
    IsDataplane,
    /// Where its mesh comes from; whether the injector has written that.
    Mesh(MeshSource, bool),
    /// Its mesh comes from the field of the Dataplane.
    MeshOfDataplane,
    /// The number of the rule that names its workload, and where the name comes from.
    Workload(&'static str, String),
    /// It is in a mesh, and has no workload.
    NoWorkload,
    /// The workload that its Dataplane has stored.
    Stored(String),
    /// A step of admission.
    Step(Step),
    /// What a rule of this number has against it.
    Objection {
        number: &'static str,
        rule: Rule,
        rejects: bool,
        sentence: String,
    },
    /// The Pods of the template are judged from here on.
    ItsPods,
    /// The verdict.
    End,
}

impl Walk {
    /// The walk, with these steps at its end.
    pub(crate) fn with(mut self, entries: impl IntoIterator<Item = Entry>) -> Self {
        self.entries.extend(entries);
        self
    }

    /// Whether there is no step.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Its steps, as they are written.
    pub fn steps(&self) -> impl Iterator<Item = StepReport> {
        let steps = self.entries.iter().enumerate();
        steps.map(|(number, entry)| {
            let (rule, outcome) = match entry {
                Entry::End => (self.decisive(number), Outcome::Ends),
                entry => (entry.rule(), entry.outcome()),
            };
            StepReport {
                rule,
                outcome: outcome.name(),
                message: self.sentence(entry),
            }
        })
    }

    /// The number of the rule that rejects it, else of the last that warns, else of the last that was
    /// asked.
    fn decisive(&self, end: usize) -> &'static str {
        let before = || self.entries.iter().take(end).rev();
        let of = |outcome| before().find(|entry| entry.outcome() == outcome);
        let decisive = of(Outcome::Rejects).or_else(|| of(Outcome::Warns));
        decisive.or_else(|| before().next()).map_or("", Entry::rule)
    }
}

impl Serialize for Walk {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.steps())
    }
}

impl Entry {
    fn rule(&self) -> &'static str {
        match self {
            Self::Membership(MembershipReason::LabelOff | MembershipReason::Exception(_)) => "I3",
            Self::Membership(_) | Self::IsDataplane => "I1",
            Self::Mesh(MeshSource::PodAnnotation | MeshSource::NamespaceAnnotation, _) => "M2",
            Self::Mesh(_, true) => "M3",
            Self::Mesh(_, false) => "M1",
            Self::MeshOfDataplane => "A6",
            Self::NoWorkload | Self::Stored(_) => "W8",
            Self::Step(step) => step.rule(),
            Self::Workload(number, _) | Self::Objection { number, .. } => number,
            Self::ItsPods => "A11",
            Self::End => "",
        }
    }

    pub(super) fn outcome(&self) -> Outcome {
        match self {
            Self::Step(step) => step.outcome(),
            Self::Objection { rejects: true, .. } => Outcome::Rejects,
            Self::Objection { rejects: false, .. } => Outcome::Warns,
            Self::End => Outcome::Ends,
            _ => Outcome::Fact,
        }
    }
}

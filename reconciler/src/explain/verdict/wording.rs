//! What is said about a Workload first, and the sentences of which it is made.

use kuma_workload_rulebook::quoted::printable;

use crate::explain::Facts;

/// What is to be said about a Workload first.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::explain) struct Verdict {
    /// Whether it exists, and why not.
    pub(in crate::explain) answer: String,
    /// The rules that decide.
    pub(in crate::explain) rules: Vec<&'static str>,
    /// What they say.
    pub(in crate::explain) decision: String,
}

impl Facts {
    /// The Workload, in words.
    pub(super) fn name(&self) -> String {
        let workload = printable(&self.key.workload);
        format!("Workload {}/{workload}", self.key.namespace)
    }

    /// It does not exist, for this reason.
    pub(super) fn absent(
        &self,
        because: &str,
        rules: &[&'static str],
        decision: String,
    ) -> Verdict {
        Verdict {
            answer: format!("{} does not exist because {because}.", self.name()),
            rules: rules.to_vec(),
            decision,
        }
    }

    /// It exists, and this is to be said of it.
    pub(super) fn present(&self, what: &str, rules: &[&'static str], decision: String) -> Verdict {
        Verdict {
            answer: format!("{} exists and {what}.", self.name()),
            rules: rules.to_vec(),
            decision,
        }
    }

    /// What is to be done about a Workload that exists, and why it has not been done.
    pub(super) fn to_do(&self, what: &str) -> String {
        let obstacle = self.obstacle.as_ref();
        let not_yet = obstacle.map(|obstacle| format!(", but not yet: {obstacle}"));
        format!(
            "is not as it should be: {what}{}",
            not_yet.unwrap_or_default()
        )
    }
}

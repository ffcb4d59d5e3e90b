//! What both say of a request: the ValidatingAdmissionPolicies, and the built policy.

use kuma_workload_host::AdmissionResponse;

use crate::api::Reply;

/// A verdict, as both can give it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It is rejected with this code and sentence.
    Rejected(u16, String),
    /// It is accepted, with these warnings of the rules that both have.
    Accepted(Vec<String>),
}

/// A rule that is not said in CEL.
pub(crate) const ANOTHER: &str = "another";

/// What stands before the sentence of a ValidatingAdmissionPolicy.
const DENIED: &str = "denied request: ";
const WARNED: &str = "Validation failed for ValidatingAdmissionPolicy ";

/// The rules that are said in CEL, by the names under which the policy warns.
const RULES: [&str; 4] = [
    "bad-mesh-name",
    "closed-mesh",
    "declared-mesh",
    "workload-object",
];

/// The answer of the API server's own policies.
pub(crate) fn of_api_server(reply: &Reply) -> Answer {
    if reply.is_accepted() {
        let warnings = reply.warnings.iter().filter_map(|warning| {
            let (_, sentence) = warning.strip_prefix(WARNED)?.split_once("': ")?;
            Some(sentence.to_owned())
        });
        return Answer::accepted(warnings);
    }
    let sentence = match reply.message.split_once(DENIED) {
        Some((_, sentence)) => sentence,
        None => &reply.message,
    };
    Answer::Rejected(reply.code, sentence.to_owned())
}

/// The answer of the built policy.
pub(crate) fn of_policy(response: &AdmissionResponse) -> Answer {
    if !response.allowed {
        let sentence = response.message().unwrap_or_default().to_owned();
        return Answer::Rejected(response.code().unwrap_or_default(), sentence);
    }
    let warnings = response.audit_annotations.iter().flatten();
    let warnings = warnings.filter(|(rule, _)| RULES.contains(&rule.as_str()));
    Answer::accepted(warnings.map(|(_, sentence)| sentence.clone()))
}

impl Answer {
    fn accepted(warnings: impl IntoIterator<Item = String>) -> Self {
        let mut warnings: Vec<_> = warnings.into_iter().collect();
        warnings.sort();
        Self::Accepted(warnings)
    }

    /// The same, with only this beginning of a name that the API server has made up: each request gets
    /// another one.
    pub(crate) fn with_beginning(self, beginning: &str) -> Self {
        /// So many characters are made up.
        const MADE_UP: usize = 5;
        let cut = |sentence: String| {
            let mut parts = sentence.split(beginning);
            let first = parts.next().unwrap_or_default().to_owned();
            let rest = parts.map(|part| beginning.to_owned() + part.get(MADE_UP..).unwrap_or(part));
            first + &rest.collect::<String>()
        };
        match self {
            Self::Rejected(code, sentence) => Self::Rejected(code, cut(sentence)),
            Self::Accepted(warnings) => Self::Accepted(warnings.into_iter().map(cut).collect()),
        }
    }

    /// The rule that has spoken, by its sentence; none if nothing was said.
    pub(crate) fn rule(&self) -> Option<&'static str> {
        let said = match self {
            Self::Rejected(_, sentence) => sentence,
            Self::Accepted(warnings) => warnings.first()?,
        };
        let of_rule = |words: &str| said.contains(words);
        Some(match () {
            () if of_rule("cannot manually set") => "A1",
            () if of_rule("cannot set kuma.io/workload") => "A2",
            () if of_rule("is not a possible name") => "M4",
            () if of_rule("is declared for mesh") => "A17",
            () if of_rule("may not join; mesh") => "A20",
            () if of_rule("is managed automatically") => "P1",
            () => ANOTHER,
        })
    }
}

//! Builds the responses.

use kuma_workload_rulebook::admission::{Objection, Verdict};
use serde::{Serialize, Serializer};

use crate::unreadable::Unreadable;

/// What a guest function returns: the response, or why there is none.
pub type GuestResult = Result<Vec<u8>, &'static str>;

/// The longest warning that kubectl and the API server do not cut, in characters.
const MAX_WARNING: usize = 120;

/// The protocol's validation response. The type of the SDK can also hold a mutated object of any
/// shape. That would make the module 10 KB larger, and no verdict needs it.
#[derive(Serialize)]
struct ValidationResponse<'r> {
    accepted: bool,
    message: Option<String>,
    code: Option<u16>,
    audit_annotations: Option<AuditAnnotations>,
    warnings: Option<Vec<&'r str>>,
}

/// The protocol's response to settings.
#[derive(Serialize)]
struct SettingsValidationResponse {
    valid: bool,
    message: Option<String>,
}

/// The response to a request that was judged.
pub(crate) fn verdict(verdict: Verdict) -> GuestResult {
    let Verdict {
        rejection,
        warnings,
    } = verdict;
    let rejected = rejection.map(|objection| (objection.code(), objection.message));
    encode(rejected, &warnings)
}

/// The response to a request that cannot be judged (A14).
pub(crate) fn unreadable(unreadable: &Unreadable) -> GuestResult {
    let code = match unreadable {
        Unreadable::NotJson { .. } | Unreadable::Field { .. } => 400,
        Unreadable::Settings(_) => 500,
    };
    encode(Some((code, unreadable.to_string())), &[])
}

fn encode(rejected: Option<(u16, String)>, warnings: &[Objection]) -> GuestResult {
    let accepted = rejected.is_none();
    let (code, message) = rejected.unzip();
    let response = ValidationResponse {
        accepted,
        message,
        code,
        audit_annotations: (!warnings.is_empty()).then(|| AuditAnnotations::of(warnings)),
        warnings: (!warnings.is_empty()).then(|| {
            let pieces = warnings.iter().flat_map(|warning| pieces(&warning.message));
            pieces.collect()
        }),
    };
    write(&response)
}

fn write(response: &impl Serialize) -> GuestResult {
    serde_json::to_vec(response).map_err(|_| "the response cannot be written")
}

/// The audit annotations: for each rule the same sentences as in the warnings, but not split (A9).
struct AuditAnnotations(Vec<(&'static str, String)>);

impl AuditAnnotations {
    fn of(warnings: &[Objection]) -> Self {
        let mut annotations = Vec::<(&str, String)>::new();
        for warning in warnings {
            let rule = warning.rule.name();
            match annotations.iter_mut().find(|(key, _)| *key == rule) {
                Some((_, sentences)) => {
                    sentences.push_str("; ");
                    sentences.push_str(&warning.message);
                }
                None => annotations.push((rule, warning.message.clone())),
            }
        }
        Self(annotations)
    }
}

impl Serialize for AuditAnnotations {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(rule, sentences)| (rule, sentences)))
    }
}

/// Splits a sentence between words into pieces of at most [`MAX_WARNING`] characters. A word that
/// is longer is split as well.
fn pieces(sentence: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = sentence.trim();
    while let Some((too_long, _)) = rest.char_indices().nth(MAX_WARNING) {
        let (line, next) = rest.split_at(too_long);
        let cut = if next.starts_with(' ') {
            too_long
        } else {
            line.rfind(' ').unwrap_or(too_long)
        };
        let (piece, after) = rest.split_at(cut);
        pieces.push(piece);
        rest = after.trim_start();
    }
    if !rest.is_empty() {
        pieces.push(rest);
    }
    pieces
}

/// The response of `validate_settings`.
pub(crate) fn settings(faults: Option<String>) -> GuestResult {
    write(&SettingsValidationResponse {
        valid: faults.is_none(),
        message: faults,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::short("one two", &["one two"])]
    #[case::empty("", &[])]
    #[case::longest(&"a".repeat(120), &[&*"a".repeat(120)])]
    #[case::between_words(&format!("{} {}", "a".repeat(100), "b".repeat(30)), &[&*"a".repeat(100), &*"b".repeat(30)])]
    #[case::space_at_the_limit(&format!("{} b", "a".repeat(120)), &[&*"a".repeat(120), "b"])]
    #[case::long_word(&"ä".repeat(250), &[&*"ä".repeat(120), &*"ä".repeat(120), &*"ä".repeat(10)])]
    fn a9_warnings_are_split(#[case] sentence: &str, #[case] expected: &[&str]) {
        assert_eq!(pieces(sentence), expected);
    }
}

//! What is told of an answer that is no success and whose body is no Status: of a proxy, say.

use http::StatusCode;

/// So many characters of its text are told.
pub(crate) const LONGEST_MESSAGE: usize = 200;

/// The reason, as a Status would have it for this code.
pub(crate) fn reason(code: StatusCode) -> String {
    code.canonical_reason().unwrap_or_default().replace(' ', "")
}

/// The first line with something in it; empty if there is none.
pub(crate) fn message(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let mut lines = text.lines().map(str::trim);
    let line = lines.find(|line| !line.is_empty()).unwrap_or_default();
    line.chars().take(LONGEST_MESSAGE).collect()
}

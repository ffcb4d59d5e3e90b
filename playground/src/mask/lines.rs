//! A document that cannot be read, masked by its lines: the value of each key that may hold something, whatever
//! the object is, with all lines that belong to it.

/// The keys whose values are masked.
const KEYS: [&str; 8] = [
    "value",
    "data",
    "stringData",
    "env",
    "envVars",
    "binaryData",
    "kubectl.kubernetes.io/last-applied-configuration",
    "kuma.io/sidecar-env-vars",
];

/// How far the value of a key goes.
#[derive(Debug, Clone, Copy)]
enum Extent {
    /// Over all lines that are indented further than the key.
    Indented(usize),
    /// Nothing tells, since the key stands between brackets.
    ToTheEnd,
}

/// Adds the text with all of that masked by this word.
pub(super) fn mask(text: &str, word: &str, to: &mut String) {
    let mut masked: Option<Extent> = None;
    for line in text.split_inclusive('\n') {
        let content = line.trim_end_matches(['\n', '\r']);
        let end = line.get(content.len()..).unwrap_or_default();
        masked = masked.filter(|extent| goes_on(*extent, content));
        if masked.is_some() {
            let before = content.len() - content.trim_start_matches(BEFORE).len();
            to.push_str(content.get(..before).unwrap_or_default());
            if before < content.len() {
                to.push_str(word);
            }
        } else if let Some((at, after)) = first_key(content) {
            to.push_str(content.get(..after).unwrap_or_default());
            if !content.get(after..).unwrap_or_default().trim().is_empty() {
                to.push(' ');
                to.push_str(word);
            }
            masked = Some(match is_alone(content, at) {
                true => Extent::Indented(indent(content)),
                false => Extent::ToTheEnd,
            });
        } else {
            to.push_str(content);
        }
        to.push_str(end);
    }
}

/// What comes before the first word of a line.
const BEFORE: [char; 3] = [' ', '\t', '-'];

/// How far a line is indented, dashes of lists included.
fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches(BEFORE).len()
}

/// Whether a line belongs to the value before it.
fn goes_on(extent: Extent, line: &str) -> bool {
    let Extent::Indented(of_key) = extent else {
        return true;
    };
    let spaces = line.len() - line.trim_start().len();
    // A list may stand as far to the left as its key.
    let is_item = line.trim_start().starts_with('-') && !line.starts_with("---");
    line.trim().is_empty() || indent(line) > of_key || is_item && spaces == of_key
}

/// Whether only space, quotes and dashes come before the key: else it stands between brackets, and nothing tells
/// where its value ends.
fn is_alone(content: &str, at: usize) -> bool {
    let before = content.get(..at).unwrap_or_default();
    before.trim_matches([' ', '\t', '-', '"', '\'']).is_empty()
}

/// Where the first of the keys stands in a line, and where its colon ends.
fn first_key(line: &str) -> Option<(usize, usize)> {
    let lower = line.to_ascii_lowercase();
    let found = KEYS.iter().filter_map(|key| {
        let key = key.to_ascii_lowercase();
        lower.match_indices(&key).find_map(|(at, _)| {
            let before = line.get(..at)?.chars().next_back();
            let is_begun = before.is_none_or(|before| " \t-\"'{[,?".contains(before));
            let after = line.get(at + key.len()..)?;
            let rest = after.trim_start_matches(['"', '\'', ' ', '\t']);
            let end = line.len() - rest.len();
            (is_begun && rest.starts_with(':')).then_some((at, end + 1))
        })
    });
    found.min()
}

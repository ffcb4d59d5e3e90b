//! Finds the path of the field at a position in a JSON document.

use kuma_workload_rulebook::quoted::path_segment;

/// The path of the value at a byte of the document, which must be JSON up to there. The path begins
/// with `root`. A key that no field, label or annotation can have is shown as `?`, so that a path
/// never repeats a payload.
pub(crate) fn at(json: &[u8], byte: usize, root: &str) -> String {
    let mut path = Vec::new();
    let mut text = None;
    let mut bytes = json.iter().copied().enumerate().take(byte);
    while let Some((start, byte)) = bytes.next() {
        match byte {
            b'"' => {
                let mut escaped = false;
                let end = bytes.find(|(_, byte)| {
                    let closes = *byte == b'"' && !escaped;
                    escaped = *byte == b'\\' && !escaped;
                    closes
                });
                text = end.and_then(|(end, _)| json.get(start + 1..end));
            }
            b':' => {
                if let Some(last) = path.last_mut() {
                    *last = PathStep::Key(text.take());
                }
            }
            b'{' => path.push(PathStep::Key(None)),
            b'[' => path.push(PathStep::Item(0)),
            b'}' | b']' => {
                path.pop();
            }
            b',' => match path.last_mut() {
                Some(PathStep::Item(index)) => *index += 1,
                Some(key) => *key = PathStep::Key(None),
                None => {}
            },
            _ => {}
        }
    }
    path.iter().fold(root.to_owned(), |shown, part| match part {
        PathStep::Item(index) => format!("{shown}[{index}]"),
        PathStep::Key(None) => shown,
        PathStep::Key(Some(key)) if shown.is_empty() => segment(key).to_owned(),
        PathStep::Key(Some(key)) => format!("{shown}.{}", segment(key)),
    })
}

/// A step of a path. A key is unknown until its `:` is found.
enum PathStep<'j> {
    Key(Option<&'j [u8]>),
    Item(usize),
}

fn segment(key: &[u8]) -> &str {
    str::from_utf8(key).map_or("?", path_segment)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const JSON: &str = r#"{"a":{"b\"":[1,{"c":"x"},[2]],"k.io/d":3},"e f":4}"#;

    #[rstest]
    #[case::root("{", "root")]
    #[case::field(":{", "root.a")]
    #[case::escaped_key(":[1", "root.a.?[0]")]
    #[case::second_item("\"x\"", "root.a.?[1].c")]
    #[case::nested_list("[2", "root.a.?[2][0]")]
    #[case::label_key(":3", "root.a.k.io/d")]
    #[case::not_legible(":4", "root.?")]
    fn paths(#[case] until: &str, #[case] path: &str) {
        let byte = JSON.find(until).unwrap() + until.len();
        assert_eq!(at(JSON.as_bytes(), byte, "root"), path);
    }

    #[test]
    fn any_byte_of_anything_has_a_path() {
        for json in ["", "\"", "}}]],,::", "{\"a", "\u{e9}\u{e9}", JSON] {
            for byte in 0..=json.len() + 1 {
                at(json.as_bytes(), byte, "");
            }
        }
    }
}

//! Documents of one file, and what is wrong with them.

use super::*;

fn document(name: &str, bytes: &'static [u8]) -> Document<'static> {
    Document {
        name: name.into(),
        bytes: bytes.into(),
    }
}

#[test]
fn a_bad_document_does_not_hide_the_others() {
    let document = document("a.yml", b"a: 1\n---\nb: [\n---\nc: 3\n");
    let found: Vec<_> = nodes(&document).collect();
    assert_eq!(
        found.iter().map(Result::is_ok).collect::<Vec<_>>(),
        [true, false, true]
    );
    assert!(found[1].as_ref().unwrap_err().place.at.line >= 3);
}

//! Modules to push.

use std::borrow::Cow;

use wasm_encoder::{CustomSection, Module};

/// With all that a manifest treats in a way of its own: lines, spaces at the ends, characters that JSON
/// may escape.
const METADATA: &str = r#"{
    "protocolVersion": "v1",
    "rules": [],
    "mutating": false,
    "annotations": {
        "io.kubewarden.policy.title": " kuma-workload-policy ",
        "io.kubewarden.policy.description": "One line, which ends\n",
        "io.kubewarden.policy.usage": "Two\nlines",
        "io.kubewarden.policy.author": "Zoë \"Z\" <z@example.com> & C:\\o/",
        "io.kubewarden.policy.source": "https://example.com/source"
    }
}"#;

/// The same bytes each time: the golden manifest names their digest.
pub(crate) fn annotated() -> Vec<u8> {
    with_metadata(METADATA)
}

pub(crate) fn with_metadata(metadata: &str) -> Vec<u8> {
    let mut module = Module::new();
    module.section(&CustomSection {
        name: Cow::Borrowed("io.kubewarden.metadata"),
        data: Cow::Borrowed(metadata.as_bytes()),
    });
    module.finish()
}

/// Annotated, and of more bytes than a socket takes at once.
pub(crate) fn large() -> Vec<u8> {
    let mut large = annotated();
    let section = CustomSection {
        name: Cow::Borrowed("padding"),
        data: Cow::Owned(vec![7; 6 << 20]),
    };
    large.push(0);
    wasm_encoder::Encode::encode(&section, &mut large);
    large
}

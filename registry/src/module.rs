//! What an annotated module says about itself, as far as a registry is told.

use std::{collections::BTreeMap, path::Path};

use serde::Deserialize;
use wasmparser::{BinaryReaderError, Parser, Payload};

use crate::Error;

/// The custom section of Kubewarden's metadata.
pub const SECTION: &str = "io.kubewarden.metadata";

/// What a module begins with.
const MAGIC: &[u8] = b"\0asm";

/// The metadata; only its annotations go into a manifest.
#[derive(Deserialize)]
struct Metadata {
    #[serde(default)]
    annotations: Option<BTreeMap<String, String>>,
}

/// The annotations in the metadata of a module; none if the metadata has no such map.
///
/// # Errors
///
/// When this is no module, is broken, or has no metadata. `file` is where it came from.
pub fn annotations(module: &[u8], file: &Path) -> Result<Option<BTreeMap<String, String>>, Error> {
    let file = || file.to_owned();
    if !module.starts_with(MAGIC) {
        return Err(Error::NoModule { file: file() });
    }
    let broken = |error: BinaryReaderError| Error::BrokenModule {
        file: file(),
        why: error.message().to_owned(),
    };
    let mut found = None;
    // To its end, so that half a module is not pushed.
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::CustomSection(section) = payload.map_err(broken)?
            && section.name() == SECTION
            && found.is_none()
        {
            found = Some(section.data());
        }
    }
    let section = found.ok_or_else(|| Error::NoMetadata { file: file() })?;
    let metadata: Metadata = serde_json::from_slice(section).map_err(|error| Error::Metadata {
        file: file(),
        why: error.to_string(),
    })?;
    Ok(metadata.annotations)
}

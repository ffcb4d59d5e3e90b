//! What is pushed: a config, one layer, annotations, and the manifest that names them.

use std::{collections::BTreeMap, path::Path};

use oci_client::{
    annotations::ORG_OPENCONTAINERS_IMAGE_SOURCE,
    client::{Config, ImageLayer},
    manifest::{OciImageManifest, WASM_CONFIG_MEDIA_TYPE, WASM_LAYER_MEDIA_TYPE},
};
use olpc_cjson::CanonicalFormatter;
use serde::Serialize;
use serde_json::Serializer;

use crate::{Error, module};

/// The config of each artifact: an empty JSON (and YAML) object.
const EMPTY: &[u8] = b"{}";

/// The annotation of the policy that says where its source is.
const POLICY_SOURCE: &str = "io.kubewarden.policy.source";

/// The tag under which Artifact Hub looks for a repository's metadata.
pub const REPOSITORY_METADATA_TAG: &str = "artifacthub.io";

const REPOSITORY_METADATA_CONFIG: &str = "application/vnd.cncf.artifacthub.config.v1+yaml";
const REPOSITORY_METADATA_LAYER: &str =
    "application/vnd.cncf.artifacthub.repository-metadata.layer.v1.yaml";

/// A config, one layer, and the annotations of the manifest.
pub struct Artifact {
    pub(crate) config: Config,
    pub(crate) layer: ImageLayer,
    annotations: Option<BTreeMap<String, String>>,
}

impl Artifact {
    /// The annotated policy, as kwctl pushes it.
    ///
    /// # Errors
    ///
    /// When `module` is no annotated module. `file` is where it came from.
    pub fn policy(module: Vec<u8>, file: &Path) -> Result<Self, Error> {
        let annotations = module::annotations(&module, file)?;
        Ok(Self {
            config: Config::new(EMPTY, WASM_CONFIG_MEDIA_TYPE.to_owned(), None),
            layer: ImageLayer::new(module, WASM_LAYER_MEDIA_TYPE.to_owned(), None),
            annotations: annotations.map(of_manifest),
        })
    }

    /// Artifact Hub's metadata of a repository: `artifacthub-repo.yml`.
    ///
    /// # Errors
    ///
    /// When that is something else. `file` is where it came from.
    pub fn repository_metadata(yaml: Vec<u8>, file: &Path) -> Result<Self, Error> {
        check_repository_metadata(&yaml).map_err(|why| Error::RepositoryMetadata {
            file: file.to_owned(),
            why: why.to_owned(),
        })?;
        Ok(Self {
            config: Config::new(EMPTY, REPOSITORY_METADATA_CONFIG.to_owned(), None),
            layer: ImageLayer::new(yaml, REPOSITORY_METADATA_LAYER.to_owned(), None),
            annotations: None,
        })
    }

    /// The manifest's bytes: canonical JSON, so that the same artifact has the same digest, by
    /// whichever program it is pushed.
    ///
    /// # Errors
    ///
    /// Never, as far as it is known; the serialiser leaves it open.
    pub fn manifest(&self) -> Result<Vec<u8>, serde_json::Error> {
        let layers = std::slice::from_ref(&self.layer);
        let manifest = OciImageManifest::build(layers, &self.config, self.annotations.clone());
        let mut bytes = Vec::new();
        let formatter = CanonicalFormatter::new();
        manifest.serialize(&mut Serializer::with_formatter(&mut bytes, formatter))?;
        Ok(bytes)
    }
}

/// The digest of a manifest's bytes.
#[must_use]
pub fn digest(manifest: &[u8]) -> String {
    // The client's own: a blob is a blob.
    Config::new(manifest.to_vec(), String::new(), None).sha256_digest()
}

/// Those of one line, trimmed, and the source under OCI's name too, unless it is there already.
fn of_manifest(annotations: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut of_manifest: BTreeMap<_, _> = annotations
        .into_iter()
        .filter(|(_, value)| value.lines().count() <= 1)
        .map(|(key, value)| (key, value.trim().to_owned()))
        .collect();
    if let Some(source) = of_manifest.get(POLICY_SOURCE).cloned() {
        let key = ORG_OPENCONTAINERS_IMAGE_SOURCE.to_owned();
        of_manifest.entry(key).or_insert(source);
    }
    of_manifest
}

fn check_repository_metadata(yaml: &[u8]) -> Result<(), &'static str> {
    let document: Option<serde_json::Value> = serde_saphyr::from_slice(yaml).ok();
    let document = document.ok_or("it is no YAML")?;
    let has = |key| document.get(key).is_some();
    if has("owners") || has("repositoryID") {
        Ok(())
    } else {
        Err("it has neither owners nor a repositoryID")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn map(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
        let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        entries.iter().map(own).collect()
    }

    #[rstest]
    #[case::one_line(&[("a", "b")], &[("a", "b")])]
    #[case::trimmed(&[("a", " b ")], &[("a", "b")])]
    #[case::a_line_that_ends(&[("a", "b\n")], &[("a", "b")])]
    #[case::an_empty_one(&[("a", "")], &[("a", "")])]
    #[case::two_lines(&[("a", "b\nc")], &[])]
    #[case::two_lines_with_spaces(&[("a", "b\n ")], &[])]
    #[case::the_source(
        &[("io.kubewarden.policy.source", "s ")],
        &[("io.kubewarden.policy.source", "s"), ("org.opencontainers.image.source", "s")],
    )]
    #[case::another_source(
        &[("io.kubewarden.policy.source", "s"), ("org.opencontainers.image.source", "t")],
        &[("io.kubewarden.policy.source", "s"), ("org.opencontainers.image.source", "t")],
    )]
    fn annotations_of_the_manifest(
        #[case] metadata: &[(&str, &str)],
        #[case] expected: &[(&str, &str)],
    ) {
        assert_eq!(of_manifest(map(metadata)), map(expected));
    }
}

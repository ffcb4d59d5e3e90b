//! The policy's metadata: from `policy-metadata.yml` to the wasm custom section that Kubewarden's
//! tools and policy-server read, and back.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};
use wasm_encoder::{CustomSection, Encode, Section};
use wasmparser::{Parser, Payload};

use crate::document::{self, DocumentError};

/// The custom section's name.
pub const SECTION: &str = "io.kubewarden.metadata";

/// The annotation that holds the README.
const USAGE: &str = "io.kubewarden.policy.usage";

/// What the annotated module says about itself. Fields stand in the order of the section's JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Metadata {
    /// The guest's protocol, asked from the guest itself.
    pub protocol_version: Option<String>,
    /// What the policy is asked about.
    pub rules: Vec<Rule>,
    /// Title, description, usage and so on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotations: Option<BTreeMap<String, String>>,
    /// Does it change objects?
    pub mutating: bool,
    /// Does the audit scanner run it?
    #[serde(default = "yes")]
    pub background_audit: bool,
    /// `kubewarden-wapc`
    #[serde(default = "wapc")]
    pub execution_mode: String,
    /// `kubernetes`
    #[serde(default = "kubernetes")]
    pub policy_type: String,
    /// Kinds that it reads.
    #[serde(default)]
    pub context_aware_resources: BTreeSet<ContextAwareResource>,
    /// Host capabilities that it uses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host_capabilities: Option<BTreeSet<String>>,
    /// The oldest Kubewarden that can run it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimum_kubewarden_version: Option<String>,
}

fn yes() -> bool {
    true
}

fn wapc() -> String {
    "kubewarden-wapc".to_owned()
}

fn kubernetes() -> String {
    "kubernetes".to_owned()
}

/// Resources and operations that the policy is asked about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    /// API groups; `""` is the core group.
    pub api_groups: Vec<String>,
    /// API versions.
    pub api_versions: Vec<String>,
    /// Resources, plural, with sub-resources as `resource/sub`.
    pub resources: Vec<String>,
    /// `CREATE`, `UPDATE`, `DELETE`, `CONNECT`, or `*` alone.
    pub operations: Vec<String>,
}

/// A kind that the policy reads.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContextAwareResource {
    /// `v1`, or `group/version`.
    pub api_version: String,
    /// The kind, PascalCase.
    pub kind: String,
}

impl ContextAwareResource {
    /// The kind of this apiVersion.
    #[must_use]
    pub fn new(api_version: &str, kind: &str) -> Self {
        Self {
            api_version: api_version.to_owned(),
            kind: kind.to_owned(),
        }
    }
}

/// Metadata that cannot be read, written, or used.
#[derive(Debug, thiserror::Error)]
pub enum MetadataError {
    /// The metadata file, or the README.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// Kubewarden would refuse it.
    #[error("the metadata is invalid: {0}")]
    Invalid(String),
    /// The module.
    #[error("not a WebAssembly module: {0}")]
    Module(String),
    /// The custom section.
    #[error("the custom section {SECTION} is unreadable: {0}")]
    Section(serde_json::Error),
}

impl Metadata {
    /// The metadata of `policy-metadata.yml`, with the protocol that the guest names and the README
    /// as its usage.
    ///
    /// # Errors
    /// When a file cannot be read, or Kubewarden would refuse the metadata.
    pub fn from_files(
        metadata: &Path,
        readme: Option<&Path>,
        protocol_version: String,
    ) -> Result<Self, MetadataError> {
        let mut this: Self = document::read_as(metadata)?;
        this.protocol_version = Some(protocol_version);
        // kwctl writes the map even if it is empty, so that readers find it.
        let annotations = this.annotations.get_or_insert_default();
        if let Some(readme) = readme {
            annotations.insert(USAGE.to_owned(), document::read_text(readme)?);
        }
        this.check()?;
        Ok(this)
    }

    /// The metadata of an annotated module, none if it has no such section.
    ///
    /// # Errors
    /// When the module or its section is broken.
    pub fn from_module(module: &[u8]) -> Result<Option<Self>, MetadataError> {
        for payload in Parser::new(0).parse_all(module) {
            let payload = payload.map_err(|error| MetadataError::Module(error.to_string()))?;
            if let Payload::CustomSection(section) = payload
                && section.name() == SECTION
            {
                return serde_json::from_slice(section.data())
                    .map(Some)
                    .map_err(MetadataError::Section);
            }
        }
        Ok(None)
    }

    /// The module with this metadata as its only such section, at the end.
    ///
    /// # Errors
    /// When the module is broken.
    pub fn annotate(&self, module: &[u8]) -> Result<Vec<u8>, MetadataError> {
        let mut annotated = Vec::with_capacity(module.len());
        let mut copied = 0;
        for payload in Parser::new(0).parse_all(module) {
            let payload = payload.map_err(|error| MetadataError::Module(error.to_string()))?;
            if let Payload::CustomSection(section) = payload
                && section.name() == SECTION
            {
                // The range is the content's; the section's id and length stand before it.
                let content = section.range();
                let start =
                    header_start(module, content.start, content.len()).ok_or_else(|| {
                        MetadataError::Module("a custom section without a header".to_owned())
                    })?;
                annotated.extend_from_slice(&module[copied..start]);
                copied = content.end;
            }
        }
        annotated.extend_from_slice(&module[copied..]);
        let json = serde_json::to_vec(self).map_err(MetadataError::Section)?;
        let section = CustomSection {
            name: Cow::Borrowed(SECTION),
            data: Cow::Borrowed(&json),
        };
        annotated.push(section.id());
        section.encode(&mut annotated);
        Ok(annotated)
    }

    /// What Kubewarden checks before it takes metadata.
    fn check(&self) -> Result<(), MetadataError> {
        let refuse = |reason: String| Err(MetadataError::Invalid(reason));
        if self.protocol_version.as_deref() != Some("v1") {
            return refuse(format!(
                "protocol version {:?} is not v1",
                self.protocol_version
            ));
        }
        for rule in &self.rules {
            let lists = [
                &rule.api_groups,
                &rule.api_versions,
                &rule.resources,
                &rule.operations,
            ];
            if lists.iter().any(|list| list.is_empty()) {
                return refuse("a rule without groups, versions, resources or operations".into());
            }
            let alone = [&rule.api_groups, &rule.api_versions, &rule.operations];
            if alone
                .iter()
                .any(|list| list.len() > 1 && list.iter().any(|item| item == "*"))
            {
                return refuse("`*` must stand alone in a rule".to_owned());
            }
            let operations = ["CREATE", "UPDATE", "DELETE", "CONNECT", "*"];
            if let Some(unknown) = rule
                .operations
                .iter()
                .find(|operation| !operations.contains(&operation.as_str()))
            {
                return refuse(format!("unknown operation {unknown:?}"));
            }
            if rule.resources.iter().any(String::is_empty) {
                return refuse("an empty resource".to_owned());
            }
        }
        if self
            .context_aware_resources
            .iter()
            .any(|resource| resource.api_version.is_empty() || resource.kind.is_empty())
        {
            return refuse("a context-aware resource without apiVersion or kind".to_owned());
        }
        Ok(())
    }
}

/// Where the header of a section starts whose content is at `start`: before it stand its length
/// (LEB128, at most 5 bytes, possibly padded) and its id (0 for custom sections).
fn header_start(module: &[u8], start: usize, length: usize) -> Option<usize> {
    (1..=5).find_map(|size| {
        let id = start.checked_sub(size + 1)?;
        let bytes = module.get(id + 1..start)?;
        let (last, before) = bytes.split_last()?;
        let well_formed = last & 0x80 == 0 && before.iter().all(|byte| byte & 0x80 != 0);
        let value = bytes
            .iter()
            .rev()
            .fold(0_u64, |value, byte| value << 7 | u64::from(byte & 0x7f));
        (well_formed && value == length as u64 && module[id] == 0).then_some(id)
    })
}

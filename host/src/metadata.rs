//! The policy's metadata: from `policy-metadata.yml` to the wasm custom section that Kubewarden's
//! tools and policy-server read, and back.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use kuma_workload_plan::read::Fault;
use serde::{Deserialize, Serialize};
use wasm_encoder::{CustomSection, Encode, Section};
use wasmparser::{BinaryReaderError, Parser, Payload};

use crate::{admission::AdmissionRequest, document};

/// The custom section's name.
pub const SECTION: &str = "io.kubewarden.metadata";

/// What a module begins with.
const MAGIC: &[u8] = b"\0asm";

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

impl Rule {
    /// Whether the API server asks about this request by the rule.
    #[must_use]
    pub fn selects(&self, request: &AdmissionRequest) -> bool {
        let has = |list: &[String], one: &str| list.iter().any(|item| item == "*" || item == one);
        let resource = &request.resource;
        has(&self.api_groups, &resource.group)
            && has(&self.api_versions, &resource.version)
            && has(&self.operations, &request.operation)
            && self.selects_resource(&resource.resource, request.sub_resource.as_deref())
    }

    fn check(&self) -> Result<(), String> {
        let lists = [
            &self.api_groups,
            &self.api_versions,
            &self.resources,
            &self.operations,
        ];
        if lists.iter().any(|list| list.is_empty()) {
            return Err("has no groups, versions, resources or operations".to_owned());
        }
        let has_more_than_a_star =
            |list: &&Vec<String>| list.len() > 1 && list.iter().any(|item| item == "*");
        if [&self.api_groups, &self.api_versions, &self.operations]
            .iter()
            .any(has_more_than_a_star)
        {
            return Err("has a `*` that does not stand alone".to_owned());
        }
        let operations = ["CREATE", "UPDATE", "DELETE", "CONNECT", "*"];
        let mut named = self.operations.iter();
        if let Some(unknown) = named.find(|name| !operations.contains(&name.as_str())) {
            return Err(format!(
                "has the operation {unknown:?}, which does not exist"
            ));
        }
        if self.resources.iter().any(String::is_empty) {
            return Err("has an empty resource".to_owned());
        }
        Ok(())
    }

    /// `pods`, `pods/status`, `pods/*`, `*/status`, `*/*`; `*` alone is every resource itself.
    fn selects_resource(&self, resource: &str, sub_resource: Option<&str>) -> bool {
        let sub_resource = sub_resource.filter(|name| !name.is_empty());
        self.resources.iter().any(|selected| {
            let (selected, sub) = match selected.split_once('/') {
                Some((selected, sub)) => (selected, Some(sub)),
                None => (&**selected, None),
            };
            let is_sub = match (sub, sub_resource) {
                (Some("*"), _) => true,
                (sub, sub_resource) => sub == sub_resource,
            };
            is_sub && (selected == "*" || selected == resource)
        })
    }
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
    /// The metadata file or the README cannot be read, or Kubewarden would refuse the metadata.
    #[error("{0}")]
    File(Fault),
    /// Something else than a module.
    #[error("this is no WebAssembly module")]
    NoModule,
    /// The module.
    #[error("this WebAssembly module is broken: {0}")]
    Module(String),
    /// The custom section.
    #[error("its metadata, the custom section {SECTION}, cannot be read: {0}")]
    Section(serde_json::Error),
}

impl Metadata {
    /// The metadata of `policy-metadata.yml`, with the protocol that the guest names and the README
    /// as its usage.
    ///
    /// # Errors
    ///
    /// When a file cannot be read, or Kubewarden would refuse the metadata.
    pub fn from_files(
        metadata: &Path,
        readme: Option<&Path>,
        protocol_version: String,
    ) -> Result<Self, MetadataError> {
        let document = document::read_one(metadata).map_err(MetadataError::File)?;
        let mut this: Self = document.read().map_err(MetadataError::File)?;
        this.protocol_version = Some(protocol_version);
        // kwctl writes the map even if it is empty, so that readers find it.
        let annotations = this.annotations.get_or_insert_default();
        if let Some(readme) = readme {
            let usage = document::text(readme).map_err(MetadataError::File)?;
            annotations.insert(USAGE.to_owned(), usage);
        }
        match this.check() {
            Ok(()) => Ok(this),
            Err(why) => Err(MetadataError::File(document.fault(why))),
        }
    }

    /// The metadata of an annotated module, none if it has no such section.
    ///
    /// # Errors
    ///
    /// When the module or its section is broken.
    pub fn from_module(module: &[u8]) -> Result<Option<Self>, MetadataError> {
        for payload in payloads(module)? {
            if let Payload::CustomSection(section) = payload?
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
    ///
    /// When the module is broken.
    pub fn annotate(&self, module: &[u8]) -> Result<Vec<u8>, MetadataError> {
        let mut annotated = Vec::with_capacity(module.len());
        let mut copied = 0;
        for payload in payloads(module)? {
            if let Payload::CustomSection(section) = payload?
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
    fn check(&self) -> Result<(), String> {
        match self.protocol_version.as_deref() {
            Some("v1") => {}
            Some(other) => return Err(format!("the policy speaks protocol {other:?}, not v1")),
            None => return Err("the policy names no protocol".to_owned()),
        }
        for (index, rule) in self.rules.iter().enumerate() {
            rule.check()
                .map_err(|why| format!("rules[{index}] {why}"))?;
        }
        let is_whole =
            |kind: &ContextAwareResource| !kind.api_version.is_empty() && !kind.kind.is_empty();
        if !self.context_aware_resources.iter().all(is_whole) {
            return Err("contextAwareResources has one without apiVersion or kind".to_owned());
        }
        Ok(())
    }
}

/// The parts of a module.
fn payloads(
    module: &[u8],
) -> Result<impl Iterator<Item = Result<Payload<'_>, MetadataError>>, MetadataError> {
    if !module.starts_with(MAGIC) {
        return Err(MetadataError::NoModule);
    }
    let broken = |error: BinaryReaderError| MetadataError::Module(error.to_string());
    let payloads = Parser::new(0).parse_all(module);
    Ok(payloads.map(move |payload| payload.map_err(broken)))
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

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    fn request(
        operation: &str,
        group: &str,
        resource: &str,
        sub_resource: &str,
    ) -> AdmissionRequest {
        serde_json::from_value(json!({
            "uid": "", "operation": operation, "userInfo": {}, "subResource": sub_resource,
            "kind": {"group": group, "version": "v1", "kind": ""},
            "resource": {"group": group, "version": "v1", "resource": resource},
        }))
        .expect("a request")
    }

    /// As kube-apiserver's `rules.Matcher` does.
    #[rstest]
    #[case::selected(&["pods"], "CREATE", "", "pods", "", true)]
    #[case::another_operation(&["pods"], "DELETE", "", "pods", "", false)]
    #[case::another_group(&["pods"], "CREATE", "metrics.k8s.io", "pods", "", false)]
    #[case::another_resource(&["pods"], "CREATE", "", "services", "", false)]
    #[case::one_of_several(&["services", "pods"], "CREATE", "", "pods", "", true)]
    #[case::sub_resource_of_it(&["pods"], "CREATE", "", "pods", "status", false)]
    #[case::sub_resource(&["pods/status"], "CREATE", "", "pods", "status", true)]
    #[case::itself_beside_its_sub_resource(&["pods/status"], "CREATE", "", "pods", "", false)]
    #[case::all_of_it(&["pods/*"], "CREATE", "", "pods", "status", true)]
    #[case::itself_of_all(&["pods/*"], "CREATE", "", "pods", "", true)]
    #[case::every_resource(&["*"], "CREATE", "", "services", "", true)]
    #[case::no_sub_resource_of_every_resource(&["*"], "CREATE", "", "services", "status", false)]
    #[case::one_sub_resource_of_every_resource(&["*/scale"], "CREATE", "", "deployments", "scale", true)]
    #[case::everything(&["*/*"], "CREATE", "", "services", "status", true)]
    fn a_rule_selects(
        #[case] resources: &[&str],
        #[case] operation: &str,
        #[case] group: &str,
        #[case] resource: &str,
        #[case] sub_resource: &str,
        #[case] selected: bool,
    ) {
        let list = |items: &[&str]| items.iter().map(|&item| item.to_owned()).collect();
        let rule = Rule {
            api_groups: list(&[""]),
            api_versions: list(&["v1"]),
            resources: list(resources),
            operations: list(&["CREATE", "UPDATE"]),
        };
        let request = request(operation, group, resource, sub_resource);
        assert_eq!(rule.selects(&request), selected);
    }

    #[test]
    fn a_star_selects_every_group_version_and_operation() {
        let star = || vec!["*".to_owned()];
        let rule = Rule {
            api_groups: star(),
            api_versions: star(),
            resources: star(),
            operations: star(),
        };
        assert!(rule.selects(&request("CONNECT", "apps", "deployments", "")));
    }
}

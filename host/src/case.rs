//! The fixture format that every runner shares.
//!
//! A case is a file `STEM.json`, `STEM.yaml` or `STEM.yml`: an AdmissionReview, a bare
//! AdmissionRequest, or Kubernetes manifests, each of which is wrapped into a CREATE request.
//! Beside it may stand:
//!
//! | file | content |
//! |---|---|
//! | `STEM.expected.json` | `{"allowed": bool, "code"?: n, "message"?: "exact", "warnings"?: ["exact"], "hostCalls"?: n}` |
//! | `STEM.settings.json` | the settings, instead of those of the run |
//! | `STEM.session.yml` | a kwctl session that answers, instead of the run's cluster |
//!
//! (`.yaml` and `.yml` do for expectations and settings, too.) An expectation of a file with several
//! manifests holds for each of them.

use std::path::{Path, PathBuf};

use k8s_openapi::api::authentication::v1::UserInfo;
use serde::Deserialize;
use serde_json::Value;

use crate::admission::{
    AdmissionRequest, AdmissionReview, GroupVersionKind, GroupVersionResource, Settings,
};
use crate::cluster::manifests::{Manifests, plural};
use crate::document::{self, Document, DocumentError};
use crate::policy::Evaluation;

/// What stands before the extension of a file that belongs to a case, and is none itself.
const SIBLINGS: [&str; 3] = ["expected", "settings", "session"];

/// The uid of a wrapped manifest: nothing real is behind it.
const UID: &str = "00000000-0000-4000-8000-000000000000";

/// One request, with what belongs to it.
#[derive(Clone, Debug)]
pub struct Case {
    /// The file's stem, with kind and name of the object where the file holds several.
    pub name: String,
    /// The request.
    pub request: AdmissionRequest,
    /// What must come of it, if anything is declared.
    pub expected: Option<Expected>,
    /// Its own settings.
    pub settings: Option<Settings>,
    /// Its own session.
    pub session: Option<PathBuf>,
}

/// What must come of a case. Only what is named is compared.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Expected {
    /// The verdict.
    pub allowed: bool,
    /// The rejection's code.
    pub code: Option<u16>,
    /// The rejection's message, exactly.
    pub message: Option<String>,
    /// All warnings, exactly.
    pub warnings: Option<Vec<String>>,
    /// How many host calls were made, log lines apart; one that a gate denied is a call, too.
    pub host_calls: Option<usize>,
}

/// A case that cannot be read: one sentence.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    /// A file of it.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// Its content.
    #[error("{place}: {reason}")]
    Content {
        /// File, and document where there are several.
        place: String,
        /// What is wrong.
        reason: String,
    },
}

impl Expected {
    /// How an evaluation differs from the expectation; nothing if it does not.
    #[must_use]
    pub fn differences(&self, evaluation: &Evaluation) -> Vec<String> {
        let response = &evaluation.response;
        let mut differences = Vec::new();
        let mut compare = |what: &str, expected: String, found: String| {
            if expected != found {
                differences.push(format!("{what}: expected {expected}, got {found}"));
            }
        };
        let verdict = |allowed| if allowed { "allowed" } else { "rejected" }.to_owned();
        compare("verdict", verdict(self.allowed), verdict(response.allowed));
        if let Some(code) = self.code {
            let found = response
                .code()
                .map_or_else(|| "none".to_owned(), |code| code.to_string());
            compare("code", code.to_string(), found);
        }
        if let Some(message) = &self.message {
            compare(
                "message",
                format!("{message:?}"),
                format!("{:?}", response.message().unwrap_or_default()),
            );
        }
        if let Some(warnings) = &self.warnings {
            compare(
                "warnings",
                format!("{warnings:?}"),
                format!("{:?}", response.warnings()),
            );
        }
        if let Some(calls) = self.host_calls {
            compare(
                "host calls",
                calls.to_string(),
                evaluation.calls.len().to_string(),
            );
        }
        differences
    }
}

/// The cases of a file, or of a folder and the folders below it.
///
/// `known` tells plural and scope of the kinds that wrapped manifests may have.
///
/// # Errors
/// When one of them cannot be read.
pub fn load(path: &Path, known: &Manifests) -> Result<Vec<Case>, CaseError> {
    let mut cases = Vec::new();
    for file in document::files(path)? {
        if !is_sibling(&file) {
            cases.extend(load_file(&file, known)?);
        }
    }
    Ok(cases)
}

fn is_sibling(path: &Path) -> bool {
    let stem = path.file_stem().map(Path::new);
    stem.and_then(Path::extension)
        .is_some_and(|part| SIBLINGS.iter().any(|sibling| part == *sibling))
}

fn load_file(path: &Path, known: &Manifests) -> Result<Vec<Case>, CaseError> {
    let stem = path
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let expected = sibling(path, "expected")
        .map(|path| document::read_as(&path))
        .transpose()?;
    let settings = sibling(path, "settings")
        .map(|path| read_settings(&path))
        .transpose()?;
    let session = sibling(path, "session");
    let documents = document::read(path)?;
    let objects: Vec<Document> = documents.into_iter().flat_map(Document::objects).collect();
    if objects.is_empty() {
        return Err(CaseError::Content {
            place: path.display().to_string(),
            reason: "there is no request and no manifest in it".to_owned(),
        });
    }
    let several = objects.len() > 1;
    objects
        .into_iter()
        .map(|object| {
            let request = request_of(path, object, several, known)?;
            let name = if several {
                let name = request.name.as_deref().unwrap_or("?");
                format!("{stem} {}/{name}", request.kind.kind)
            } else {
                stem.clone()
            };
            Ok(Case {
                name,
                request,
                expected: expected.clone(),
                settings: settings.clone(),
                session: session.clone(),
            })
        })
        .collect()
}

fn sibling(path: &Path, what: &str) -> Option<PathBuf> {
    ["json", "yml", "yaml"]
        .iter()
        .map(|extension| path.with_extension(format!("{what}.{extension}")))
        .find(|sibling| sibling.is_file())
}

/// Reads a settings file.
///
/// # Errors
/// When it cannot be read, or is not an object.
pub fn read_settings(path: &Path) -> Result<Settings, CaseError> {
    Settings::from_value(document::read_as(path)?).map_err(|error| CaseError::Content {
        place: path.display().to_string(),
        reason: error.to_string(),
    })
}

fn request_of(
    path: &Path,
    document: Document,
    several: bool,
    known: &Manifests,
) -> Result<AdmissionRequest, CaseError> {
    let Document { place, value } = document;
    let refuse = |reason: String| CaseError::Content {
        place: place.clone(),
        reason,
    };
    let has = |key: &str| value.get(key).is_some();
    if value["kind"].as_str() == Some("AdmissionReview") {
        if !has("request") {
            return Err(refuse("an AdmissionReview without a request".to_owned()));
        }
        if several {
            let review: AdmissionReview = serde_json::from_value(value.clone())
                .map_err(|error| refuse(format!("bad AdmissionReview: {error}")))?;
            return Ok(review.request);
        }
        // Once more from the text: then an error knows its line.
        return Ok(document::read_as::<AdmissionReview>(path)?.request);
    }
    if has("uid") && has("operation") {
        if several {
            return serde_json::from_value(value.clone())
                .map_err(|error| refuse(format!("bad AdmissionRequest: {error}")));
        }
        return Ok(document::read_as(path)?);
    }
    wrap(value.clone(), known).map_err(refuse)
}

/// A CREATE request for a manifest, by the user and of the kind of request that kwctl makes up too.
fn wrap(object: Value, known: &Manifests) -> Result<AdmissionRequest, String> {
    let text = |key: &str| {
        object
            .get(key)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    };
    let (Some(api_version), Some(kind)) = (text("apiVersion"), text("kind")) else {
        return Err(
            "neither an AdmissionReview, nor an AdmissionRequest (uid and operation), nor a manifest (apiVersion and kind)"
                .to_owned(),
        );
    };
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let resource = known.resource(api_version, kind);
    let metadata = |key: &str| object["metadata"].get(key).and_then(Value::as_str);
    let namespace = match resource {
        Some(resource) if !resource.namespaced => {
            // Of a Namespace itself, the API server names the Namespace.
            (api_version == "v1" && kind == "Namespace")
                .then(|| metadata("name"))
                .flatten()
        }
        _ => Some(metadata("namespace").unwrap_or("default")),
    }
    .map(str::to_owned);
    let gvk = GroupVersionKind {
        group: group.to_owned(),
        version: version.to_owned(),
        kind: kind.to_owned(),
    };
    let gvr = GroupVersionResource {
        group: group.to_owned(),
        version: version.to_owned(),
        resource: resource.map_or_else(|| plural(kind), |resource| resource.plural.clone()),
    };
    Ok(AdmissionRequest {
        uid: UID.to_owned(),
        kind: gvk.clone(),
        resource: gvr.clone(),
        sub_resource: None,
        request_kind: Some(gvk),
        request_resource: Some(gvr),
        request_sub_resource: None,
        name: metadata("name").map(str::to_owned),
        namespace,
        operation: "CREATE".to_owned(),
        user_info: UserInfo {
            username: Some("test-user".to_owned()),
            groups: Some(vec!["system:masters".to_owned()]),
            ..UserInfo::default()
        },
        object: Some(object),
        old_object: None,
        dry_run: None,
        options: None,
    })
}

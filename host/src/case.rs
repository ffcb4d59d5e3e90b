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

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use k8s_openapi::api::authentication::v1::UserInfo;
use kuma_workload_plan::read::{self, Fault, Place};
use serde::Deserialize;
use serde_json::Value;

use crate::{
    admission::{
        AdmissionRequest, AdmissionReview, GroupVersionKind, GroupVersionResource, Settings,
    },
    cluster::{Manifests, kinds::plural},
    document::{self, Document},
    policy::Evaluation,
    verdict::Verdict,
};

/// What stands before the extension of a file that belongs to a case, and is none itself.
const SIBLINGS: [&str; 3] = ["expected", "settings", "session"];

/// One request, with what belongs to it.
#[derive(Clone, Debug)]
pub struct Case {
    /// The file's stem, with the line where it holds several requests.
    pub name: String,
    /// Where the request stands.
    pub place: Place,
    /// The request.
    pub request: AdmissionRequest,
    /// What must come of it, if anything is declared.
    pub expected: Option<Expected>,
    /// Its own settings.
    pub settings: Option<PlacedSettings>,
    /// Its own session.
    pub session: Option<PathBuf>,
}

/// Settings, and where they stand.
#[derive(Clone, Debug)]
pub struct PlacedSettings {
    /// Where.
    pub place: Place,
    /// The settings.
    pub settings: Settings,
}

impl PlacedSettings {
    /// None, so that the policy's own defaults hold.
    pub(crate) fn defaults() -> Self {
        Self {
            place: Fault::of_file("the default settings", "").place,
            settings: Settings::default(),
        }
    }

    /// Something that is wrong with them.
    pub(crate) fn fault(&self, why: impl ToString) -> Fault {
        Fault {
            place: self.place.clone(),
            message: why.to_string(),
        }
    }
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
        let verdict = |allowed| Verdict::of_answer(allowed).to_string();
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

/// The cases of files and folders, and what is wrong with those that cannot be read.
#[derive(Debug, Default)]
pub struct Cases {
    /// What can be asked, in order.
    pub cases: Vec<Case>,
    /// What cannot.
    pub faults: Vec<Fault>,
}

impl Cases {
    /// The cases of these files, and of these folders and the folders below them.
    ///
    /// `known` tells plural and scope of the kinds that wrapped manifests may have.
    pub fn load<P: AsRef<Path>>(paths: impl IntoIterator<Item = P>, known: &Manifests) -> Self {
        let mut loader = Loader {
            known,
            uids: HashMap::new(),
            loaded: Self::default(),
        };
        for path in paths {
            match document::files(path.as_ref()) {
                Ok(files) => {
                    for file in files.iter().filter(|file| !is_sibling(file)) {
                        loader.load(file);
                    }
                }
                Err(fault) => loader.loaded.faults.push(fault),
            }
        }
        loader.loaded
    }
}

struct Loader<'m> {
    known: &'m Manifests,
    /// How many manifests of the same identity there were.
    uids: HashMap<String, usize>,
    loaded: Cases,
}

impl Loader<'_> {
    fn load(&mut self, path: &Path) {
        let siblings = match Siblings::of(path) {
            Ok(siblings) => siblings,
            Err(fault) => {
                self.loaded.faults.push(fault);
                return;
            }
        };
        let mut objects = Vec::new();
        let documents = document::read(path);
        if documents.is_empty() {
            let path = path.display().to_string();
            let fault = Fault::of_file(path, "there is no request and no manifest in it");
            self.loaded.faults.push(fault);
        }
        for document in documents {
            match document {
                Ok(document) => objects.extend(document.objects()),
                Err(fault) => self.loaded.faults.push(fault),
            }
        }
        let several = objects.len() > 1;
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        for object in objects {
            let place = object.place.clone();
            match self.request(object) {
                Ok(request) => self.loaded.cases.push(Case {
                    name: match several {
                        true => format!("{stem}:{}", place.at.line),
                        false => stem.to_string(),
                    },
                    place,
                    request,
                    expected: siblings.expected.clone(),
                    settings: siblings.settings.clone(),
                    session: siblings.session.clone(),
                }),
                Err(fault) => self.loaded.faults.push(fault),
            }
        }
    }

    fn request(&mut self, document: Document) -> Result<AdmissionRequest, Fault> {
        let has = |key: &str| document.node.get(key).is_some();
        let text = |key| document.text(key).map(str::to_owned);
        match (text("apiVersion"), text("kind")) {
            (_, Some(kind)) if kind == "AdmissionReview" => Ok(document.read::<AdmissionReview>()?.request),
            _ if has("uid") && has("operation") => document.read(),
            (Some(api_version), Some(kind)) => {
                let object = self.known.stored(document)?.value();
                Ok(self.wrap(&api_version, &kind, object))
            }
            _ => Err(document.fault(
                "this is no AdmissionReview, no AdmissionRequest (uid and operation), and no manifest (apiVersion and kind)",
            )),
        }
    }

    /// A CREATE request for a manifest, by the user and of the kind of request that kwctl makes up too.
    fn wrap(&mut self, api_version: &str, kind: &str, object: Value) -> AdmissionRequest {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let resource = self.known.resource(api_version, kind);
        let metadata = |key: &str| {
            let text = object["metadata"].get(key).and_then(Value::as_str);
            text.filter(|text| !text.is_empty())
        };
        let namespace = match resource {
            Some(resource) if !resource.namespaced => {
                // Of a Namespace itself, the API server names the Namespace.
                (api_version == "v1" && kind == "Namespace")
                    .then(|| metadata("name"))
                    .flatten()
            }
            _ => Some(metadata("namespace").unwrap_or("default")),
        };
        let kind = GroupVersionKind {
            group: group.to_owned(),
            version: version.to_owned(),
            kind: kind.to_owned(),
        };
        let resource = GroupVersionResource {
            group: group.to_owned(),
            version: version.to_owned(),
            resource: resource
                .map_or_else(|| plural(&kind.kind), |resource| resource.plural.clone()),
        };
        let name = metadata("name").map(str::to_owned);
        let namespace = namespace.map(str::to_owned);
        AdmissionRequest {
            uid: self.uid(&kind, namespace.as_deref(), name.as_deref()),
            request_kind: Some(kind.clone()),
            request_resource: Some(resource.clone()),
            kind,
            resource,
            sub_resource: None,
            request_sub_resource: None,
            name,
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
        }
    }

    /// A UUID that is the same in each run: of what the manifest is about and, where several are about
    /// the same, of its number among them.
    fn uid(
        &mut self,
        kind: &GroupVersionKind,
        namespace: Option<&str>,
        name: Option<&str>,
    ) -> String {
        let GroupVersionKind {
            group,
            version,
            kind,
        } = kind;
        let (namespace, name) = (namespace.unwrap_or_default(), name.unwrap_or_default());
        let identity = format!("{group}/{version}/{kind}/{namespace}/{name}");
        let number = self.uids.entry(identity.clone()).or_default();
        *number += 1;
        uuid(format!("{identity}/{number}").as_bytes())
    }
}

/// FNV-1a of 128 bits in the form of a UUID of version 8, which is for what others make up.
fn uuid(bytes: &[u8]) -> String {
    let hash = bytes.iter().fold(
        0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128,
        |hash, byte| (hash ^ u128::from(*byte)).wrapping_mul(0x0100_0000_0000_0000_0000_013b),
    );
    let hex = format!("{hash:032x}");
    format!(
        "{}-{}-8{}-8{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[13..16],
        &hex[17..20],
        &hex[20..]
    )
}

/// What stands beside a case.
struct Siblings {
    expected: Option<Expected>,
    settings: Option<PlacedSettings>,
    session: Option<PathBuf>,
}

impl Siblings {
    fn of(path: &Path) -> Result<Self, Fault> {
        let sibling = |what: &str| {
            let extensions = ["json", "yml", "yaml"].into_iter();
            extensions
                .map(|extension| path.with_extension(format!("{what}.{extension}")))
                .find(|sibling| sibling.is_file())
        };
        let expected = sibling("expected").map(|path| document::read_one(&path)?.read());
        let settings = sibling("settings").map(|path| read_settings(&path));
        Ok(Self {
            expected: expected.transpose()?,
            settings: settings.transpose()?,
            session: sibling("session"),
        })
    }
}

fn is_sibling(path: &Path) -> bool {
    let stem = path.file_stem().map(Path::new);
    stem.and_then(Path::extension)
        .is_some_and(|part| SIBLINGS.iter().any(|sibling| part == *sibling))
}

/// Reads a file of settings, or the settings of a policy's manifest.
///
/// # Errors
///
/// When it cannot be read, or holds something else than a map.
pub fn read_settings(path: &Path) -> Result<PlacedSettings, Fault> {
    let (place, node) = read::policy_settings(&document::load(path)?)?;
    match Settings::from_value(node.value.into()) {
        Ok(settings) => Ok(PlacedSettings { place, settings }),
        Err(error) => {
            let message = error.to_string();
            Err(Fault { place, message })
        }
    }
}

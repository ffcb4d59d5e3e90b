//! Who asked the API server for what, as its audit log has it.

use std::fs;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use serde::Deserialize;

use crate::{Error, Testbed, User};

/// A request that was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// When it came in.
    pub at: MicroTime,
    /// `create`, `patch`, `watch`.
    pub verb: String,
    /// `workloads`, or `workloads/status`.
    pub resource: String,
    /// The object's name, if it has one.
    pub name: String,
    /// The answer's code.
    pub code: u16,
}

impl Asked {
    /// Whether it wrote, or tried to.
    #[must_use]
    pub fn writes(&self) -> bool {
        !matches!(self.verb.as_str(), "get" | "list" | "watch")
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    request_received_timestamp: MicroTime,
    stage: String,
    verb: String,
    user: Subject,
    impersonated_user: Option<Subject>,
    object_ref: Option<Object>,
    response_status: Option<Answer>,
}

#[derive(Deserialize)]
struct Subject {
    username: String,
}

#[derive(Default, Deserialize)]
struct Object {
    #[serde(default)]
    resource: String,
    subresource: Option<String>,
    namespace: Option<String>,
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
struct Answer {
    code: Option<u16>,
}

impl Testbed {
    /// What this user asked for in a namespace (empty: in none), in the order of the answers.
    ///
    /// # Errors
    /// When the log cannot be read: that of somebody else's cluster is out of reach.
    pub fn asked(&self, user: User, namespace: &str) -> Result<Vec<Asked>, Error> {
        let path = self.folder().join("audit.log");
        let failed = |error: String| Error::new(format!("{}: {error}", path.display()));
        let log = fs::read_to_string(&path).map_err(|error| failed(error.to_string()))?;
        let mut asked = Vec::new();
        // The last line may be half written, and so may one at which an API server was killed.
        let whole = log.rsplit_once('\n').map_or("", |(whole, _)| whole);
        for line in whole.lines().filter(|line| line.contains(namespace)) {
            let line: Line = match serde_json::from_str(line) {
                Ok(line) => line,
                Err(_) if line.matches(r#""kind":"Event""#).count() > 1 => continue,
                Err(error) => return Err(failed(error.to_string())),
            };
            let who = line.impersonated_user.unwrap_or(line.user).username;
            let object = line.object_ref.unwrap_or_default();
            let is_there = object.namespace.as_deref().unwrap_or_default() == namespace;
            if line.stage == "ResponseComplete" && who == user.name() && is_there {
                let subresource = object.subresource.map(|name| format!("/{name}"));
                asked.push(Asked {
                    at: line.request_received_timestamp,
                    verb: line.verb,
                    resource: object.resource + &subresource.unwrap_or_default(),
                    name: object.name,
                    code: line
                        .response_status
                        .and_then(|answer| answer.code)
                        .unwrap_or(0),
                });
            }
        }
        Ok(asked)
    }
}

//! The options of a plan as JavaScript gives them: the flags of `kuma-workload plan`, in JSON.

use std::borrow::Cow;

use kuma_workload_plan::{Options, Target, read::Document};
use kuma_workload_rulebook::{
    identifier::{Identifiers, PodAnnotation, is_namespace},
    spiffe::Environment,
};
use serde::Deserialize;

/// The flags. One that is absent has its default.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Flags {
    settings: Option<SettingsFile>,
    workload_labels: Option<Vec<String>>,
    pod_annotation: Option<String>,
    identifiers: Option<String>,
    zone: Option<String>,
    environment: Option<String>,
    namespace: Option<String>,
    default_namespace: Option<String>,
    target: Option<String>,
    why: bool,
    pub(crate) allow_empty: bool,
}

/// What `--settings` names.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SettingsFile {
    name: String,
    text: String,
}

impl Flags {
    /// Reads them; empty text has none.
    ///
    /// # Errors
    ///
    /// A sentence about what is wrong with them.
    pub(crate) fn read(json: &str) -> Result<Self, String> {
        match json.trim() {
            "" => Ok(Self::default()),
            json => serde_json::from_str(json)
                .map_err(|error| format!("the options cannot be read: {error}")),
        }
    }

    /// What the plan is told by them.
    ///
    /// # Errors
    ///
    /// A sentence about a value that the flag does not have.
    pub(crate) fn options(&self) -> Result<Options<'_>, String> {
        let default = Options::default();
        let namespace = |flag: &str, name: &Option<String>| match name {
            Some(name) if !is_namespace(name) => {
                Err(format!("no Namespace can have the name of option {flag}"))
            }
            name => Ok(name.clone()),
        };
        Ok(Options {
            settings: self.settings.as_ref().map(|settings| Document {
                name: settings.name.as_str().into(),
                bytes: Cow::Borrowed(settings.text.as_bytes()),
            }),
            workload_labels: self.workload_labels.clone(),
            pod_annotation: one_of("podAnnotation", &self.pod_annotation, PodAnnotation::ALL)?
                .unwrap_or_default(),
            identifiers: one_of("identifiers", &self.identifiers, Identifiers::ALL)?
                .unwrap_or_default(),
            zone: self.zone.clone(),
            environment: one_of("environment", &self.environment, Environment::ALL)?,
            namespace: namespace("namespace", &self.namespace)?,
            default_namespace: self
                .default_namespace
                .clone()
                .unwrap_or(default.default_namespace),
            target: one_of("target", &self.target, Target::ALL)?.unwrap_or_default(),
            why: self.why,
            ..Options::default()
        })
    }
}

/// The value of this name.
fn one_of<T: Copy, const N: usize>(
    flag: &str,
    given: &Option<String>,
    values: [(T, &str, &str); N],
) -> Result<Option<T>, String> {
    let Some(given) = given else { return Ok(None) };
    let found = values.iter().find(|(_, name, _)| name == given);
    match found {
        Some((value, ..)) => Ok(Some(*value)),
        None => {
            let names: Vec<_> = values.iter().map(|(_, name, _)| *name).collect();
            Err(format!("option {flag} is one of {}", names.join(", ")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn read(json: &str) -> Result<(), String> {
        Flags::read(json)?.options().map(|_| ())
    }

    #[rstest]
    #[case::nothing("", Ok(()))]
    #[case::empty("{}", Ok(()))]
    #[case::all(
        r#"{"settings": {"name": "s.yml", "text": ""}, "workloadLabels": ["app"], "podAnnotation": "honor",
            "identifiers": "pods", "zone": "east", "environment": "universal", "namespace": "team",
            "defaultNamespace": "team", "target": "kuma3", "allowEmpty": true, "why": true}"#,
        Ok(())
    )]
    #[case::word(
        r#"{"target": "kuma4"}"#,
        Err("option target is one of current, kuma3")
    )]
    #[case::namespace(
        r#"{"namespace": "a/b"}"#,
        Err("no Namespace can have the name of option namespace")
    )]
    #[case::misspelt(
        r#"{"zones": "east"}"#,
        Err("the options cannot be read: unknown field `zones`")
    )]
    #[case::no_json(
        "zone: east",
        Err("the options cannot be read: expected value at line 1")
    )]
    fn options(#[case] json: &str, #[case] expected: Result<(), &str>) {
        match (read(json), expected) {
            (Ok(()), Ok(())) => {}
            (Err(said), Err(expected)) => assert!(said.starts_with(expected), "{said}"),
            (said, expected) => panic!("{said:?}, and not {expected:?}"),
        }
    }
}

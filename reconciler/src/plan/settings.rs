//! The policy's settings that objects are judged by.

use std::path::Path;

use kuma_workload_rulebook::{
    admission::{Given, Settings},
    metadata::Text,
};

use super::input::{
    self, Fault, Place,
    tree::{Node, Position, Value},
};

/// What the example policies have, for whoever gives none.
const DEFAULT: &str = r#"{"disallowMultipleMeshesPerNamespace": true, "namespaceMesh": "observed",
    "action": "deny", "updates": "membership", "alreadySplit": "warn"}"#;

/// The settings of a file, or the default ones; `workloadLabels` can be given beside them.
///
/// # Errors
///
/// All that is wrong with them.
pub fn read(
    file: Option<&Path>,
    workload_labels: Option<&[String]>,
) -> Result<Settings<'static>, Fault> {
    let (place, node) = match file {
        Some(file) => from_file(file)?,
        None => {
            let file = "the default settings".into();
            let at = Position::default();
            let node = input::json::parse(DEFAULT)
                .map_err(|error| Fault::of_file("the default settings", error.reason))?;
            (Place { file, at }, node)
        }
    };
    let mut given = given(&node);
    if let Some(labels) = workload_labels {
        let labels = labels.iter().map(|label| Given::Text(text(label)));
        let labels = Given::List(labels.collect());
        match &mut given {
            Given::Map(entries) => {
                entries.retain(|(key, _)| &**key != WORKLOAD_LABELS);
                entries.push((Text::from(WORKLOAD_LABELS), labels));
            }
            Given::Null => given = Given::Map(vec![(Text::from(WORKLOAD_LABELS), labels)]),
            _ => {}
        }
    }
    Settings::read(given).map_err(|faults| Fault {
        place,
        sentence: format!("the settings are not valid: {faults}"),
    })
}

const WORKLOAD_LABELS: &str = "workloadLabels";

fn from_file(file: &Path) -> Result<(Place, Node), Fault> {
    let mut documents = input::documents(file)
        .into_iter()
        .collect::<Result<Vec<_>, _>>()?;
    let name = input::name(file);
    if documents.len() > 1 {
        return Err(Fault::of_file(
            name,
            format!(
                "{} documents are in it; give the settings of one policy",
                documents.len()
            ),
        ));
    }
    let node = documents.pop().unwrap_or(Node {
        at: Position::default(),
        value: Value::Null,
    });
    let node = match node.get("kind").map(|kind| &kind.value) {
        Some(Value::Text(kind))
            if kind == "ClusterAdmissionPolicy" || kind == "AdmissionPolicy" =>
        {
            let settings = node.get("spec").and_then(|spec| spec.get("settings"));
            settings.cloned().unwrap_or(Node {
                value: Value::Null,
                ..node
            })
        }
        _ => node,
    };
    let place = Place {
        file: name,
        at: node.at,
    };
    Ok((place, node))
}

fn text(text: &str) -> Text<'static> {
    Text(text.to_owned().into())
}

fn given(node: &Node) -> Given<'static> {
    match &node.value {
        Value::Null => Given::Null,
        Value::Bool(value) => Given::Bool(*value),
        Value::Number(_) => Given::Number,
        Value::Text(value) => Given::Text(text(value)),
        Value::List(items) => Given::List(items.iter().map(given).collect()),
        Value::Map(entries) => {
            let entries = entries.iter();
            Given::Map(
                entries
                    .map(|(key, node)| (text(key), given(node)))
                    .collect(),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kuma_workload_rulebook::admission::{Action, Updates};
    use rstest::rstest;

    fn read_text(text: &str) -> Result<Settings<'static>, String> {
        let file = tempfile::Builder::new().suffix(".yml").tempfile().unwrap();
        std::fs::write(file.path(), text).unwrap();
        read(Some(file.path()), None).map_err(|fault| {
            let Position { line, column } = fault.place.at;
            format!("{line}:{column}: {}", fault.sentence)
        })
    }

    #[test]
    fn the_default_is_what_the_example_policies_have() {
        let policy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/policies/pods.yaml");
        assert_eq!(read(Some(&policy), None), read(None, None));
        let settings = read(None, None).unwrap();
        assert!(settings.mesh_rule);
        assert_eq!(settings.already_split, Action::Warn);
    }

    #[rstest]
    #[case::plain("updates: membership\n")]
    #[case::policy("kind: ClusterAdmissionPolicy\nspec:\n  settings: {updates: membership}\n")]
    #[case::namespaced_policy("kind: AdmissionPolicy\nspec:\n  settings: {updates: membership}\n")]
    fn settings_and_policies_are_read(#[case] text: &str) {
        assert_eq!(read_text(text).unwrap().updates, Updates::Membership);
    }

    #[rstest]
    #[case::nothing("")]
    #[case::policy_without("kind: AdmissionPolicy\nspec: {}\n")]
    fn nothing_means_the_policys_own_defaults(#[case] text: &str) {
        assert_eq!(read_text(text), Ok(Settings::default()));
    }

    #[rstest]
    #[case::unknown(
        "updates: all\nupdate: all\n",
        "1:1: the settings are not valid: \"update\" is not a setting; the nearest is \"updates\""
    )]
    #[case::in_a_policy(
        "kind: AdmissionPolicy\nspec:\n  settings:\n    action: no\n",
        "4:5: the settings are not valid: action must be \"deny\" or \"warn\", not \"no\""
    )]
    #[case::several(
        "a: 1\n---\nb: 2\n",
        "0:0: 2 documents are in it; give the settings of one policy"
    )]
    fn what_is_wrong_is_told_with_its_place(#[case] text: &str, #[case] sentence: &str) {
        assert_eq!(read_text(text), Err(sentence.to_owned()));
    }

    #[test]
    fn workload_labels_can_be_given_beside_the_settings() {
        let labels = ["app".to_owned(), "tier".to_owned()];
        let settings = read(None, Some(&labels)).unwrap();
        assert_eq!(
            settings.workload_labels().collect::<Vec<_>>(),
            ["app", "tier"]
        );
        let fault = read(None, Some(&["a b".to_owned()])).unwrap_err();
        assert!(fault.sentence.contains("workloadLabels[0]"), "{fault}");
    }
}

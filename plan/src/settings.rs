//! The policy's settings that objects are judged by.

use kuma_workload_rulebook::{
    admission::{Settings, SettingsValue},
    metadata::Text,
};

use super::{
    options::Options,
    read::{
        self, Document, Fault, Place,
        tree::{Node, Position, Value},
    },
};

/// What the example policies have, for whoever gives none.
pub const DEFAULT_SETTINGS: &str = r#"{"disallowMultipleMeshesPerNamespace": true, "namespaceMesh": "observed",
    "action": "deny", "updates": "membership", "alreadySplit": "warn"}"#;

/// The settings of the options, or the default ones; `workloadLabels` can be given beside them.
///
/// # Errors
///
/// All that is wrong with them.
pub(crate) fn read(options: &Options<'_>) -> Result<Settings<'static>, Fault> {
    let (place, node) = match &options.settings {
        Some(document) => read::policy_settings(document)?,
        None => {
            let file = "the default settings".into();
            let at = Position::default();
            let node = read::json(DEFAULT_SETTINGS)
                .map_err(|problem| Fault::of_file("the default settings", problem.message))?;
            (Place { file, at }, node)
        }
    };
    let mut given = given(&node);
    if let Some(labels) = &options.workload_labels {
        let labels = labels.iter().map(|label| SettingsValue::Text(text(label)));
        let labels = SettingsValue::List(labels.collect());
        match &mut given {
            SettingsValue::Map(entries) => {
                entries.retain(|(key, _)| &**key != WORKLOAD_LABELS);
                entries.push((Text::from(WORKLOAD_LABELS), labels));
            }
            SettingsValue::Null => {
                given = SettingsValue::Map(vec![(Text::from(WORKLOAD_LABELS), labels)])
            }
            _ => {}
        }
    }
    Settings::read(given).map_err(|faults| Fault {
        place,
        message: format!("the settings are not valid: {faults}"),
    })
}

/// The settings of a policy, from a document that holds them or a policy with them.
///
/// # Errors
///
/// All that is wrong with them.
pub fn policy_settings(document: Document<'_>) -> Result<Settings<'static>, Fault> {
    read(&Options {
        settings: Some(document),
        ..Options::default()
    })
}

/// Whether the setting `meshNamespaces` can close a mesh of this name to all but these Namespaces
/// (A20).
pub(crate) fn can_be_closed(mesh: &str, namespaces: &[String]) -> bool {
    let names = namespaces
        .iter()
        .map(|name| SettingsValue::Text(text(name)));
    let meshes = vec![(text(mesh), SettingsValue::List(names.collect()))];
    let entry = (Text::from("meshNamespaces"), SettingsValue::Map(meshes));
    Settings::read(SettingsValue::Map(vec![entry])).is_ok()
}

const WORKLOAD_LABELS: &str = "workloadLabels";

fn text(text: &str) -> Text<'static> {
    Text(text.to_owned().into())
}

fn given(node: &Node) -> SettingsValue<'static> {
    match &node.value {
        Value::Null => SettingsValue::Null,
        Value::Bool(value) => SettingsValue::Bool(*value),
        Value::Number(_) => SettingsValue::Number,
        Value::Text(value) => SettingsValue::Text(text(value)),
        Value::List(items) => SettingsValue::List(items.iter().map(given).collect()),
        Value::Map(entries) => {
            let entries = entries.iter();
            SettingsValue::Map(
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
    use kuma_workload_rulebook::admission::{EnforcementAction, Updates};
    use rstest::rstest;

    fn read_text(text: &str) -> Result<Settings<'static>, String> {
        let options = Options {
            settings: Some(Document {
                name: "settings.yml".into(),
                bytes: text.as_bytes().into(),
            }),
            ..Options::default()
        };
        read(&options).map_err(|fault| {
            let Position { line, column } = fault.place.at;
            format!("{line}:{column}: {}", fault.message)
        })
    }

    #[test]
    fn the_default_is_what_the_example_policies_have() {
        let policy = include_str!("../../examples/policies/pods.yaml");
        let settings = read(&Options::default()).unwrap();
        // How grants are proved is nothing that a plan asks about.
        let policy = Settings {
            grants: settings.grants,
            policy_server_user: None,
            ..read_text(policy).unwrap()
        };
        assert_eq!(policy, settings);
        assert!(settings.mesh_rule);
        assert_eq!(settings.already_split, EnforcementAction::Warn);
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
        "4:5: the settings are not valid: action must be \"deny\" or \"warn\", not a boolean"
    )]
    #[case::a_word_that_is_a_boolean(
        "disallowMultipleMeshesPerNamespace: yes\nprotectWorkloads: off\n",
        "1:1: the settings are not valid: protectWorkloads must be \"warn\", \"deny\" or \"off\", not a boolean; put \"off\" in quotes"
    )]
    #[case::repeated_key(
        "updates: all\nupdates: membership\n",
        "2:1: the key \"updates\" is repeated: it stands at line 1, column 1 already; keep one"
    )]
    #[case::repeated_key_in_json(
        "{\"updates\": \"all\", \"updates\": \"membership\"}",
        "1:20: the key \"updates\" is repeated: it stands at line 1, column 2 already; keep one"
    )]
    #[case::policies_of_a_group(
        "apiVersion: policies.kubewarden.io/v1\nkind: ClusterAdmissionPolicyGroup\nspec: {}\n",
        "1:1: an object of kind \"ClusterAdmissionPolicyGroup\" has no settings of one policy; give \
         them, or a ClusterAdmissionPolicy or AdmissionPolicy"
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
        let options = |labels: &[&str]| Options {
            workload_labels: Some(labels.iter().map(|&label| label.to_owned()).collect()),
            ..Options::default()
        };
        let settings = read(&options(&["app", "tier"])).unwrap();
        assert_eq!(
            settings.workload_labels().collect::<Vec<_>>(),
            ["app", "tier"]
        );
        let fault = read(&options(&["a b"])).unwrap_err();
        assert!(fault.message.contains("workloadLabels[0]"), "{fault}");
    }
}

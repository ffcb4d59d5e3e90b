//! Reads a settings document, and reports everything that is wrong with it at once.

use std::{collections::BinaryHeap, fmt};

use super::{
    definition::{EnforcementAction, NamespaceMesh, Settings, Updates},
    document::SettingsValue,
    names::{self, Names},
    nearest::nearest,
};
use crate::{mesh, metadata::Text, quoted::Quoted};

/// The names of all settings, in the order of the documentation.
pub const SETTINGS: [&str; 12] = [
    "disallowMultipleMeshesPerNamespace",
    "namespaceMesh",
    "action",
    "updates",
    "alreadySplit",
    "considerPods",
    "systemNamespaces",
    "legacyMeshAnnotations",
    "workloadLabels",
    "invalidWorkloadName",
    "protectWorkloads",
    "workloadManagers",
];

/// What is wrong with a settings document: a sentence for each fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsFaults(pub Vec<String>);

impl fmt::Display for SettingsFaults {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, fault) in self.0.iter().enumerate() {
            if number > 0 {
                formatter.write_str("; ")?;
            }
            formatter.write_str(fault)?;
        }
        Ok(())
    }
}

impl<'a> Settings<'a> {
    /// Reads a settings document. `null` and an empty map mean the defaults, and a `null` for one
    /// setting means its default.
    ///
    /// # Errors
    ///
    /// All faults of the document.
    pub fn read(given: SettingsValue<'a>) -> Result<Self, SettingsFaults> {
        let mut reader = SettingsReader { faults: Vec::new() };
        let mut settings = Self::default();
        match given {
            SettingsValue::Null => {}
            SettingsValue::Map(entries) => {
                for (_, key) in repeated(entries.iter().map(|(key, _)| &**key)) {
                    reader.fault(Quoted(key), "is given twice; keep one");
                }
                for (key, value) in entries {
                    if value != SettingsValue::Null {
                        reader.setting(&mut settings, &key, value);
                    }
                }
            }
            other => reader.fault(
                "settings",
                format_args!("must be a map, not {}", other.kind()),
            ),
        }
        if settings.protect_workloads == Some(EnforcementAction::Deny)
            && settings.workload_managers.is_empty()
        {
            reader.fault(
                "workloadManagers",
                "must name somebody while protectWorkloads is \"deny\", \
                 or Kuma itself could not write Workloads",
            );
        }
        if reader.faults.is_empty() {
            Ok(settings)
        } else {
            Err(SettingsFaults(reader.faults))
        }
    }
}

/// Reads the settings one after the other and collects their faults.
struct SettingsReader {
    faults: Vec<String>,
}

impl SettingsReader {
    fn setting<'a>(&mut self, settings: &mut Settings<'a>, key: &str, value: SettingsValue<'a>) {
        const ACTIONS: &[(&str, EnforcementAction)] = &[
            ("deny", EnforcementAction::Deny),
            ("warn", EnforcementAction::Warn),
        ];
        match key {
            "disallowMultipleMeshesPerNamespace" => {
                self.boolean(&mut settings.mesh_rule, key, &value);
            }
            "namespaceMesh" => self.word(
                &mut settings.namespace_mesh,
                key,
                &value,
                &[
                    ("observed", NamespaceMesh::Observed),
                    ("declared", NamespaceMesh::Declared),
                ],
            ),
            "action" => self.word(&mut settings.action, key, &value, ACTIONS),
            "updates" => self.word(
                &mut settings.updates,
                key,
                &value,
                &[("all", Updates::All), ("membership", Updates::Membership)],
            ),
            "alreadySplit" => self.word(&mut settings.already_split, key, &value, ACTIONS),
            "considerPods" => self.boolean(&mut settings.consider_pods, key, &value),
            "systemNamespaces" => {
                self.names(
                    &mut settings.system_namespaces,
                    key,
                    value,
                    names::namespace_fault,
                );
            }
            "legacyMeshAnnotations" => {
                let mut read = true;
                self.boolean(&mut read, key, &value);
                settings.mesh_annotations = if read {
                    mesh::MeshAnnotations::Read
                } else {
                    mesh::MeshAnnotations::Ignored
                };
            }
            "workloadLabels" => {
                self.names(
                    &mut settings.workload_labels,
                    key,
                    value,
                    names::label_key_fault,
                );
            }
            "invalidWorkloadName" => self.word(
                &mut settings.invalid_workload_name,
                key,
                &value,
                &[
                    ("warn", Some(EnforcementAction::Warn)),
                    ("deny", Some(EnforcementAction::Deny)),
                    ("ignore", None),
                ],
            ),
            "protectWorkloads" => self.word(
                &mut settings.protect_workloads,
                key,
                &value,
                &[
                    ("warn", Some(EnforcementAction::Warn)),
                    ("deny", Some(EnforcementAction::Deny)),
                    ("off", None),
                ],
            ),
            "workloadManagers" => {
                self.names(
                    &mut settings.workload_managers,
                    key,
                    value,
                    names::manager_fault,
                );
            }
            unknown => self.fault(
                Quoted(unknown),
                format_args!(
                    "is not a setting; the nearest is {}",
                    Quoted(nearest(unknown, &SETTINGS))
                ),
            ),
        }
    }

    fn fault(&mut self, path: impl fmt::Display, what: impl fmt::Display) {
        self.faults.push(format!("{path} {what}"));
    }

    fn boolean(&mut self, setting: &mut bool, key: &str, value: &SettingsValue<'_>) {
        match value {
            SettingsValue::Bool(value) => *setting = *value,
            other => self.fault(
                key,
                format_args!("must be true or false, not {}", other.kind()),
            ),
        }
    }

    fn word<T: Copy>(
        &mut self,
        setting: &mut T,
        key: &str,
        value: &SettingsValue<'_>,
        words: &[(&str, T)],
    ) {
        let found = match value {
            SettingsValue::Text(text) => words.iter().find(|(word, _)| **word == **text),
            _ => None,
        };
        if let Some((_, meaning)) = found {
            *setting = *meaning;
            return;
        }
        let mut allowed = String::new();
        for (number, (word, _)) in words.iter().enumerate() {
            allowed.push_str(match number {
                0 => "\"",
                n if n + 1 == words.len() => " or \"",
                _ => ", \"",
            });
            allowed.push_str(word);
            allowed.push('"');
        }
        match value {
            SettingsValue::Text(text) => {
                self.fault(key, format_args!("must be {allowed}, not {}", Quoted(text)));
            }
            other => self.fault(key, format_args!("must be {allowed}, not {}", other.kind())),
        }
    }

    fn names<'a>(
        &mut self,
        setting: &mut Names<'a>,
        key: &str,
        value: SettingsValue<'a>,
        fault_of: fn(&str) -> Option<&'static str>,
    ) {
        let items = match value {
            SettingsValue::List(items) => items,
            other => {
                self.fault(
                    key,
                    format_args!("must be a list of strings, not {}", other.kind()),
                );
                return;
            }
        };
        let mut indexes = Vec::with_capacity(items.len());
        let mut given_names: Vec<Text<'a>> = Vec::with_capacity(items.len());
        for (index, item) in items.into_iter().enumerate() {
            let path = format_args!("{key}[{index}]");
            match item {
                SettingsValue::Text(name) => {
                    if let Some(fault) = fault_of(&name) {
                        self.fault(path, format_args!("{fault}, unlike {}", Quoted(&name)));
                    } else {
                        indexes.push(index);
                        given_names.push(name);
                    }
                }
                other => self.fault(path, format_args!("must be a string, not {}", other.kind())),
            }
        }
        for (position, name) in repeated(given_names.iter().map(|name| &**name)) {
            let index = indexes.get(position).copied().unwrap_or_default();
            self.fault(
                format_args!("{key}[{index}]"),
                format_args!("repeats {}", Quoted(name)),
            );
        }
        *setting = Names::Given(given_names);
    }
}

/// The texts that are equal to an earlier one, with their positions.
fn repeated<'t>(texts: impl Iterator<Item = &'t str>) -> impl Iterator<Item = (usize, &'t str)> {
    // A sort by a heap is the smallest one, which matters in the guest.
    let heap: BinaryHeap<_> = texts.enumerate().map(|(at, text)| (text, at)).collect();
    let mut earlier = None;
    heap.into_sorted_vec()
        .into_iter()
        .filter(move |(text, _)| earlier.replace(*text) == Some(*text))
        .map(|(text, at)| (at, text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn read(json: &str) -> Result<Settings<'_>, Vec<String>> {
        Settings::read(serde_json::from_str(json).unwrap()).map_err(|faults| faults.0)
    }

    #[rstest]
    #[case::null("null")]
    #[case::empty("{}")]
    #[case::null_values(r#"{"action":null,"workloadLabels":null}"#)]
    #[case::spelled_out(
        r#"{
        "disallowMultipleMeshesPerNamespace": false, "namespaceMesh": "observed",
        "action": "deny", "updates": "all", "alreadySplit": "deny", "considerPods": true,
        "systemNamespaces": ["kong-mesh-system", "kuma-system"],
        "legacyMeshAnnotations": true, "workloadLabels": [],
        "invalidWorkloadName": "warn", "protectWorkloads": "warn"}"#
    )]
    fn defaults(#[case] json: &str) {
        assert_eq!(read(json).unwrap(), Settings::default());
    }

    #[test]
    fn every_setting_is_read() {
        let settings = read(
            r#"{
            "disallowMultipleMeshesPerNamespace": true, "namespaceMesh": "declared",
            "action": "warn", "updates": "membership", "alreadySplit": "warn",
            "considerPods": false, "systemNamespaces": ["mesh"],
            "legacyMeshAnnotations": false, "workloadLabels": ["app", "a.b/c_D"],
            "invalidWorkloadName": "deny", "protectWorkloads": "deny",
            "workloadManagers": ["system:serviceaccounts:mesh", "ops-*"]}"#,
        )
        .unwrap();
        let names = Names::Default;
        assert_eq!(
            settings,
            Settings {
                mesh_rule: true,
                namespace_mesh: NamespaceMesh::Declared,
                action: EnforcementAction::Warn,
                updates: Updates::Membership,
                already_split: EnforcementAction::Warn,
                consider_pods: false,
                system_namespaces: names(&["mesh"]),
                mesh_annotations: mesh::MeshAnnotations::Ignored,
                workload_labels: names(&["app", "a.b/c_D"]),
                invalid_workload_name: Some(EnforcementAction::Deny),
                protect_workloads: Some(EnforcementAction::Deny),
                workload_managers: names(&["system:serviceaccounts:mesh", "ops-*"]),
            }
        );
    }

    #[rstest]
    #[case::not_a_map(r#"[]"#, "settings must be a map, not a list")]
    #[case::unknown_key(
        r#"{"considerPod":true}"#,
        r#""considerPod" is not a setting; the nearest is "considerPods""#
    )]
    #[case::other_case(
        r#"{"Action":"deny"}"#,
        r#""Action" is not a setting; the nearest is "action""#
    )]
    #[case::wrong_type(
        r#"{"considerPods":"true"}"#,
        "considerPods must be true or false, not a string"
    )]
    #[case::wrong_word(
        r#"{"updates":"none"}"#,
        r#"updates must be "all" or "membership", not "none""#
    )]
    #[case::three_words(
        r#"{"protectWorkloads":"yes"}"#,
        r#"protectWorkloads must be "warn", "deny" or "off", not "yes""#
    )]
    #[case::word_of_a_wrong_type(
        r#"{"action":1.5}"#,
        r#"action must be "deny" or "warn", not a number"#
    )]
    #[case::list_of_a_wrong_type(
        r#"{"workloadLabels":"app"}"#,
        "workloadLabels must be a list of strings, not a string"
    )]
    #[case::item_of_a_wrong_type(
        r#"{"workloadLabels":["app",{}]}"#,
        "workloadLabels[1] must be a string, not a map"
    )]
    #[case::illegal_label_key(
        r#"{"workloadLabels":["a b"]}"#,
        r#"workloadLabels[0] must be a legal label key, unlike "a b""#
    )]
    #[case::illegal_label_prefix(
        r#"{"workloadLabels":["A/b"]}"#,
        r#"workloadLabels[0] must be a legal label key, unlike "A/b""#
    )]
    #[case::repeated(
        r#"{"workloadLabels":["app","app"]}"#,
        r#"workloadLabels[1] repeats "app""#
    )]
    #[case::repeated_among_others(
        r#"{"workloadLabels":["app","tier"],"systemNamespaces":["b","a","c","a"]}"#,
        r#"systemNamespaces[3] repeats "a""#
    )]
    #[case::empty_user(
        r#"{"workloadManagers":[""]}"#,
        r#"workloadManagers[0] must name a user or group, not nobody or everybody, unlike """#
    )]
    #[case::bare_star(
        r#"{"workloadManagers":["*"]}"#,
        r#"workloadManagers[0] must name a user or group, not nobody or everybody, unlike "*""#
    )]
    #[case::star_in_the_middle(
        r#"{"workloadManagers":["a*b"]}"#,
        r#"workloadManagers[0] must have its only "*" at the end, unlike "a*b""#
    )]
    #[case::user_with_a_space(
        r#"{"workloadManagers":[" a"]}"#,
        r#"workloadManagers[0] must be without white space, unlike " a""#
    )]
    #[case::nobody_left(
        r#"{"protectWorkloads":"deny","workloadManagers":[]}"#,
        "workloadManagers must name somebody while protectWorkloads is \"deny\", or Kuma itself could not write Workloads"
    )]
    #[case::bad_namespace(
        r#"{"systemNamespaces":["Kuma"]}"#,
        r#"systemNamespaces[0] must be a Namespace's name, unlike "Kuma""#
    )]
    #[case::key_twice(
        r#"{"action":"deny","action":"warn"}"#,
        r#""action" is given twice; keep one"#
    )]
    fn faults(#[case] json: &str, #[case] fault: &str) {
        assert_eq!(read(json).unwrap_err(), [fault]);
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let faults = read(r#"{"nope":1,"action":"x","workloadLabels":["",7]}"#).unwrap_err();
        assert_eq!(faults.len(), 4);
        assert!(SettingsFaults(faults).to_string().matches("; ").count() >= 3);
    }

    #[test]
    fn all_keys_are_known_and_no_other() {
        for key in SETTINGS {
            let given = SettingsValue::Map(vec![(Text::from(key), SettingsValue::Number)]);
            let faults = Settings::read(given).unwrap_err().0;
            assert!(faults[0].starts_with(key), "{faults:?}");
        }
    }
}

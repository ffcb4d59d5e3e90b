//! Reads a settings document, and reports everything that is wrong with it at once.
//!
//! The policy reads its settings with each request, so no document may cost more than its length.

use std::{collections::BinaryHeap, fmt};

use super::{
    definition::{EnforcementAction, Grants, NamespaceMesh, Settings, Updates},
    document::SettingsValue,
    faults::{FaultCollector, SettingsFaults},
    managers::manager_fault,
    mesh_namespaces::{MeshNamespaces, pattern_fault},
    names::{Names, label_key_fault, namespace_fault},
    nearest::Nearest,
    service_account::ServiceAccountUser,
};
use crate::{
    mesh::{self, MeshAnnotations},
    metadata::Text,
    quoted::Quoted,
};

/// The names of all settings, in the order of the documentation.
pub const SETTINGS: [&str; 15] = [
    "disallowMultipleMeshesPerNamespace",
    "namespaceMesh",
    "action",
    "updates",
    "alreadySplit",
    "considerPods",
    "grants",
    "policyServerUser",
    "systemNamespaces",
    "legacyMeshAnnotations",
    "meshNamespaces",
    "workloadLabels",
    "invalidWorkloadName",
    "protectWorkloads",
    "workloadManagers",
];

/// The most entries that a list or map in the settings can have.
pub const MAX_ENTRIES: usize = 256;

impl<'a> Settings<'a> {
    /// Reads a settings document. `null` and an empty map mean the defaults, and a `null` for one
    /// setting means its default.
    ///
    /// # Errors
    ///
    /// All faults of the document.
    pub fn read(given: SettingsValue<'a>) -> Result<Self, SettingsFaults> {
        let mut reader = SettingsReader::default();
        let mut settings = Self::default();
        match given {
            SettingsValue::Null => {}
            SettingsValue::TooDeep => reader.fault("settings", "are nested too deeply"),
            SettingsValue::Map(entries) => {
                if reader.is_short("settings", entries.len()) {
                    for (_, key) in repeated(entries.iter().map(|(key, _)| &**key)) {
                        reader.fault(Quoted(key), "is given twice; keep one");
                    }
                    for (key, value) in entries {
                        if !matches!(value, SettingsValue::Null) {
                            reader.setting(&mut settings, &key, value);
                        }
                    }
                }
            }
            other => reader.fault(
                "settings",
                format_args!("must be a map, not {}", other.kind()),
            ),
        }
        if settings.grants == Grants::Ask && settings.policy_server_user.is_none() {
            reader.fault(
                "policyServerUser",
                "must be given while grants is \"ask\": the ServiceAccount of the policy server, \
                 as system:serviceaccount:NAMESPACE:NAME",
            );
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
        match reader.faults.into_faults() {
            None => Ok(settings),
            Some(faults) => Err(faults),
        }
    }
}

/// Reads the settings one after the other and collects their faults.
#[derive(Default)]
struct SettingsReader {
    faults: FaultCollector,
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
            "grants" => self.word(
                &mut settings.grants,
                key,
                &value,
                &[
                    ("probe", Grants::Probe),
                    ("ask", Grants::Ask),
                    ("assume", Grants::Assume),
                ],
            ),
            "policyServerUser" => {
                settings.policy_server_user = Some(self.service_account(key, value));
            }
            "systemNamespaces" => {
                self.names(&mut settings.system_namespaces, key, value, namespace_fault);
            }
            "legacyMeshAnnotations" => {
                let mut read = true;
                self.boolean(&mut read, key, &value);
                settings.mesh_annotations = if read {
                    MeshAnnotations::Read
                } else {
                    MeshAnnotations::Ignored
                };
            }
            "meshNamespaces" => settings.mesh_namespaces = self.mesh_namespaces(key, value),
            "workloadLabels" => {
                self.names(&mut settings.workload_labels, key, value, label_key_fault);
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
                self.names(&mut settings.workload_managers, key, value, manager_fault);
            }
            unknown => self.fault(
                Quoted(unknown),
                format_args!(
                    "is not a setting; the nearest is {}",
                    Nearest(unknown, &SETTINGS)
                ),
            ),
        }
    }

    fn fault(&mut self, path: impl fmt::Display, what: impl fmt::Display) {
        self.faults.add(path, what);
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
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let found = self.known_word(key, value, &known);
        if let Some((_, meaning)) = found.and_then(|found| words.get(found)) {
            *setting = *meaning;
        }
    }

    /// Which of the words it is. Not generic, so that the guest has it once.
    fn known_word(
        &mut self,
        key: &str,
        value: &SettingsValue<'_>,
        words: &[&str],
    ) -> Option<usize> {
        if let SettingsValue::Text(text) = value {
            let found = words.iter().position(|word| **word == **text);
            if found.is_some() {
                return found;
            }
        }
        let mut allowed = String::new();
        for (number, word) in words.iter().enumerate() {
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
            other => {
                // YAML reads a bare `off` as false.
                let hint = match other {
                    SettingsValue::Bool(false) if words.contains(&"off") => {
                        "; put \"off\" in quotes"
                    }
                    _ => "",
                };
                let kind = other.kind();
                self.fault(key, format_args!("must be {allowed}, not {kind}{hint}"));
            }
        }
        None
    }

    /// The user of a ServiceAccount; any one if the value is at fault.
    fn service_account<'a>(
        &mut self,
        key: &str,
        value: SettingsValue<'a>,
    ) -> ServiceAccountUser<'a> {
        const FORM: &str = "must read system:serviceaccount:NAMESPACE:NAME";
        match value {
            SettingsValue::Text(name) => {
                let user = ServiceAccountUser::new(name.clone());
                if user.is_none() {
                    self.fault(key, format_args!("{FORM}, unlike {}", Quoted(&name)));
                }
                user.unwrap_or_default()
            }
            other => {
                self.fault(key, format_args!("{FORM}, and not be {}", other.kind()));
                ServiceAccountUser::default()
            }
        }
    }

    fn names<'a>(
        &mut self,
        setting: &mut Names<'a>,
        key: &str,
        value: SettingsValue<'a>,
        fault_of: fn(&str) -> Option<&'static str>,
    ) {
        if let Some(names) = self.strings(key, value, fault_of) {
            *setting = Names::Given(names);
        }
    }

    /// For each mesh, the patterns of its Namespaces.
    fn mesh_namespaces<'a>(&mut self, key: &str, value: SettingsValue<'a>) -> MeshNamespaces<'a> {
        let meshes = match value {
            SettingsValue::Map(meshes) => meshes,
            other => {
                let kind = other.kind();
                self.fault(key, format_args!("must be a map of lists, not {kind}"));
                return MeshNamespaces::default();
            }
        };
        if !self.is_short(key, meshes.len()) {
            return MeshNamespaces::default();
        }
        for (_, mesh) in repeated(meshes.iter().map(|(mesh, _)| &**mesh)) {
            self.fault(key, format_args!("has {} twice; keep one", Quoted(mesh)));
        }
        let mut read = Vec::with_capacity(meshes.len());
        for (mesh, patterns) in meshes {
            if mesh::is_possible_name(&mesh) {
                let path = format!("{key}.{}", &*mesh);
                let patterns = self.strings(&path, patterns, pattern_fault);
                read.push((mesh, patterns.unwrap_or_default()));
            } else {
                self.fault(
                    key,
                    format_args!(
                        "has the key {}, which no mesh can have as its name",
                        Quoted(&mesh)
                    ),
                );
            }
        }
        MeshNamespaces(read)
    }

    /// A list of different strings, unless something is wrong with it. `path` is its place in the
    /// document.
    fn strings<'a>(
        &mut self,
        path: &str,
        value: SettingsValue<'a>,
        fault_of: fn(&str) -> Option<&'static str>,
    ) -> Option<Vec<Text<'a>>> {
        let items = match value {
            SettingsValue::List(items) => items,
            other => {
                let kind = other.kind();
                self.fault(path, format_args!("must be a list of strings, not {kind}"));
                return None;
            }
        };
        if !self.is_short(path, items.len()) {
            return None;
        }
        let faults_before = self.faults.len();
        let mut indexes = Vec::with_capacity(items.len());
        let mut strings: Vec<Text<'a>> = Vec::with_capacity(items.len());
        for (index, item) in items.into_iter().enumerate() {
            let path = format_args!("{path}[{index}]");
            match item {
                SettingsValue::Text(string) => {
                    if let Some(fault) = fault_of(&string) {
                        self.fault(path, format_args!("{fault}, unlike {}", Quoted(&string)));
                    } else {
                        indexes.push(index);
                        strings.push(string);
                    }
                }
                other => self.fault(path, format_args!("must be a string, not {}", other.kind())),
            }
        }
        for (position, string) in repeated(strings.iter().map(|string| &**string)) {
            let index = indexes.get(position).copied().unwrap_or_default();
            self.fault(
                format_args!("{path}[{index}]"),
                format_args!("repeats {}", Quoted(string)),
            );
        }
        (self.faults.len() == faults_before).then_some(strings)
    }

    /// Whether a list or map has no more entries than it may have. A longer one is not looked at.
    fn is_short(&mut self, path: &str, entries: usize) -> bool {
        let is_short = entries <= MAX_ENTRIES;
        if !is_short {
            self.fault(
                path,
                format_args!("may have at most {MAX_ENTRIES} entries, not {entries}"),
            );
        }
        is_short
    }
}

/// The texts that are equal to an earlier one, with their positions.
fn repeated<'t>(texts: impl Iterator<Item = &'t str>) -> Vec<(usize, &'t str)> {
    repeated_in(texts.enumerate().map(|(at, text)| (text, at)).collect())
}

/// Not generic, so that the guest has the sort once.
fn repeated_in(texts: Vec<(&str, usize)>) -> Vec<(usize, &str)> {
    // A sort by a heap is the smallest one, which matters in the guest.
    let mut texts = BinaryHeap::from(texts).into_sorted_vec();
    let mut earlier = None;
    texts.retain(|(text, _)| earlier.replace(*text) == Some(*text));
    texts.into_iter().map(|(text, at)| (at, text)).collect()
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
        "grants": "probe", "policyServerUser": null,
        "legacyMeshAnnotations": true, "meshNamespaces": {}, "workloadLabels": [],
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
            "grants": "ask", "policyServerUser": "system:serviceaccount:kubewarden:policy-server",
            "legacyMeshAnnotations": false, "workloadLabels": ["app", "a.b/c_D"],
            "meshNamespaces": {"payments": ["payments", "payments-*"], "closed": []},
            "invalidWorkloadName": "deny", "protectWorkloads": "deny",
            "workloadManagers": ["group:system:serviceaccounts:mesh", "ops-*"]}"#,
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
                grants: Grants::Ask,
                policy_server_user: ServiceAccountUser::new(Text::from(
                    "system:serviceaccount:kubewarden:policy-server"
                )),
                system_namespaces: names(&["mesh"]),
                mesh_annotations: MeshAnnotations::Ignored,
                mesh_namespaces: MeshNamespaces(vec![
                    (
                        Text::from("payments"),
                        vec![Text::from("payments"), Text::from("payments-*")]
                    ),
                    (Text::from("closed"), vec![]),
                ]),
                workload_labels: names(&["app", "a.b/c_D"]),
                invalid_workload_name: Some(EnforcementAction::Deny),
                protect_workloads: Some(EnforcementAction::Deny),
                workload_managers: names(&["group:system:serviceaccounts:mesh", "ops-*"]),
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
    #[case::a_group_as_a_user(
        r#"{"workloadManagers":["jane","system:masters"]}"#,
        r#"workloadManagers[1] must name a group as group:NAME, unlike "system:masters""#
    )]
    #[case::nobody_left(
        r#"{"protectWorkloads":"deny","workloadManagers":[]}"#,
        "workloadManagers must name somebody while protectWorkloads is \"deny\", or Kuma itself could not write Workloads"
    )]
    #[case::wrong_managers_and_deny(
        r#"{"protectWorkloads":"deny","workloadManagers":[7]}"#,
        "workloadManagers[0] must be a string, not a number"
    )]
    #[case::yaml_reads_off_as_false(
        r#"{"protectWorkloads":false}"#,
        r#"protectWorkloads must be "warn", "deny" or "off", not a boolean; put "off" in quotes"#
    )]
    #[case::yaml_reads_on_as_true(
        r#"{"protectWorkloads":true}"#,
        r#"protectWorkloads must be "warn", "deny" or "off", not a boolean"#
    )]
    #[case::ask_whom(
        r#"{"grants":"ask"}"#,
        "policyServerUser must be given while grants is \"ask\": the ServiceAccount of the policy server, as system:serviceaccount:NAMESPACE:NAME"
    )]
    #[case::ask_a_person(
        r#"{"grants":"ask","policyServerUser":"jane"}"#,
        r#"policyServerUser must read system:serviceaccount:NAMESPACE:NAME, unlike "jane""#
    )]
    #[case::ask_nobody(
        r#"{"grants":"ask","policyServerUser":""}"#,
        r#"policyServerUser must read system:serviceaccount:NAMESPACE:NAME, unlike """#
    )]
    #[case::ask_a_map(
        r#"{"grants":"ask","policyServerUser":{"name":"secret"}}"#,
        "policyServerUser must read system:serviceaccount:NAMESPACE:NAME, and not be a map"
    )]
    #[case::mesh_namespaces_of_a_wrong_type(
        r#"{"meshNamespaces":["payments"]}"#,
        "meshNamespaces must be a map of lists, not a list"
    )]
    #[case::patterns_of_a_wrong_type(
        r#"{"meshNamespaces":{"payments":"payments"}}"#,
        "meshNamespaces.payments must be a list of strings, not a string"
    )]
    #[case::no_patterns(
        r#"{"meshNamespaces":{"payments":null}}"#,
        "meshNamespaces.payments must be a list of strings, not null"
    )]
    #[case::pattern_of_a_wrong_type(
        r#"{"meshNamespaces":{"payments":["payments",{"secret":1}]}}"#,
        "meshNamespaces.payments[1] must be a string, not a map"
    )]
    #[case::pattern_for_every_namespace(
        r#"{"meshNamespaces":{"payments":["*"]}}"#,
        r#"meshNamespaces.payments[0] must not stand for every Namespace; leave out a mesh that is open to all, unlike "*""#
    )]
    #[case::bad_pattern(
        r#"{"meshNamespaces":{"payments":["pay*ments"]}}"#,
        r#"meshNamespaces.payments[0] must be a Namespace's name, or the beginning of one with a "*" at its end, unlike "pay*ments""#
    )]
    #[case::empty_pattern(
        r#"{"meshNamespaces":{"payments":[""]}}"#,
        r#"meshNamespaces.payments[0] must be a Namespace's name, or the beginning of one with a "*" at its end, unlike """#
    )]
    #[case::repeated_pattern(
        r#"{"meshNamespaces":{"payments":["a","b","a"]}}"#,
        r#"meshNamespaces.payments[2] repeats "a""#
    )]
    #[case::no_mesh_name(
        r#"{"meshNamespaces":{"Payments":[]}}"#,
        r#"meshNamespaces has the key "Payments", which no mesh can have as its name"#
    )]
    #[case::empty_mesh_name(
        r#"{"meshNamespaces":{"":[]}}"#,
        r#"meshNamespaces has the key "", which no mesh can have as its name"#
    )]
    #[case::mesh_twice(
        r#"{"meshNamespaces":{"payments":["a"],"payments":["b"]}}"#,
        r#"meshNamespaces has "payments" twice; keep one"#
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
    fn settings_that_are_nested_too_deeply() {
        let faults = Settings::read(SettingsValue::TooDeep).unwrap_err().0;
        assert_eq!(faults, ["settings are nested too deeply"]);
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let faults = read(r#"{"nope":1,"action":"x","workloadLabels":["",7]}"#).unwrap_err();
        assert_eq!(faults.len(), 4);
        assert!(SettingsFaults(faults).to_string().matches("; ").count() >= 3);
    }

    /// A list of different names.
    fn many(entries: usize) -> String {
        let names: Vec<String> = (0..entries)
            .map(|number| format!("\"n{number}\""))
            .collect();
        format!("[{}]", names.join(","))
    }

    #[rstest]
    #[case::system_namespaces("systemNamespaces", many)]
    #[case::workload_labels("workloadLabels", many)]
    #[case::workload_managers("workloadManagers", many)]
    #[case::patterns("meshNamespaces.m", many)]
    #[case::meshes("meshNamespaces", |entries| {
        let meshes: Vec<String> = (0..entries).map(|number| format!("\"m{number}\":[]")).collect();
        format!("{{{}}}", meshes.join(","))
    })]
    fn a_list_has_256_entries_at_most(#[case] path: &str, #[case] list: fn(usize) -> String) {
        let read_list = |entries| {
            let json = match path.split_once('.') {
                Some((setting, key)) => {
                    format!(r#"{{"{setting}":{{"{key}":{}}}}}"#, list(entries))
                }
                None => format!(r#"{{"{path}":{}}}"#, list(entries)),
            };
            read(&json).map(|_| ())
        };
        assert_eq!(read_list(MAX_ENTRIES), Ok(()));
        for entries in [MAX_ENTRIES + 1, 40_000] {
            let fault = format!("{path} may have at most 256 entries, not {entries}");
            assert_eq!(read_list(entries), Err(vec![fault]));
        }
    }

    #[test]
    fn a_document_has_256_entries_at_most() {
        let keys: Vec<String> = (0..40_000)
            .map(|number| format!("\"k{number}\":1"))
            .collect();
        let faults = read(&format!("{{{}}}", keys.join(","))).unwrap_err();
        assert_eq!(faults, ["settings may have at most 256 entries, not 40000"]);
    }

    #[test]
    fn ten_faults_are_told_and_the_others_counted() {
        let keys: Vec<String> = (0..200).map(|number| format!("\"k{number}\":1")).collect();
        let faults = read(&format!("{{{}}}", keys.join(","))).unwrap_err();
        assert_eq!((faults.len(), &*faults[10]), (11, "and 190 more"));
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

//! Which policies the settings need.

use kuma_workload_rulebook::admission::Settings;

use super::{mesh_rules, namespaces, policy::Policy, workload_label, workload_objects};

/// The policies, in the order in which the rules are asked.
pub(super) fn policies(settings: &Settings<'_>) -> Vec<Policy> {
    let policies = [
        Some(workload_label::of_pods(settings)),
        Some(workload_label::of_templates(settings)),
        mesh_rules::of_pods(settings),
        mesh_rules::of_templates(settings),
        namespaces::of_namespaces(settings),
        workload_objects::of_workloads(settings),
    ];
    policies.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use kuma_workload_rulebook::admission::SettingsValue;
    use rstest::rstest;
    use std::collections::BTreeSet;

    const EVERYTHING: &str = r#"{"disallowMultipleMeshesPerNamespace":true,"namespaceMesh":"declared",
        "updates":"membership","meshNamespaces":{"payments":["payments","payments-*"],"closed":[]},
        "workloadManagers":["jane","robot-*","group:mesh admins"]}"#;

    fn made_from(settings: &str) -> Vec<Policy> {
        let given: SettingsValue<'_> = serde_json::from_str(settings).unwrap();
        policies(&Settings::read(given).unwrap())
    }

    /// The Kubernetes versions in whose environment for expressions each function and macro is for the
    /// first time, by its `k8s.io/apiserver/pkg/cel/environment`; those of the language itself came with
    /// the first.
    const FUNCTIONS: [(&str, (u8, u8)); 14] = [
        ("all", (1, 23)),
        ("dyn", (1, 23)),
        ("endsWith", (1, 23)),
        ("exists", (1, 23)),
        ("findAll", (1, 23)),
        ("has", (1, 23)),
        ("join", (1, 23)),
        ("map", (1, 23)),
        ("matches", (1, 23)),
        ("replace", (1, 23)),
        ("size", (1, 23)),
        ("startsWith", (1, 23)),
        ("substring", (1, 23)),
        // With `.?x` and `[?x]`.
        ("optMap orValue or", (1, 28)),
    ];

    /// The names that an expression calls.
    fn called(expression: &str) -> BTreeSet<String> {
        let mut code = String::new();
        let mut characters = expression.chars();
        while let Some(character) = characters.next() {
            if character == '\'' {
                while let Some(of_text) = characters.next() {
                    match of_text {
                        '\\' => drop(characters.next()),
                        '\'' => break,
                        _ => {}
                    }
                }
            } else {
                code.push(character);
            }
        }
        let before_each = code.match_indices('(').map(|(at, _)| &code[..at]);
        let names = before_each.filter_map(|before| {
            let rest = before.trim_end_matches(|c: char| c.is_ascii_alphanumeric());
            let name = &before[rest.len()..];
            (!name.is_empty() && name != "in").then(|| name.to_owned())
        });
        names.collect()
    }

    #[test]
    fn a22_no_function_is_newer_than_kubernetes_1_30() {
        let known = FUNCTIONS.iter().filter(|(_, since)| *since <= (1, 30));
        let known: BTreeSet<_> = known.flat_map(|(names, _)| names.split(' ')).collect();
        let mut met = BTreeSet::new();
        for policy in made_from(EVERYTHING) {
            let spec = policy.policy().spec.unwrap();
            let validations = spec.validations.unwrap();
            let messages = validations
                .iter()
                .filter_map(|one| one.message_expression.as_ref());
            let expressions = validations
                .iter()
                .map(|one| &one.expression)
                .chain(messages);
            let variables = spec.variables.iter().flatten();
            let variables = variables.map(|variable| &variable.expression);
            for expression in expressions.chain(variables) {
                met.extend(called(expression));
            }
        }
        met.remove("or");
        let unknown: Vec<_> = met
            .iter()
            .filter(|name| !known.contains(&***name))
            .collect();
        assert!(unknown.is_empty(), "{unknown:?}");
        assert!(met.len() > 10, "{met:?}");
    }

    #[test]
    fn calls_are_found() {
        let found = called("a.exists(x, x in (b) || f('g(h)\\'i(')) && (c)");
        assert_eq!(found.into_iter().collect::<Vec<_>>(), ["exists", "f"]);
    }

    #[rstest]
    #[case::defaults("{}", &["pod-label", "template-label", "workloads"])]
    #[case::unprotected(r#"{"protectWorkloads":"off"}"#, &["pod-label", "template-label"])]
    #[case::mesh_rule(r#"{"disallowMultipleMeshesPerNamespace":true}"#,
        &["pod-label", "template-label", "pod-mesh", "template-mesh", "namespace-mesh", "workloads"])]
    #[case::closed_meshes(r#"{"meshNamespaces":{"payments":["payments"]},"protectWorkloads":"off"}"#,
        &["pod-label", "template-label", "pod-mesh", "template-mesh", "namespace-mesh"])]
    fn a22_only_what_the_settings_need(#[case] settings: &str, #[case] expected: &[&str]) {
        let made = made_from(settings);
        let names: Vec<_> = made
            .iter()
            .map(|policy| &policy.name["kuma-workload-".len()..])
            .collect();
        assert_eq!(names, expected);
    }

    #[test]
    fn a9_warn_is_for_the_mesh_rules_only() {
        let settings = r#"{"disallowMultipleMeshesPerNamespace":true,"action":"warn",
            "protectWorkloads":"deny"}"#;
        for policy in made_from(settings) {
            let actions = policy.binding().spec.validation_actions;
            match policy.name.ends_with("-mesh") {
                true => assert_eq!(actions, ["Warn", "Audit"], "{}", policy.name),
                false => assert_eq!(actions, ["Deny"], "{}", policy.name),
            }
        }
    }

    #[test]
    fn a19_system_namespaces_are_exempt_from_the_mesh_rules_only() {
        let settings = r#"{"disallowMultipleMeshesPerNamespace":true,"systemNamespaces":["mesh"]}"#;
        for policy in made_from(settings) {
            let constraints = policy.policy().spec.unwrap().match_constraints.unwrap();
            let selector = constraints.namespace_selector.unwrap();
            let exempt = selector.match_expressions.map(|mut requirements| {
                let requirement = requirements.remove(0);
                (
                    requirement.key,
                    requirement.operator,
                    requirement.values.unwrap().join(" "),
                )
            });
            let expected = (
                "kubernetes.io/metadata.name".to_owned(),
                "NotIn".to_owned(),
                "kube-system mesh".to_owned(),
            );
            let is_of_meshes = policy.name.ends_with("-mesh");
            assert_eq!(exempt, is_of_meshes.then_some(expected), "{}", policy.name);
        }
    }

    #[test]
    fn a22_every_rule_has_a_sentence() {
        for policy in made_from(EVERYTHING) {
            for validation in policy.policy().spec.unwrap().validations.unwrap() {
                let says = validation.message.or(validation.message_expression);
                assert!(says.is_some_and(|text| text.len() > 40), "{}", policy.name);
                assert_eq!(validation.reason.as_deref(), Some("Forbidden"));
            }
        }
    }
}

//! The metadata, Rancher's questions, README, docs and example policies agree with the code.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "this is a test"
)]

use std::{cell::RefCell, collections::BTreeSet, fs, path::Path};

use kuma_workload_policy::validate;
use kuma_workload_rulebook::admission::{Grants, Rule, SETTINGS, Settings, TEMPLATE_KINDS, scope};
use rstest::rstest;
use serde_json::{Map, Value, json};

fn text(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn yaml(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// The documents of a file or block with several.
fn documents(text: &str) -> Vec<Value> {
    text.split("\n---\n").map(yaml).collect()
}

fn metadata() -> Value {
    yaml(&text("policy-metadata.yml"))
}

/// The policies of `examples/policies`, by file.
fn policies() -> Vec<(String, Value)> {
    let names = ["pods", "strays", "templates", "namespaces", "workloads"];
    names
        .map(|name| {
            let path = format!("examples/policies/{name}.yaml");
            let policy = yaml(&text(&path));
            (path, policy)
        })
        .into()
}

/// The fenced YAML blocks of a Markdown text.
fn yaml_blocks(markdown: &str) -> Vec<&str> {
    markdown
        .split("```yaml\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .collect()
}

/// The settings in the README: the YAML block that begins with the first setting.
fn readme_settings() -> Value {
    let readme = text("README.md");
    let blocks = yaml_blocks(&readme);
    let block = blocks.iter().find(|block| {
        let mut lines = block.lines().filter(|line| !line.starts_with('#'));
        // Those of a case come with a cluster and its objects.
        let is_alone = !block.contains("\n---\n");
        is_alone
            && lines
                .next()
                .is_some_and(|line| line.starts_with(SETTINGS[0]))
    });
    yaml(block.expect("the README shows the settings"))
}

/// The sections of docs/settings.md that are about a setting: its name and the text.
fn settings_sections() -> Vec<(String, String)> {
    let docs = text("docs/settings.md");
    let sections = docs.split("\n## ").skip(1).map(|section| {
        let (name, body) = section.split_once('\n').unwrap();
        (name.to_owned(), body.to_owned())
    });
    sections.collect()
}

/// Reads settings as the policy does, and checks what they mean.
fn assert_means(document: &Value, check: impl FnOnce(&Settings<'_>)) {
    let json = document.to_string();
    let given = serde_json::from_str(&json).unwrap();
    match Settings::read(given) {
        Ok(settings) => check(&settings),
        Err(faults) => panic!("{faults} in {document}"),
    }
}

fn assert_valid(document: &Value) {
    assert_means(document, |_| {});
}

fn assert_defaults(document: &Value) {
    assert_means(document, |settings| {
        assert_eq!(*settings, Settings::default(), "{document}");
    });
}

fn keys(map: &Value) -> Vec<&str> {
    map.as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

fn strings(list: &Value) -> Vec<String> {
    let items = list
        .as_array()
        .unwrap_or_else(|| panic!("not a list: {list}"));
    items
        .iter()
        .map(|item| item.as_str().unwrap().to_owned())
        .collect()
}

fn sorted<T: Ord>(items: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut items: Vec<T> = items.into_iter().collect();
    items.sort();
    items
}

/// What rules match: an entry for each group, version, resource and operation.
fn matched(rules: &Value) -> Vec<[String; 4]> {
    let mut matched = Vec::new();
    for rule in rules.as_array().unwrap() {
        for group in strings(&rule["apiGroups"]) {
            for version in strings(&rule["apiVersions"]) {
                for resource in strings(&rule["resources"]) {
                    for operation in strings(&rule["operations"]) {
                        matched.push([group.clone(), version.clone(), resource.clone(), operation]);
                    }
                }
            }
        }
    }
    matched
}

fn resources(list: &Value) -> BTreeSet<(String, String)> {
    let Value::Array(items) = list else {
        return BTreeSet::new();
    };
    items
        .iter()
        .map(|item| {
            let field = |name: &str| item[name].as_str().unwrap().to_owned();
            (field("apiVersion"), field("kind"))
        })
        .collect()
}

#[test]
fn the_questions_are_the_settings_with_their_defaults() {
    let questions = yaml(&text("questions-ui.yml"));
    let questions = questions["questions"].as_array().unwrap();
    let variable = |question: &Value| question["variable"].as_str().unwrap().to_owned();
    let variables: Vec<String> = questions.iter().map(variable).collect();
    assert_eq!(variables, SETTINGS);

    let defaults: Map<String, Value> = questions
        .iter()
        .map(|question| (variable(question), question["default"].clone()))
        .collect();
    assert_defaults(&defaults.into());
}

#[test]
fn each_question_offers_what_the_setting_allows() {
    let questions = yaml(&text("questions-ui.yml"));
    for question in questions["questions"].as_array().unwrap() {
        let variable = question["variable"].as_str().unwrap();
        let default = &question["default"];
        match question["type"].as_str().unwrap() {
            "boolean" => assert!(default.is_boolean(), "{variable}"),
            "array[string]" => assert!(default.is_array(), "{variable}"),
            "map[string]" => assert!(default.is_object(), "{variable}"),
            "string" => assert!(default.is_null(), "{variable}"),
            "enum" => {
                let options = strings(&question["options"]);
                assert!(options.contains(&default.as_str().unwrap().to_owned()));
                for option in &options {
                    // The user is needed by one of the options of `grants`.
                    let user = "system:serviceaccount:kubewarden:policy-server";
                    assert_valid(&json!({ variable: option, "policyServerUser": user }));
                }
                // The message names each word that is allowed.
                let wrong = json!({ variable: "?" }).to_string();
                let faults = Settings::read(serde_json::from_str(&wrong).unwrap()).unwrap_err();
                let allowed = faults.to_string();
                let words = allowed.matches('"').count() / 2 - 1;
                assert_eq!(words, options.len(), "{variable}: {allowed}");
            }
            other => panic!("{variable} has the type {other}"),
        }
        for condition in question["show_if"]
            .as_str()
            .unwrap_or_default()
            .split(['&', '|'])
        {
            let known = condition
                .split_once('=')
                .is_none_or(|(name, _)| SETTINGS.contains(&name));
            assert!(known, "{variable} is shown if {condition}");
        }
    }
}

#[test]
fn the_readme_shows_every_setting_with_its_default() {
    let settings = readme_settings();
    assert_eq!(sorted(keys(&settings)), sorted(SETTINGS));
    assert_defaults(&settings);
}

#[test]
fn the_docs_explain_every_setting_with_its_default() {
    let sections = settings_sections();
    let names: Vec<&str> = sections.iter().map(|(name, _)| &**name).collect();
    assert_eq!(names, SETTINGS);

    let mut defaults = Map::new();
    for (name, body) in &sections {
        let blocks = yaml_blocks(body);
        assert_eq!(blocks.len(), 2, "{name} has its default and an example");
        let default = yaml(blocks[0]);
        assert_eq!(keys(&default), [name]);
        defaults.insert(name.clone(), default[name].clone());
        let example = yaml(blocks[1]);
        assert!(keys(&example).contains(&&**name), "{name}'s example");
        assert_valid(&example);
    }
    assert_defaults(&defaults.into());
}

#[test]
fn the_example_policies_have_valid_settings() {
    for (path, policy) in policies() {
        let settings = &policy["spec"]["settings"];
        assert_means(settings, |settings| {
            let judges_workloads = path.ends_with("workloads.yaml");
            assert!(settings.mesh_rule || judges_workloads, "{path}");
            assert!(
                settings.grants == Grants::Ask || judges_workloads,
                "{path} asks before it lists"
            );
        });
        if settings["disallowMultipleMeshesPerNamespace"] == json!(true) {
            assert_eq!(settings["updates"], "membership", "{path}");
        }
    }
}

/// The spec of an example policy.
fn spec(name: &str) -> Value {
    let path = format!("examples/policies/{name}.yaml");
    let mut found = policies().into_iter().filter(|(found, _)| *found == path);
    found.next().unwrap().1["spec"].clone()
}

#[test]
fn pods_strays_and_templates_are_judged_alike() {
    let pods = spec("pods");
    for other in [spec("templates"), spec("strays")] {
        for field in ["settings", "contextAwareResources"] {
            assert_eq!(pods[field], other[field], "{field}");
        }
    }
    assert_eq!(
        pods["namespaceSelector"],
        spec("templates")["namespaceSelector"]
    );
    for (name, failure_policy) in [
        ("pods", "Fail"),
        ("strays", "Fail"),
        ("templates", "Ignore"),
    ] {
        assert_eq!(spec(name)["failurePolicy"], failure_policy, "{name}");
    }
}

/// I4: every Namespace but those of the system is selected by one of both policies for Pods.
#[test]
fn i4_strays_are_the_namespaces_that_pods_leaves_out() {
    let expressions = |name: &str| spec(name)["namespaceSelector"]["matchExpressions"].clone();
    let (pods, strays) = (expressions("pods"), expressions("strays"));
    let by_key = |operator: &str| json!({"key": "kuma.io/sidecar-injection", "operator": operator});
    assert_eq!(pods[0], by_key("Exists"));
    assert_eq!(strays[0], by_key("DoesNotExist"));
    assert_eq!(pods[1], strays[1]);
    assert_eq!(pods.as_array().unwrap().len(), 2);
    assert_eq!(strays.as_array().unwrap().len(), 2);
    assert_eq!(
        matched(&spec("pods")["rules"]),
        matched(&spec("strays")["rules"])
    );
    assert_eq!(spec("strays")["backgroundAudit"], false);
}

/// I4: CEL that cannot end in an error, which under `Fail` would refuse a Pod.
#[test]
fn i4_conditions_look_before_they_read_a_map() {
    let conditions = |name: &str| spec(name)["matchConditions"].clone();
    assert_eq!(conditions("pods")[0], conditions("strays")[0]);
    for name in ["pods", "strays", "namespaces"] {
        for condition in conditions(name).as_array().unwrap() {
            let expression = condition["expression"].as_str().unwrap();
            for map in [
                "oldObject.metadata.labels",
                "oldObject.metadata.annotations",
                "object.metadata.labels",
                "object.metadata.annotations",
            ] {
                let guard = format!("has({map})");
                let first = expression.find(map);
                let is_guarded = first.is_none_or(|first| {
                    expression[..first].ends_with("has(") && expression.contains(&guard)
                });
                assert!(is_guarded, "{name}: {map} in {expression}");
            }
            assert!(!expression.contains(".spec"), "{name}: {expression}");
        }
    }
}

/// I4: who applies strays.yaml reads first how to see that its conditions have arrived.
#[test]
fn i4_the_first_comment_of_strays_is_a_check() {
    let file = text("examples/policies/strays.yaml");
    let comment: Vec<&str> = file
        .lines()
        .take_while(|line| line.starts_with('#'))
        .collect();
    let comment = comment.join("\n");
    assert!(comment.contains("Kubernetes 1.30"));
    assert!(comment.contains("clusterwide-kuma-workload-strays"));
    assert!(comment.contains("{.webhooks[0].matchConditions[*].name}"));
    let names: Vec<String> = spec("strays")["matchConditions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|condition| condition["name"].as_str().unwrap().to_owned())
        .collect();
    assert!(comment.contains(&format!("It must print: {}.", names.join(" "))));
}

#[test]
fn the_example_that_lists_the_managers_lists_the_default() {
    let (_, policy) = policies().pop().unwrap();
    let managers = strings(&policy["spec"]["settings"]["workloadManagers"]);
    let default = Settings::default();
    assert_eq!(
        managers,
        default.workload_managers.iter().collect::<Vec<_>>()
    );
}

#[test]
fn the_example_policies_are_of_one_module_and_select_as_kubewarden_does() {
    let version = &metadata()["annotations"]["io.kubewarden.policy.version"];
    assert_eq!(version, env!("CARGO_PKG_VERSION"));
    let image = metadata()["annotations"]["io.kubewarden.policy.ociUrl"].clone();
    let (image, version) = (image.as_str().unwrap(), version.as_str().unwrap());
    for (path, policy) in policies() {
        let spec = &policy["spec"];
        assert_eq!(policy["kind"], "ClusterAdmissionPolicy", "{path}");
        assert_eq!(
            spec["module"],
            format!("registry://{image}:v{version}"),
            "{path}"
        );
        assert_eq!(spec["mutating"], false, "{path}");
        // The controller drops matchLabels, and cluster-wide policies have no such field.
        assert_eq!(spec["namespaceSelector"].get("matchLabels"), None, "{path}");
        assert_eq!(spec.get("hostCapabilities"), None, "{path}");
    }
}

#[test]
fn the_example_policies_match_the_metadatas_rules_exactly_once() {
    // Of both policies for Pods, each has the Namespaces that the other leaves out.
    let examples = policies()
        .iter()
        .filter(|(path, _)| !path.ends_with("strays.yaml"))
        .flat_map(|(_, policy)| matched(&policy["spec"]["rules"]))
        .collect::<Vec<_>>();
    assert_eq!(sorted(examples), sorted(matched(&metadata()["rules"])));
}

#[test]
fn the_metadatas_rules_are_what_is_judged() {
    let others = [
        ("v1", "Pod", "pods"),
        ("v1", "Namespace", "namespaces"),
        ("kuma.io/v1alpha1", "Workload", "workloads"),
    ];
    let templates = TEMPLATE_KINDS
        .iter()
        .map(|kind| (kind.api_version, kind.name, kind.plural));
    let mut judged = Vec::new();
    for (api_version, kind, plural) in templates.chain(others) {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        for operation in ["CREATE", "UPDATE", "DELETE", "CONNECT"] {
            for sub_resource in ["", "status", "scale", "finalize", "eviction"] {
                if scope(group, kind, operation, sub_resource).is_some() {
                    let resource = match sub_resource {
                        "" => plural.to_owned(),
                        sub_resource => format!("{plural}/{sub_resource}"),
                    };
                    judged.push([group, version, &resource, operation].map(str::to_owned));
                }
            }
        }
    }
    assert_eq!(sorted(matched(&metadata()["rules"])), sorted(judged));
}

/// What the policy asks about a Pod of which only the Namespace says that it is meshed: the kinds,
/// and the host capabilities that it uses.
fn asked(grants: &str) -> (BTreeSet<(String, String)>, BTreeSet<String>) {
    let asked = RefCell::new((BTreeSet::new(), BTreeSet::new()));
    let host = |operation: &str, question: &[u8]| {
        let question: Value = serde_json::from_slice(question).unwrap();
        let (resources, capabilities) = &mut *asked.borrow_mut();
        capabilities.insert(format!("kubernetes/{operation}"));
        if let Some(kind) = question["kind"].as_str() {
            let api_version = question["api_version"].as_str().unwrap();
            resources.insert((api_version.to_owned(), kind.to_owned()));
        }
        let labels = json!({"kuma.io/sidecar-injection": "enabled"});
        let answer = match operation {
            "get_resource" => json!({"metadata": {"labels": labels}}),
            "list_resources_all" => json!({"items": [{"metadata": {"name": "default"}}]}),
            "can_i" => json!({"allowed": true}),
            _ => json!({"items": []}),
        };
        Ok(answer.to_string().into_bytes())
    };
    let payload = json!({
        "settings": {
            "disallowMultipleMeshesPerNamespace": true,
            "grants": grants,
            "policyServerUser": "system:serviceaccount:kubewarden:policy-server",
        },
        "request": {
            "kind": {"group": "", "version": "v1", "kind": "Pod"},
            "operation": "CREATE",
            "namespace": "team",
            "object": {"metadata": {"name": "web-0"}},
        },
    });
    let response = validate(payload.to_string().as_bytes(), host).unwrap();
    let response: Value = serde_json::from_slice(&response).unwrap();
    assert_eq!(response["accepted"], true, "{response}");
    asked.into_inner()
}

#[test]
fn the_metadata_grants_what_the_policy_asks() {
    let (mut asked_resources, mut capabilities) = (BTreeSet::new(), BTreeSet::new());
    for grants in ["probe", "ask", "assume"] {
        let (resources, used) = asked(grants);
        asked_resources.extend(resources);
        capabilities.extend(used);
    }
    let metadata = metadata();
    let granted = resources(&metadata["contextAwareResources"]);
    assert_eq!(granted, asked_resources);
    let granted = strings(&metadata["hostCapabilities"]);
    assert_eq!(sorted(granted), sorted(capabilities));
}

#[test]
fn the_example_policies_and_the_rbac_grant_it_too() {
    let granted = resources(&metadata()["contextAwareResources"]);
    let mut union = BTreeSet::new();
    for (path, policy) in policies() {
        let resources = resources(&policy["spec"]["contextAwareResources"]);
        assert!(resources.is_subset(&granted), "{path}");
        union.extend(resources);
    }
    assert_eq!(union, granted);

    let rbac = text("examples/policies/rbac.yaml");
    let role = yaml(rbac.split("\n---\n").next().unwrap());
    let mut readable = BTreeSet::new();
    let (reviews, rules) = role["rules"].as_array().unwrap().split_last().unwrap();
    // What `can_i` creates on behalf of the policy.
    assert_eq!(
        *reviews,
        json!({"apiGroups": ["authorization.k8s.io"], "resources": ["subjectaccessreviews"],
               "verbs": ["create"]})
    );
    for rule in rules {
        assert_eq!(strings(&rule["verbs"]), ["get", "list", "watch"]);
        for group in strings(&rule["apiGroups"]) {
            for resource in strings(&rule["resources"]) {
                readable.insert((group.clone(), resource));
            }
        }
    }
    let plural = |kind: &str| match kind {
        "Mesh" => "meshes".to_owned(),
        kind => format!("{}s", kind.to_lowercase()),
    };
    let needed = granted.iter().map(|(api_version, kind)| {
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        (group.to_owned(), plural(kind))
    });
    assert_eq!(readable, needed.collect());
}

#[test]
fn the_package_is_what_kwctl_makes_of_metadata_and_questions() {
    let (package, metadata) = (yaml(&text("artifacthub-pkg.yml")), metadata());
    let annotations = &package["annotations"];
    let annotation = |name: &str| annotations[name].as_str().unwrap();
    assert_eq!(
        annotation("kubewarden/questions-ui"),
        text("questions-ui.yml")
    );
    assert_eq!(yaml(annotation("kubewarden/rules")), metadata["rules"]);
    assert_eq!(
        resources(&yaml(annotation("kubewarden/contextAwareResources"))),
        resources(&metadata["contextAwareResources"])
    );
    for (field, name) in [
        ("name", "io.kubewarden.policy.title"),
        ("version", "io.kubewarden.policy.version"),
        ("description", "io.kubewarden.policy.description"),
        ("displayName", "io.artifacthub.displayName"),
    ] {
        assert_eq!(package[field], metadata["annotations"][name], "{field}");
    }
}

#[test]
fn the_docs_have_a_section_of_messages_for_each_rule() {
    let docs = text("docs/messages.md");
    for rule in Rule::ALL {
        let heading = format!("\n## {}\n", rule.name());
        assert!(docs.contains(&heading), "{heading}");
    }
}

/// The page's own command reads an annotation that injected Pods do not have.
#[test]
fn t5_meshes_are_looked_up_by_label_and_events_by_reason() {
    let operations = text("docs/operations.md");
    assert!(operations.contains("kubectl get pods -n NS -L kuma.io/mesh"));
    assert!(operations.contains("--field-selector reason=MultipleMeshesDetected"));
    for path in [
        "README.md",
        "docs/operations.md",
        "docs/messages.md",
        "docs/reconciler.md",
    ] {
        assert!(!text(path).contains(r"annotations.kuma\.io/mesh"), "{path}");
    }
}

#[test]
fn the_readme_is_small_enough_to_be_in_the_module() {
    let size = text("README.md").len();
    assert!(size <= 12_000, "{size} bytes");
}

/// `kwctl inspect` pads each block to its longest line, and Artifact Hub has narrow columns.
#[test]
fn no_line_of_code_in_the_readme_is_too_wide() {
    let readme = text("README.md");
    for block in readme.split("\n```").skip(1).step_by(2) {
        for line in block.lines() {
            assert!(line.chars().count() <= 78, "{line}");
        }
    }
}

/// Elsewhere than in the repository, other links lead nowhere.
#[test]
fn the_readme_has_one_link_to_the_docs() {
    let readme = text("README.md");
    let links: Vec<&str> = readme
        .split("](")
        .skip(1)
        .map(|rest| rest.split(')').next().unwrap())
        .collect();
    assert_eq!(
        links,
        ["https://github.com/kuma-workload/kuma-workload/tree/main/docs"]
    );
}

/// The first cell of each row below a heading, and the others.
fn table(document: &str, heading: &str) -> Vec<Vec<String>> {
    let section = document.split(heading).nth(1).unwrap();
    let rows = section
        .lines()
        .skip_while(|line| !line.starts_with('|'))
        .take_while(|line| line.starts_with('|'));
    let cells = |row: &str| {
        let row = row.trim_matches('|');
        row.split('|').map(|cell| cell.trim().to_owned()).collect()
    };
    rows.skip(2).map(cells).collect()
}

/// The one table of versions says what files use.
#[test]
fn the_table_of_versions_is_that_of_the_files() {
    let versions = text("docs/versions.md");
    let needed = table(&versions, "## What is needed");
    let at_least = |of: &str, what: &str| {
        let mut rows = needed
            .iter()
            .filter(|row| row[0] == of && row[2].contains(what));
        let row = rows.next().unwrap_or_else(|| panic!("{of}: {what}"));
        assert_eq!(rows.next(), None, "{of}: {what} is there twice");
        row[1].clone()
    };

    // Each policy of which a row is said.
    for (path, policy) in policies() {
        let spec = &policy["spec"];
        let by_name = spec["namespaceSelector"].to_string();
        if by_name.contains("kubernetes.io/metadata.name") {
            assert_eq!(
                at_least("Kubernetes", "kubernetes.io/metadata.name"),
                "1.22"
            );
        }
        let must_have_conditions =
            spec["failurePolicy"] == "Fail" && by_name.contains("DoesNotExist");
        if must_have_conditions {
            assert!(spec.get("matchConditions").is_some(), "{path}");
            assert_eq!(at_least("Kubernetes", &path), "1.30");
            assert!(text(&path).contains("Only for Kubernetes 1.30 and later"));
            assert_eq!(at_least("Kubewarden", "matchConditions"), "1.15");
        }
    }
    assert_eq!(at_least("Kubernetes", "kuma-workload vap"), "1.30");
    assert_eq!(at_least("Kubewarden", "kubernetes/can_i"), "1.27");
    let module = at_least("Kubewarden", "hostCapabilities");
    assert_eq!(
        metadata()["minimumKubewardenVersion"],
        format!("{module}.0")
    );
    assert_eq!(at_least("Rust", "building"), env!("CARGO_PKG_RUST_VERSION"));
    let go_mod = text("e2e-tests/testbed/go.mod");
    let go = at_least("Go", "make demo");
    assert!(go_mod.contains(&format!("\ngo {go}.")), "{go}");

    // What was tried.
    let kubernetes = go_mod
        .lines()
        .find_map(|line| line.trim().strip_prefix("k8s.io/kubernetes v"))
        .unwrap();
    let tried = table(&versions, "## What was tried");
    let with: Vec<&str> = tried.iter().map(|row| &*row[0]).collect();
    assert_eq!(with[0], format!("Kubernetes {kubernetes}"));
    let upstream = text("e2e-tests/upstream/README.md");
    assert!(with.contains(&"Kuma 2.13.10") && upstream.contains("2.13.10"));

    // README says the least of each.
    let readme = text("README.md");
    for said in [
        format!("Kubewarden {module} and Kubernetes 1.22 or later"),
        "1.30 for *strays*".to_owned(),
        format!("Rust {}", env!("CARGO_PKG_RUST_VERSION")),
        format!("Go {go}"),
    ] {
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words(&readme).contains(&said), "README does not say {said}");
    }
}

/// `kubectl apply -f FOLDER` takes the files in the order of their names.
#[test]
fn the_reconcilers_namespace_is_applied_first() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/reconciler");
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let objects: Vec<Value> = files
        .iter()
        .flat_map(|file| documents(&fs::read_to_string(file).unwrap()))
        .collect();
    assert_eq!(objects[0]["kind"], "Namespace");
    let of_others = objects
        .iter()
        .filter_map(|object| object["metadata"].get("namespace"));
    for namespace in of_others {
        assert_eq!(*namespace, objects[0]["metadata"]["name"]);
    }
}

#[rstest]
#[case("README.md")]
#[case("docs/settings.md")]
#[case("docs/messages.md")]
#[case("docs/differences.md")]
#[case("docs/security-model.md")]
#[case("docs/operations.md")]
#[case("docs/performance.md")]
#[case("docs/reconciler.md")]
#[case("docs/plan.md")]
#[case("docs/versions.md")]
#[case("docs/demo.md")]
#[case("docs/vap.md")]
#[case("docs/chart.md")]
#[case("docs/runbook.md")]
#[case("docs/air-gap.md")]
#[case("docs/verify.md")]
#[case("SECURITY.md")]
#[case("docs/registry.md")]
#[case("docs/start.md")]
#[case("docs/reference.md")]
#[case("docs/exit-codes.md")]
#[case("docs/rules.md")]
#[case("docs/kumas-docs.md")]
#[case("docs/explanation/how-it-works.md")]
#[case("docs/explanation/one-mesh-per-namespace.md")]
#[case("docs/explanation/race-window.md")]
#[case("docs/explanation/why-workloads.md")]
#[case("docs/how-to/audit-warn-deny.md")]
#[case("docs/how-to/clean-up-a-split-namespace.md")]
#[case("docs/how-to/close-a-mesh.md")]
#[case("docs/how-to/install-beside-a-control-plane.md")]
#[case("docs/how-to/install-kong-mesh.md")]
#[case("docs/how-to/install-kuma.md")]
#[case("docs/how-to/install-without-a-control-plane.md")]
#[case("docs/how-to/migrate-a-namespace.md")]
#[case("docs/how-to/observed-to-declared.md")]
#[case("docs/how-to/prepare-for-kuma-3.md")]
#[case("docs/how-to/uninstall.md")]
#[case("docs/how-to/upgrade.md")]
fn every_yaml_block_and_every_file_named_is_there(#[case] path: &str) {
    let document = text(path);
    for block in yaml_blocks(&document) {
        documents(block);
    }
    let words = document.split(|c: char| !(c.is_ascii_alphanumeric() || "/-_.".contains(c)));
    for word in words.map(|word| word.trim_end_matches('.')) {
        let is_ours = ["docs/", "examples/", "scripts/"]
            .iter()
            .any(|folder| word.starts_with(folder));
        if is_ours && !word.ends_with('/') {
            let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(word);
            assert!(file.exists(), "{path} names {word}");
        }
    }
}

/// README's table of the policies says what becomes of a request that nobody judges.
#[test]
fn the_readmes_table_of_policies_is_that_of_the_files() {
    let rows = table(&text("README.md"), "## Install");
    let said: Vec<(String, String)> = rows
        .into_iter()
        .map(|mut row| (row.remove(0), row.remove(1)))
        .collect();
    let files = policies().into_iter().map(|(path, policy)| {
        let name = path.rsplit('/').next().unwrap();
        let failure_policy = policy["spec"]["failurePolicy"].as_str().unwrap();
        (format!("`{name}`"), format!("`{failure_policy}`"))
    });
    assert_eq!(said, files.collect::<Vec<_>>());
}

/// The way out names every policy that refuses what nobody judges, and its webhook as Kubewarden calls
/// it.
#[rstest]
#[case("README.md", "### The way out")]
#[case("docs/operations.md", "## The way out")]
fn the_way_out_is_of_all_policies_that_fail(#[case] path: &str, #[case] heading: &str) {
    let document = text(path);
    let section = document.split(heading).nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let section = section.replace("\\\n", " ");
    let arguments = |command: &str| -> BTreeSet<String> {
        let lines = section.lines().map(str::trim);
        let mut lines = lines.filter_map(|line| line.strip_prefix(command));
        let words = lines.next().unwrap().split_whitespace();
        words
            .filter(|word| !word.starts_with('-'))
            .map(str::to_owned)
            .collect()
    };
    let fail: BTreeSet<String> = policies()
        .iter()
        .filter(|(_, policy)| policy["spec"]["failurePolicy"] == "Fail")
        .map(|(_, policy)| policy["metadata"]["name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(arguments("$ kubectl delete clusteradmissionpolicy "), fail);
    let webhooks = fail.iter().map(|name| format!("clusterwide-{name}"));
    assert_eq!(
        arguments("$ kubectl delete validatingwebhookconfiguration "),
        webhooks.collect()
    );
}

/// I4: strays.yaml is never applied along with the others unseen: on an older cluster it would be a
/// `Fail` over every Pod.
#[rstest]
#[case("README.md")]
#[case("docs/operations.md")]
fn i4_nobody_is_told_to_apply_the_whole_folder(#[case] path: &str) {
    for line in text(path).lines() {
        let folder = line.split("kubectl apply -f ").nth(1);
        let folder = folder.and_then(|rest| rest.split_whitespace().next());
        let is_folder = folder.is_some_and(|folder| {
            folder == "." || folder.trim_end_matches(['/', '`', ';']) == "examples/policies"
        });
        assert!(!is_folder, "{path}: {line}");
    }
}

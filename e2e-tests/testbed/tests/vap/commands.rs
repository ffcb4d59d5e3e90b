//! The commands of docs/vap.md, run as they stand there, by a shell with the real kubectl.

use std::path::{Path, PathBuf};

use kuma_workload_testbed::{Testbed, User, eventually, reconciler};
use serde_json::{Value, json};
use tokio::process::Command;

const SETTINGS: &str = "settings.yaml";
const MESH: &str = "kuma-workload-pod-mesh";

/// A shell in a folder with settings, before a cluster of its own: what is bound there judges all of it.
struct Shell {
    testbed: Testbed,
    folder: tempfile::TempDir,
    path: std::ffi::OsString,
    docs: String,
}

impl Shell {
    async fn start() -> Self {
        let testbed = Testbed::start().unwrap();
        testbed.install_kuma().await.unwrap();
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let built = Command::new(here.join("build")).output().await.unwrap();
        let kubectl = PathBuf::from(String::from_utf8(built.stdout).unwrap().trim_end());
        let own = reconciler::program().unwrap();
        let mut path = vec![kubectl, own.parent().unwrap().to_owned()];
        path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap()));
        Self {
            testbed,
            folder: tempfile::tempdir().unwrap(),
            path: std::env::join_paths(path).unwrap(),
            docs: std::fs::read_to_string(here.join("../../docs/vap.md")).unwrap(),
        }
    }

    fn set(&self, settings: &str) {
        std::fs::write(self.folder.path().join(SETTINGS), settings).unwrap();
    }

    /// The block of code in the docs that has these words in it.
    fn block(&self, language: &str, words: &str) -> &str {
        let opened = format!("```{language}\n");
        let blocks = self.docs.split(&opened).skip(1);
        let mut blocks = blocks.filter_map(|rest| rest.split("```").next());
        let found = blocks.find(|block| block.contains(words));
        found.unwrap_or_else(|| panic!("{words} is in no block of {language}"))
    }

    /// Runs the commands that have these words in them: whether all of them were content, and what they
    /// printed.
    async fn run(&self, words: &str) -> (bool, String) {
        let output = Command::new("bash")
            .args(["-euo", "pipefail", "-c", self.block("console", words)])
            .current_dir(&self.folder)
            .env("PATH", &self.path)
            .env("KUBECONFIG", self.testbed.kubeconfig(User::Admin))
            .output()
            .await
            .unwrap();
        let printed = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(printed).unwrap())
    }

    async fn runs(&self, words: &str) -> String {
        let (content, printed) = self.run(words).await;
        assert!(content, "{words}: {printed}");
        printed
    }

    async fn objects(&self, plural: &str) -> Vec<Value> {
        let get = ["get", plural, "-o", "json"];
        let list = self.testbed.kubectl(User::Admin, &get, "").await.unwrap();
        let mut list: Value = serde_json::from_str(&list.ok().unwrap()).unwrap();
        std::mem::take(list["items"].as_array_mut().unwrap())
    }

    /// How many policies there are; there are as many bindings.
    async fn count(&self) -> usize {
        let policies = self.objects("validatingadmissionpolicies").await;
        let bindings = self.objects("validatingadmissionpolicybindings").await;
        let names = |objects: Vec<Value>| -> Vec<_> {
            let names = objects.into_iter();
            names
                .map(|object| object["metadata"]["name"].clone())
                .collect()
        };
        let policies = names(policies);
        assert_eq!(policies, names(bindings));
        policies.len()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a22_the_commands_of_the_docs_install_change_and_remove() {
    let shell = Shell::start().await;
    let settings = shell.block("yaml", "disallowMultipleMeshesPerNamespace");
    shell.set(settings);
    shell.runs("plan --cluster").await;
    assert_eq!(shell.count().await, 6);
    // What is printed is what is stored: nothing changes by a second apply, or by another sort of it.
    let again = shell.runs("plan --cluster").await;
    assert_eq!(again.matches(" unchanged\n").count(), 12, "{again}");
    shell.runs("--server-side").await;

    eventually("all expressions are type-checked", async || {
        let printed = shell.runs("typeChecking").await;
        match printed.matches(" map[]\n").count() {
            6 => Ok(()),
            _ => Err(printed),
        }
    })
    .await
    .unwrap();

    let actions = async || {
        let bindings = shell.objects("validatingadmissionpolicybindings").await;
        let actions = bindings.into_iter();
        let mut actions: Vec<_> = actions
            .map(|binding| binding["spec"]["validationActions"].to_string())
            .collect();
        actions.dedup();
        actions
    };
    assert_eq!(actions().await, [r#"["Deny"]"#]);
    shell.runs("sed 's/- Deny").await;
    assert_eq!(actions().await, [r#"["Warn"]"#]);
    shell.runs("plan --cluster").await;
    assert_eq!(actions().await, [r#"["Deny"]"#]);

    // Why a binding is not patched by hand, and what helps whoever has done it.
    let kind = "validatingadmissionpolicybinding";
    let patch = r#"{"spec": {"validationActions": ["Warn", "Audit"]}}"#;
    let patch = ["patch", kind, MESH, "--type", "merge", "--patch", patch];
    let patched = shell.testbed.kubectl(User::Admin, &patch, "").await;
    patched.unwrap().ok().unwrap();
    let (content, printed) = shell.run("--server-side").await;
    let refusal = "must not contain both Deny and Warn";
    assert!(!content && printed.contains(refusal), "{printed}");
    let delete = ["delete", kind, MESH];
    let deleted = shell.testbed.kubectl(User::Admin, &delete, "").await;
    deleted.unwrap().ok().unwrap();
    shell.runs("--server-side").await;
    assert_eq!(actions().await, [r#"["Deny"]"#]);
    // What is pruned below is what kubectl has a copy of.
    shell.runs("plan --cluster").await;

    // With settings that are not valid, nothing is pruned.
    shell.set("foo: bar");
    let (content, printed) = shell.run("--prune").await;
    assert!(
        !content && printed.contains("\"foo\" is not a setting"),
        "{printed}"
    );
    assert_eq!(shell.count().await, 6);
    shell.set("protectWorkloads: \"off\"");
    shell.runs("--prune").await;
    assert_eq!(shell.count().await, 2);

    shell.runs("kubectl delete").await;
    assert_eq!(shell.count().await, 0);

    // Of large policies, an apply can keep no copy.
    shell.set(&many_patterns().to_string());
    let (content, printed) = shell.run("kubectl apply -f -\n").await;
    assert!(!content && printed.contains("Too long"), "{printed}");
    shell.runs("--server-side").await;
    assert_eq!(shell.count().await, 6);
}

/// Settings whose policies have more than 256 KiB.
fn many_patterns() -> Value {
    let patterns = |mesh: usize| -> Value {
        let name = |number| format!("namespace-with-quite-a-long-name-{mesh}-{number}");
        (0..100).map(name).collect()
    };
    let meshes = (0..60).map(|mesh| (format!("mesh-{mesh}"), patterns(mesh)));
    json!({"meshNamespaces": meshes.collect::<Value>()})
}

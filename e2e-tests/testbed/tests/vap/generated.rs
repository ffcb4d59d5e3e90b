//! Generated requests: of each sort, under settings of each sort.

use fastrand::Rng;
use http::Method;
use kube::Client;
use kuma_workload_rulebook::{
    admission::{TEMPLATE_KINDS, TemplateKind},
    keys,
};
use serde_json::{Value, json};

use crate::api::{self, Call, User};
use crate::objects::{self, Marks, collection};

/// Settings by which the generated requests are judged.
pub(crate) fn settings() -> Vec<Value> {
    let closed = json!({
        "payments": ["payments", "payments-*"],
        "mesh1": ["team-*", "a", "b", "c", "d", "e", "f"],
        "default": ["payments", "team-1", "team-2"],
        "mesh2": [],
    });
    let managers = json!([
        "jane",
        "robot-*",
        "Mesh Ops",
        "group:mesh admins",
        "group:oidc:*",
        "it's \\ \"x\" ${y}*",
        "group:a  'b' # c: \\n",
        "group:ümläut 日本*",
    ]);
    let declared = |more: Value| {
        with(
            json!({"disallowMultipleMeshesPerNamespace": true, "namespaceMesh": "declared"}),
            more,
        )
    };
    vec![
        declared(json!({})),
        declared(json!({"updates": "membership", "protectWorkloads": "deny"})),
        declared(json!({"updates": "membership", "action": "warn", "protectWorkloads": "off"})),
        declared(json!({"updates": "membership", "meshNamespaces": closed})),
        declared(json!({"meshNamespaces": closed, "legacyMeshAnnotations": false})),
        declared(
            json!({"meshNamespaces": closed, "action": "warn", "systemNamespaces": ["team-3"]}),
        ),
        json!({"meshNamespaces": closed, "protectWorkloads": "deny", "workloadManagers": managers}),
        json!({"disallowMultipleMeshesPerNamespace": true, "workloadManagers": managers}),
        json!({"disallowMultipleMeshesPerNamespace": true, "updates": "membership", "meshNamespaces": closed}),
        json!({}),
        json!({"disallowMultipleMeshesPerNamespace": true, "meshNamespaces": closed,
            "protectWorkloads": "deny", "workloadManagers": managers}),
        json!({"disallowMultipleMeshesPerNamespace": true, "updates": "membership", "action": "warn",
            "legacyMeshAnnotations": false, "workloadManagers": []}),
        json!({"meshNamespaces": closed, "updates": "membership", "action": "warn",
            "legacyMeshAnnotations": false, "systemNamespaces": []}),
    ]
}

fn with(mut settings: Value, more: Value) -> Value {
    let more = more.as_object().unwrap().clone();
    settings.as_object_mut().unwrap().extend(more);
    settings
}

/// What a label or annotation may be: nothing as often as something.
const WORDS: [&str; 10] = [
    "enabled", "enabled", "true", "yes", "disabled", "no", "false", "on", "", "Enabled",
];
const MESHES: [&str; 8] = [
    "mesh1", "mesh1", "mesh2", "payments", "default", "old_mesh", "Payments", "",
];
/// Only an annotation can be one of these.
const ODD_MESHES: [&str; 6] = [
    "a \"b\"",
    "two\nlines\r\t",
    "\u{202e}right\u{2028}to\u{200b}left",
    "it's \\ a $mesh{}",
    "ünïcödé-\u{1f578}\u{fe0f}\u{e0041}",
    "LONG",
];

/// Words that only an annotation can be, and that say nothing although they look like others.
const ODD_WORDS: [&str; 5] = [
    "true\n",
    " enabled",
    "\u{202e}yes",
    "en\u{200b}abled",
    "builtin ",
];

struct Generator {
    random: Rng,
}

impl Generator {
    fn one<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.random.usize(..all.len())]
    }

    fn chance(&mut self, percent: u8) -> bool {
        self.random.u8(..100) < percent
    }

    fn odd_mesh(&mut self) -> String {
        match self.one(&ODD_MESHES) {
            "LONG" => "ä".repeat(self.random.usize(60..300)),
            odd => odd.to_owned(),
        }
    }

    fn mesh_by_annotation(&mut self) -> String {
        match self.chance(25) {
            true => self.odd_mesh(),
            false => self.one(&MESHES).to_owned(),
        }
    }

    fn annotated(&mut self, words: &[&'static str]) -> String {
        match self.chance(10) {
            true => self.one(&ODD_WORDS).to_owned(),
            false => self.one(words).to_owned(),
        }
    }

    fn pod(&mut self) -> Marks {
        let mut marks = Marks::default();
        let labels = &mut marks.labels;
        if self.chance(15) {
            labels.insert(
                keys::WORKLOAD,
                self.one(&["backend", "backend", "x", ""]).to_owned(),
            );
        }
        if self.chance(50) {
            labels.insert(keys::MESH, self.one(&MESHES).to_owned());
        }
        if self.chance(40) {
            labels.insert(keys::SIDECAR_INJECTION, self.one(&WORDS).to_owned());
        }
        for exception in keys::INJECTION_EXCEPTIONS {
            if self.chance(6) {
                labels.insert(exception, self.one(&["", "b"]).to_owned());
            }
        }
        let annotations = &mut marks.annotations;
        if self.chance(25) {
            annotations.insert(keys::MESH, self.mesh_by_annotation());
        }
        if self.chance(25) {
            annotations.insert(keys::SIDECAR_INJECTED, self.annotated(&WORDS));
        }
        if self.chance(15) {
            let words = ["builtin", "builtin", "enabled", "provided", "Builtin", ""];
            annotations.insert(keys::GATEWAY, self.annotated(&words));
        }
        for proxy in [keys::INGRESS, keys::EGRESS] {
            if self.chance(8) {
                annotations.insert(proxy, self.one(&WORDS).to_owned());
            }
        }
        if self.chance(15) {
            marks.sidecar = Some(self.one(&["containers", "initContainers"]));
        }
        marks
    }

    /// Marks that are like these: most updates change little.
    fn changed(&mut self, old: &Marks) -> Marks {
        let mut new = old.clone();
        let other = self.pod();
        for _ in 0..self.random.u8(0..4) {
            let key = self.one(&[keys::WORKLOAD, keys::MESH, keys::SIDECAR_INJECTION]);
            new.labels.remove(key);
            new.labels.extend(
                other
                    .labels
                    .get_key_value(key)
                    .map(|(key, value)| (*key, value.clone())),
            );
            let key = self.one(&[
                keys::MESH,
                keys::SIDECAR_INJECTED,
                keys::GATEWAY,
                keys::INGRESS,
            ]);
            if self.chance(60) {
                new.annotations.remove(key);
                let entry = other.annotations.get_key_value(key);
                new.annotations
                    .extend(entry.map(|(key, value)| (*key, value.clone())));
            }
        }
        if self.chance(10) {
            new.labels.insert(keys::WORKLOAD, "backend".to_owned());
        }
        new
    }

    fn namespace(&mut self) -> Marks {
        let mut marks = Marks::default();
        if self.chance(60) {
            let words = ["enabled", "enabled", "true", "yes", "disabled", ""];
            marks
                .labels
                .insert(keys::SIDECAR_INJECTION, self.one(&words).to_owned());
        }
        if self.chance(60) {
            marks
                .labels
                .insert(keys::MESH, self.one(&MESHES).to_owned());
        }
        if self.chance(30) {
            marks
                .annotations
                .insert(keys::MESH, self.mesh_by_annotation());
        }
        marks
    }
}

/// The Namespaces in which Pods and templates are judged. Their names are those of the settings.
const NAMESPACES: [&str; 12] = [
    "payments",
    "payments-eu",
    "payments2",
    "team-1",
    "team-2",
    "team-3",
    "team-4",
    "team-5",
    "shop",
    "ledger",
    "mesh2",
    "kuma-system",
];

/// How many requests of each sort there are for each settings.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counts {
    /// Stored Pods, each of which is updated a few times, and created Pods.
    pub(crate) pods: usize,
    /// Stored objects of each kind with a template, and created ones.
    pub(crate) templates: usize,
    pub(crate) namespaces: usize,
    pub(crate) workloads: usize,
}

/// Updates of each object.
const UPDATES: usize = 6;

/// Creates the Namespaces.
pub(crate) async fn namespaces(client: &Client, seed: u64) {
    let mut generator = Generator {
        random: Rng::with_seed(seed),
    };
    for name in NAMESPACES {
        let namespace = objects::namespace(name, "none", &generator.namespace());
        api::store(client, &collection("v1", "", "namespaces"), &namespace).await;
    }
}

/// The requests that are judged by the policies of a tag. What they change is stored.
pub(crate) async fn calls(client: &Client, tag: &str, seed: u64, counts: Counts) -> Vec<Call> {
    let mut maker = Maker {
        client,
        tag,
        generator: Generator {
            random: Rng::with_seed(seed),
        },
        calls: Vec::new(),
    };
    for _ in 0..counts.pods {
        maker.create_pod();
        maker.create_pod();
        maker.update_pod().await;
    }
    for kind in TEMPLATE_KINDS {
        for _ in 0..counts.templates {
            maker.create_template(kind);
            maker.update_template(kind).await;
        }
    }
    for _ in 0..counts.namespaces {
        maker.create_namespace();
        maker.update_namespace().await;
    }
    for _ in 0..counts.workloads {
        maker.workload().await;
    }
    maker.calls
}

struct Maker<'c> {
    client: &'c Client,
    tag: &'c str,
    generator: Generator,
    calls: Vec<Call>,
}

impl Maker<'_> {
    fn name(&self, stem: &str) -> String {
        format!("{stem}-{}-{}", self.tag, self.calls.len())
    }

    fn call(&mut self, method: Method, path: String, body: Value, user: Option<User>) {
        let name = self.name("call");
        self.calls.push(Call {
            name,
            method,
            path,
            body,
            user,
        });
    }

    fn create(&mut self, collection: String, body: Value) {
        self.call(Method::POST, collection, body, None);
    }

    /// Writes the same in another way, perhaps: an empty value as `null`, no name but the beginning of
    /// one.
    fn rewrite(&mut self, metadata: &mut Value) {
        if self.generator.chance(30) {
            for field in ["labels", "annotations"] {
                for value in metadata[field].as_object_mut().into_iter().flatten() {
                    if value.1 == "" {
                        *value.1 = Value::Null;
                    }
                }
            }
        }
        if self.generator.chance(20)
            && let Some(name) = metadata["name"].as_str()
        {
            let beginning = format!("{name}-");
            metadata["generateName"] = json!(beginning);
            metadata.as_object_mut().unwrap().remove("name");
        }
    }

    /// The path of an object, or of a subresource of it in which its metadata can change, too.
    fn part(&mut self, path: &str, subresource: &str) -> String {
        match self.generator.chance(8) {
            true => format!("{path}/{subresource}"),
            false => path.to_owned(),
        }
    }

    fn pods(&mut self) -> String {
        collection("v1", self.generator.one(&NAMESPACES), "pods")
    }

    fn create_pod(&mut self) {
        let marks = self.generator.pod();
        let mut pod = objects::pod(&self.name("pod"), self.tag, &marks);
        self.rewrite(&mut pod["metadata"]);
        let pods = self.pods();
        self.create(pods, pod);
    }

    async fn update_pod(&mut self) {
        let marks = self.generator.pod();
        let name = self.name("old");
        let mut pod = objects::pod(&name, self.tag, &marks);
        let terminates = self.generator.chance(30);
        if terminates {
            pod["metadata"]["finalizers"] = json!(["example.com/slow"]);
        }
        let pods = self.pods();
        let path = format!("{pods}/{name}");
        let mut stored = api::store(self.client, &pods, &pod).await;
        if terminates {
            stored = api::delete(self.client, &path).await;
        }
        for _ in 0..UPDATES {
            let mut new = objects::changeable(&stored);
            self.generator.changed(&marks).set(&mut new["metadata"]);
            if self.generator.chance(20) {
                new["metadata"]["labels"]["app"] = json!("other");
            }
            if self.generator.chance(20) {
                new["spec"]["containers"][0]["image"] = json!("registry.example.com/web:2");
            }
            if terminates && self.generator.chance(40) {
                new["metadata"]["finalizers"] = json!([]);
            }
            let path = self.part(&path, "status");
            self.call(Method::PUT, path, new, None);
        }
    }

    fn templates(&mut self, kind: &TemplateKind) -> String {
        collection(
            kind.api_version,
            self.generator.one(&NAMESPACES),
            kind.plural,
        )
    }

    fn create_template(&mut self, kind: &TemplateKind) {
        let marks = self.generator.pod();
        let stem = self.generator.one(&["made", "made", "made.v1"]);
        let mut object = objects::templated(kind, &self.name(stem), self.tag, &marks);
        self.own(&mut object);
        self.rewrite(&mut object["metadata"]);
        let template = objects::template(kind, &mut object);
        // Of a Job, the template needs no label.
        if matches!(kind.name, "Job" | "CronJob") && marks == Marks::default() {
            template["metadata"] = Value::Null;
        }
        let templates = self.templates(kind);
        self.create(templates, object);
    }

    /// Perhaps gives the object an owner, of a kind that owns it or not.
    fn own(&mut self, object: &mut Value) {
        if !self.generator.chance(35) {
            return;
        }
        let owner = self.generator.one(&[
            ("apps/v1", "Deployment"),
            ("batch/v1", "CronJob"),
            ("apps/v1", "ReplicaSet"),
            ("example.com/v1", "Deployment"),
            ("apps", "Deployment"),
        ]);
        object["metadata"]["ownerReferences"] = json!([{
            "apiVersion": owner.0, "kind": owner.1, "name": "o",
            "uid": "7a9c4b1e-0c1d-4a55-9a57-b6a1a7f0c001",
            "controller": self.generator.chance(80),
        }]);
    }

    async fn update_template(&mut self, kind: &TemplateKind) {
        let marks = self.generator.pod();
        let name = self.name("held");
        let object = objects::templated(kind, &name, self.tag, &marks);
        let templates = self.templates(kind);
        let stored = api::store(self.client, &templates, &object).await;
        for _ in 0..UPDATES / 2 {
            let mut new = objects::changeable(&stored);
            let changed = self.generator.changed(&marks);
            changed.set(&mut objects::template(kind, &mut new)["metadata"]);
            if self.generator.chance(20) && !matches!(kind.name, "Job") {
                let container = json!({"name": keys::SIDECAR_CONTAINER, "image": "sidecar"});
                let spec = &mut objects::template(kind, &mut new)["spec"];
                if marks.sidecar.is_none() {
                    spec["containers"].as_array_mut().unwrap().push(container);
                }
            }
            self.own(&mut new);
            let path = self.part(&format!("{templates}/{name}"), "status");
            self.call(Method::PUT, path, new, None);
        }
    }

    fn create_namespace(&mut self) {
        let stem = self.generator.one(&["payments", "team", "shop"]);
        let name = self.name(stem);
        let mut namespace = objects::namespace(&name, self.tag, &self.generator.namespace());
        self.rewrite(&mut namespace["metadata"]);
        self.create(collection("v1", "", "namespaces"), namespace);
    }

    async fn update_namespace(&mut self) {
        let stem = self.generator.one(&["payments", "team", "ledger"]);
        let name = self.name(&format!("{stem}-old"));
        let marks = self.generator.namespace();
        let namespaces = collection("v1", "", "namespaces");
        let mut namespace = objects::namespace(&name, self.tag, &marks);
        let path = format!("{namespaces}/{name}");
        let terminates = self.generator.chance(25);
        if terminates {
            namespace["metadata"]["finalizers"] = json!(["example.com/slow"]);
        }
        let mut stored = api::store(self.client, &namespaces, &namespace).await;
        if terminates {
            stored = api::delete(self.client, &path).await;
        }
        for _ in 0..UPDATES / 2 {
            let mut new = objects::changeable(&stored);
            let changed = match self.generator.chance(30) {
                true => marks.clone(),
                false => self.generator.namespace(),
            };
            changed.set(&mut new["metadata"]);
            let subresource = self.generator.one(&["status", "finalize"]);
            let path = self.part(&path, subresource);
            self.call(Method::PUT, path, new, None);
        }
    }

    async fn workload(&mut self) {
        let namespace = self.generator.one(&NAMESPACES);
        let workloads = collection("kuma.io/v1alpha1", namespace, "workloads");
        let user = self.user();
        let mut new = objects::workload(&self.name("w.v1"), self.tag);
        self.rewrite(&mut new["metadata"]);
        self.call(Method::POST, workloads.clone(), new, user);

        let name = self.name("held");
        let path = format!("{workloads}/{name}");
        let mut stored = objects::workload(&name, self.tag);
        let terminates = self.generator.chance(30);
        if terminates {
            stored["metadata"]["finalizers"] = json!(["example.com/slow"]);
        }
        stored = api::store(self.client, &workloads, &stored).await;
        if terminates {
            stored = api::delete(self.client, &path).await;
        }
        let edits: [fn(&mut Value); 9] = [
            |_| {},
            |new| new["metadata"]["labels"]["a"] = json!("b"),
            |new| new["metadata"]["annotations"] = json!({"a": "b"}),
            |new| new["metadata"]["finalizers"] = json!(["example.com/slow"]),
            |new| new["status"]["dataplaneProxies"]["total"] = json!(3),
            |new| drop(new.as_object_mut().unwrap().remove("status")),
            |new| new["status"] = json!({}),
            |new| drop(new["metadata"].as_object_mut().unwrap().remove("labels")),
            |new| new["metadata"]["managedFields"] = json!([{}]),
        ];
        for _ in 0..UPDATES {
            let mut new = objects::changeable(&stored);
            self.generator.one(&edits)(&mut new);
            let user = self.user();
            self.call(Method::PUT, path.clone(), new, user);
        }
        // The recorder knows a DELETE by the name of the object.
        let user = self.user();
        // Alone or, as a namespace controller does it, with its collection.
        let path = match self.generator.chance(50) {
            true => path,
            false => format!("{workloads}?fieldSelector=metadata.name={name}"),
        };
        self.call(Method::DELETE, path, Value::Null, user);
        if let Some(call) = self.calls.last_mut() {
            call.name = format!("{namespace}/{name}");
        }
    }

    fn user(&mut self) -> Option<User> {
        const USERS: [&str; 11] = [
            "it's \\ \"x\" ${y}",
            "it's \\ 'x' ${y}",
            "jane",
            "robot-7",
            "Mesh Ops",
            "john",
            "Jürgen \"J\" \u{202e}x",
            "system:serviceaccount:kuma-system:kuma-control-plane",
            "system:kube-controller-manager",
            "group:mesh admins",
            "LONG",
        ];
        const GROUPS: [&str; 9] = [
            "mesh admins",
            "oidc:mesh",
            "people",
            "jane",
            "robot-7",
            "a  'b' # c: \\n",
            "a 'b' # c: \\n",
            "ümläut 日本語",
            "ümlaut 日本語",
        ];
        let name = match self.generator.one(&USERS) {
            "LONG" => "ö".repeat(300),
            name => name.to_owned(),
        };
        let groups =
            (0..self.generator.random.u8(0..3)).map(|_| self.generator.one(&GROUPS).to_owned());
        let groups = groups.collect();
        self.generator.chance(90).then_some(User { name, groups })
    }
}

//! The objects of the fake cluster, and what has happened to them.
//!
//! A generated object is not kept as text, but made anew whenever it is asked for.

use std::collections::BTreeMap;

use axum::body::Bytes;
use kuma_workload::kinds::RecordKind;
use serde_json::{Value, json};

use super::template::Templates;
use crate::generated::{self, GeneratedObject, MESHES, NAMESPACES};

/// Namespace and name. The namespace of what has none is empty.
pub(crate) type Name = (String, String);

/// The objects.
pub(crate) struct Cluster {
    version: u64,
    objects: BTreeMap<RecordKind, BTreeMap<Name, StoredObject>>,
    events: Vec<Event>,
    /// What happened before is forgotten: a watch that begins there is told so (410).
    compacted: u64,
    templates: Templates,
}

pub(super) struct StoredObject {
    pub(super) version: u64,
    content: Content,
}

#[derive(Clone)]
enum Content {
    /// Of a Dataplane: whether its inbound is ready.
    Generated(GeneratedObject, bool),
    Written(Value),
}

struct Event {
    version: u64,
    kind: RecordKind,
    namespace: String,
    line: Bytes,
}

/// What a watch has to say next.
pub(super) enum News {
    /// These lines, which may be none, and where it is then.
    Lines(Bytes, u64),
    /// It begins before what is known.
    Gone,
}

/// The numbers of a Workload: connected, healthy, total.
type Counts = (u64, u64, u64);

impl Cluster {
    /// 2,000 namespaces, and nothing in them.
    pub(crate) fn empty() -> Self {
        let mut cluster = Self {
            version: 5_000_000,
            objects: BTreeMap::new(),
            events: Vec::new(),
            compacted: 0,
            templates: Templates::new(),
        };
        for number in 0..NAMESPACES {
            let name = generated::namespace(number);
            let object = json!({
                "apiVersion": "v1", "kind": "Namespace",
                "metadata": { "name": name, "uid": generated::uid(number) },
            });
            cluster.insert(
                RecordKind::Namespace,
                (String::new(), name),
                Content::Written(object),
            );
        }
        for (number, mesh) in MESHES.into_iter().enumerate() {
            let object = json!({
                "apiVersion": "kuma.io/v1alpha1", "kind": "Mesh",
                "metadata": { "name": mesh, "uid": generated::uid(number) },
            });
            cluster.insert(
                RecordKind::Mesh,
                (String::new(), mesh.to_owned()),
                Content::Written(object),
            );
        }
        cluster
    }

    /// The generated cluster.
    pub(crate) fn generated() -> Self {
        let mut cluster = Self::empty();
        for pod in generated::pods() {
            let name = (pod.namespace.clone(), pod.name());
            let content = Content::Generated(pod, true);
            cluster.insert(RecordKind::DataplaneInsight, name.clone(), content.clone());
            cluster.insert(RecordKind::Dataplane, name, content);
        }
        for workload in generated::workloads() {
            let name = (workload.namespace.clone(), workload.workload.clone());
            cluster.insert(
                RecordKind::Workload,
                name,
                Content::Generated(workload, true),
            );
        }
        cluster
    }

    /// The newest resourceVersion.
    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// A Dataplane and its insight come.
    pub(crate) fn add_proxy(&mut self, place: &GeneratedObject) {
        let name = (place.namespace.clone(), place.name());
        for kind in [RecordKind::Dataplane, RecordKind::DataplaneInsight] {
            self.put(kind, name.clone(), Content::Generated(place.clone(), true));
        }
    }

    /// The inbound of a Dataplane is not ready any more.
    pub(crate) fn fail_proxy(&mut self, place: &GeneratedObject) {
        let name = (place.namespace.clone(), place.name());
        self.put(
            RecordKind::Dataplane,
            name,
            Content::Generated(place.clone(), false),
        );
    }

    /// A Dataplane and its insight go.
    pub(crate) fn remove_proxy(&mut self, place: &GeneratedObject) {
        let name = (place.namespace.clone(), place.name());
        self.remove(RecordKind::Dataplane, &name);
        self.remove(RecordKind::DataplaneInsight, &name);
    }

    /// They have gone, and no watch says so.
    pub(crate) fn lose_proxy(&mut self, place: &GeneratedObject) {
        let name = (place.namespace.clone(), place.name());
        for kind in [RecordKind::Dataplane, RecordKind::DataplaneInsight] {
            self.objects_mut(kind).remove(&name);
        }
    }

    /// What happened so far is forgotten: all watches end with 410.
    pub(crate) fn compact(&mut self) {
        self.version += 1;
        self.compacted = self.version;
        self.events.clear();
    }

    /// How many Workloads are not as the Dataplanes ask for.
    pub(crate) fn wrong_workloads(&self) -> usize {
        let insights = self.objects(RecordKind::DataplaneInsight);
        let mut expected = BTreeMap::<(&str, &str), (&str, Counts)>::new();
        for (name, object) in self.objects(RecordKind::Dataplane) {
            let Content::Generated(place, is_ready) = &object.content else {
                continue;
            };
            let key = (&*place.namespace, &*place.workload);
            let (_, counts) = expected.entry(key).or_insert((place.mesh, (0, 0, 0)));
            counts.0 += u64::from(insights.contains_key(name));
            counts.1 += u64::from(*is_ready);
            counts.2 += 1;
        }
        let mut wrong = 0;
        for ((namespace, name), object) in self.objects(RecordKind::Workload) {
            let found = object.workload();
            wrong += usize::from(expected.remove(&(&**namespace, &**name)) != Some(found));
        }
        wrong + expected.len()
    }

    pub(super) fn objects(&self, kind: RecordKind) -> &BTreeMap<Name, StoredObject> {
        static NONE: BTreeMap<Name, StoredObject> = BTreeMap::new();
        self.objects.get(&kind).unwrap_or(&NONE)
    }

    fn objects_mut(&mut self, kind: RecordKind) -> &mut BTreeMap<Name, StoredObject> {
        self.objects.entry(kind).or_default()
    }

    /// Stores an object that was there from the beginning.
    fn insert(&mut self, kind: RecordKind, name: Name, content: Content) {
        let version = self.version;
        self.objects_mut(kind)
            .insert(name, StoredObject { version, content });
    }

    /// The text of an object.
    pub(super) fn text(&self, kind: RecordKind, stored: &StoredObject) -> String {
        match &stored.content {
            Content::Generated(place, is_ready) => {
                let template = self.templates.of(kind, *is_ready);
                template.fill(place, stored.version)
            }
            Content::Written(object) => {
                let mut object = object.clone();
                object["metadata"]["resourceVersion"] = json!(stored.version.to_string());
                object.to_string()
            }
        }
    }

    /// An object, if it is there.
    pub(super) fn get(&self, kind: RecordKind, name: &Name) -> Option<Value> {
        let stored = self.objects(kind).get(name)?;
        serde_json::from_str(&self.text(kind, stored)).ok()
    }

    /// Stores what was written. Returns it with its new version.
    pub(super) fn write(&mut self, kind: RecordKind, name: Name, object: Value) -> String {
        self.put(kind, name, Content::Written(object))
    }

    fn put(&mut self, kind: RecordKind, name: Name, content: Content) -> String {
        self.version += 1;
        let version = self.version;
        let stored = StoredObject { version, content };
        let text = self.text(kind, &stored);
        let namespace = name.0.clone();
        let event = match self.objects_mut(kind).insert(name, stored) {
            Some(_) => "MODIFIED",
            None => "ADDED",
        };
        self.tell(event, kind, namespace, &text);
        text
    }

    /// Removes an object.
    pub(super) fn remove(&mut self, kind: RecordKind, name: &Name) {
        if let Some(mut removed) = self.objects_mut(kind).remove(name) {
            self.version += 1;
            removed.version = self.version;
            let text = self.text(kind, &removed);
            self.tell("DELETED", kind, name.0.clone(), &text);
        }
    }

    fn tell(&mut self, event: &str, kind: RecordKind, namespace: String, object: &str) {
        self.events.push(Event {
            version: self.version,
            kind,
            namespace,
            line: event_line(event, object),
        });
    }

    /// What a watch that is at this version has to say, at most 100 events of it.
    pub(super) fn news(&self, kind: RecordKind, namespace: Option<&str>, version: u64) -> News {
        if version < self.compacted {
            return News::Gone;
        }
        let first = self
            .events
            .partition_point(|event| event.version <= version);
        let (mut lines, mut until) = (Vec::new(), self.version);
        let later = self.events[first..].iter().filter(|event| {
            event.kind == kind && namespace.is_none_or(|namespace| event.namespace == namespace)
        });
        for event in later.take(100) {
            lines.extend_from_slice(&event.line);
            until = event.version;
        }
        if lines.is_empty() {
            until = self.version;
        }
        News::Lines(lines.into(), until)
    }
}

impl StoredObject {
    /// Mesh and numbers of a Workload.
    fn workload(&self) -> (&str, Counts) {
        match &self.content {
            Content::Generated(place, _) => {
                let all = generated::PODS_EACH as u64;
                (place.mesh, (all, all, all))
            }
            Content::Written(workload) => {
                let counts = &workload["status"]["dataplaneProxies"];
                let count = |name: &str| counts[name].as_u64().unwrap_or_default();
                let mesh = workload["metadata"]["labels"]["kuma.io/mesh"].as_str();
                let counts = (count("connected"), count("healthy"), count("total"));
                (mesh.unwrap_or_default(), counts)
            }
        }
    }
}

/// An event, as a watch tells it.
pub(super) fn event_line(event: &str, object: &str) -> Bytes {
    format!("{{\"type\":\"{event}\",\"object\":{object}}}\n").into()
}

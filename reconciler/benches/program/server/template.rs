//! Generated objects as text. To build each of 100,000 objects as a tree and to print that would keep
//! this process busier than the one that is measured.

use kuma_workload::kinds::RecordKind;
use serde_json::json;

use crate::generated::{self, GeneratedObject};

/// The text of a kind of object, with a mark wherever it differs from object to object.
pub(super) struct Template(String);

impl Template {
    /// Of a kind; of a Dataplane also by whether its inbound is ready.
    pub(super) fn of(kind: RecordKind, is_ready: bool) -> Self {
        let place = GeneratedObject {
            namespace: "<namespace>".into(),
            workload: "<workload>".into(),
            mesh: "<mesh>",
            number: 0,
        };
        let mut object = match kind {
            RecordKind::DataplaneInsight => generated::insight(&place),
            RecordKind::Workload => generated::workload(&place),
            _ => generated::dataplane(&place),
        };
        object["metadata"]["resourceVersion"] = json!("<version>");
        if !is_ready {
            object["spec"]["networking"]["inbound"][0]["state"] = json!("NotReady");
        }
        let text = object.to_string();
        let text = text.replace(&place.name(), "<name>");
        let text = text.replace(&generated::uid(0), "<uid>");
        Self(text.replace(&generated::uid(1), "<owner>"))
    }

    /// The text of an object.
    pub(super) fn fill(&self, place: &GeneratedObject, version: u64) -> String {
        let (name, version) = (place.name(), version.to_string());
        let [uid, owner] = [place.number, place.number + 1].map(generated::uid);
        let mut parts = self.0.split('<');
        let mut text = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (mark, rest) = part.split_once('>').unwrap();
            text += match mark {
                "namespace" => &place.namespace,
                "workload" => &place.workload,
                "mesh" => place.mesh,
                "name" => &name,
                "version" => &version,
                "uid" => &uid,
                _ => &owner,
            };
            text += rest;
        }
        text
    }
}

/// The templates of all generated objects.
pub(super) struct Templates {
    dataplane: [Template; 2],
    insight: Template,
    workload: Template,
}

impl Templates {
    pub(super) fn new() -> Self {
        Self {
            dataplane: [false, true].map(|is_ready| Template::of(RecordKind::Dataplane, is_ready)),
            insight: Template::of(RecordKind::DataplaneInsight, true),
            workload: Template::of(RecordKind::Workload, true),
        }
    }

    /// That of a kind.
    pub(super) fn of(&self, kind: RecordKind, is_ready: bool) -> &Template {
        match kind {
            RecordKind::DataplaneInsight => &self.insight,
            RecordKind::Workload => &self.workload,
            _ => &self.dataplane[usize::from(is_ready)],
        }
    }
}

//! Builders for requests. Each is judged under the settings that it is given as JSON.

use std::borrow::Cow;

use super::{
    entries::{Entries, labels},
    fake_cluster::FakeCluster,
};
use crate::{
    admission::{
        judge::judge,
        kind::{TEMPLATE_KINDS, TemplateKind},
        request::{Operation, Request, RequestObject, RequestUser},
        settings::Settings,
        verdict::Verdict,
    },
    keys,
    metadata::{Metadata, PodFacts, Text},
};

fn run(request: &Request<'_>, settings: &str, cluster: &FakeCluster) -> Verdict {
    let settings = Settings::read(serde_json::from_str(settings).unwrap()).unwrap();
    judge(request, &settings, cluster)
}

/// A request of the user `jane` for a Pod `web-0` in Namespace `team`.
#[derive(Clone)]
pub(in crate::admission) struct PodRequest {
    operation: Operation,
    namespace: &'static str,
    pub(in crate::admission) user: Option<RequestUser<'static>>,
    pub(in crate::admission) unchanged: bool,
    pub(in crate::admission) keeps_containers: bool,
    pub(in crate::admission) new: PodFacts<'static>,
    old: Option<PodFacts<'static>>,
    settings: String,
}

impl PodRequest {
    pub(in crate::admission) fn new(operation: Operation) -> Self {
        Self {
            operation,
            namespace: "team",
            user: Some(user("jane", &[])),
            unchanged: false,
            keeps_containers: true,
            new: PodFacts {
                name: "web-0".into(),
                ..PodFacts::default()
            },
            old: None,
            settings: "{}".to_owned(),
        }
    }

    pub(in crate::admission) fn name(mut self, name: &'static str) -> Self {
        self.new.name = name.into();
        self
    }

    pub(in crate::admission) fn namespace(mut self, namespace: &'static str) -> Self {
        self.namespace = namespace;
        self
    }

    pub(in crate::admission) fn labels(mut self, entries: Entries<'_>) -> Self {
        self.new.metadata.labels = labels(entries);
        self
    }

    /// With the label that names its mesh, which makes it a member (I1 (e)).
    pub(in crate::admission) fn in_mesh(self, mesh: &'static str) -> Self {
        self.labels(&[(keys::MESH, mesh)])
    }

    pub(in crate::admission) fn annotations(mut self, entries: Entries<'_>) -> Self {
        self.new.metadata.annotations = labels(entries);
        self
    }

    pub(in crate::admission) fn was(mut self, entries: Entries<'_>) -> Self {
        let mut old = self.new.clone();
        old.metadata.labels = labels(entries);
        self.old = Some(old);
        self
    }

    pub(in crate::admission) fn settings(mut self, settings: &str) -> Self {
        settings.clone_into(&mut self.settings);
        self
    }

    pub(in crate::admission) fn judge(self, cluster: &FakeCluster) -> Verdict {
        let request = Request {
            operation: self.operation,
            namespace: self.namespace.into(),
            user: self.user,
            unchanged: self.unchanged,
            object: RequestObject::Pod {
                new: self.new,
                old: self.old,
                keeps_containers: self.keeps_containers,
            },
        };
        run(&request, &self.settings, cluster)
    }
}

/// A request for an object `web` with a Pod template, in Namespace `team`.
#[derive(Clone)]
pub(in crate::admission) struct TemplateRequest {
    kind: &'static TemplateKind,
    owned: bool,
    new: PodFacts<'static>,
    old: Option<PodFacts<'static>>,
    settings: String,
}

impl TemplateRequest {
    pub(in crate::admission) fn new(kind: &str) -> Self {
        Self {
            kind: TEMPLATE_KINDS.iter().find(|row| row.name == kind).unwrap(),
            owned: false,
            new: PodFacts::default(),
            old: None,
            settings: "{}".to_owned(),
        }
    }

    pub(in crate::admission) fn labels(mut self, entries: Entries<'_>) -> Self {
        self.new.metadata.labels = labels(entries);
        self
    }

    pub(in crate::admission) fn annotations(mut self, entries: Entries<'_>) -> Self {
        self.new.metadata.annotations = labels(entries);
        self
    }

    pub(in crate::admission) fn was(mut self, entries: Entries<'_>) -> Self {
        let mut old = self.new.clone();
        old.metadata.labels = labels(entries);
        self.old = Some(old);
        self
    }

    pub(in crate::admission) fn owned(mut self) -> Self {
        self.owned = true;
        self
    }

    pub(in crate::admission) fn settings(mut self, settings: &str) -> Self {
        settings.clone_into(&mut self.settings);
        self
    }

    pub(in crate::admission) fn judge(self, cluster: &FakeCluster) -> Verdict {
        let request = Request {
            operation: if self.old.is_some() {
                Operation::Update
            } else {
                Operation::Create
            },
            namespace: "team".into(),
            user: Some(user("jane", &[])),
            unchanged: false,
            object: RequestObject::Template {
                kind: self.kind,
                name: "web".into(),
                owner_is_judged: self.owned,
                new: self.new,
                old: self.old,
            },
        };
        run(&request, &self.settings, cluster)
    }
}

/// A request for the Namespace `team`: a CREATE unless it says what the Namespace was before.
#[derive(Clone)]
pub(in crate::admission) struct NamespaceRequest {
    operation: Operation,
    name: &'static str,
    terminating: bool,
    new: Metadata<'static>,
    old: Option<Metadata<'static>>,
    settings: String,
}

impl NamespaceRequest {
    pub(in crate::admission) fn new(entries: Entries<'_>) -> Self {
        Self {
            operation: Operation::Create,
            name: "team",
            terminating: false,
            new: Metadata {
                labels: labels(entries),
                ..Metadata::default()
            },
            old: None,
            settings: r#"{"disallowMultipleMeshesPerNamespace":true}"#.to_owned(),
        }
    }

    pub(in crate::admission) fn named(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }

    pub(in crate::admission) fn labelled(mut self, mesh: &'static str) -> Self {
        self.new.labels = labels(&[(keys::MESH, mesh)]);
        self
    }

    pub(in crate::admission) fn annotated(mut self, mesh: &'static str) -> Self {
        self.new.annotations = labels(&[(keys::MESH, mesh)]);
        self
    }

    pub(in crate::admission) fn updated(mut self) -> Self {
        self.operation = Operation::Update;
        self
    }

    pub(in crate::admission) fn was(mut self, entries: Entries<'_>) -> Self {
        self.old = Some(Metadata {
            labels: labels(entries),
            ..Metadata::default()
        });
        self.updated()
    }

    pub(in crate::admission) fn terminating(mut self) -> Self {
        self.terminating = true;
        self
    }

    pub(in crate::admission) fn settings(mut self, settings: &str) -> Self {
        settings.clone_into(&mut self.settings);
        self
    }

    pub(in crate::admission) fn judge(self, cluster: &FakeCluster) -> Verdict {
        let request = Request {
            operation: self.operation,
            namespace: "".into(),
            user: Some(user("jane", &[])),
            unchanged: false,
            object: RequestObject::Namespace {
                name: self.name.into(),
                terminating: self.terminating,
                new: self.new,
                old: self.old,
            },
        };
        run(&request, &self.settings, cluster)
    }
}

/// A request for the Workload `web` in Namespace `team`.
#[derive(Clone)]
pub(in crate::admission) struct WorkloadRequest {
    operation: Operation,
    user: Option<RequestUser<'static>>,
    unchanged: bool,
    terminating: bool,
}

impl WorkloadRequest {
    pub(in crate::admission) fn new(operation: Operation) -> Self {
        Self {
            operation,
            user: None,
            unchanged: false,
            terminating: false,
        }
    }

    pub(in crate::admission) fn by(mut self, name: &str, groups: &[&'static str]) -> Self {
        self.user = Some(user(name, groups));
        self
    }

    pub(in crate::admission) fn unchanged(mut self) -> Self {
        self.unchanged = true;
        self
    }

    pub(in crate::admission) fn terminating(mut self) -> Self {
        self.terminating = true;
        self
    }

    pub(in crate::admission) fn judge(self, settings: &str) -> Verdict {
        let request = Request {
            operation: self.operation,
            namespace: "team".into(),
            user: self.user,
            unchanged: self.unchanged,
            object: RequestObject::Workload {
                name: "web".into(),
                terminating: self.terminating,
            },
        };
        run(&request, settings, &FakeCluster::untouched())
    }
}

fn user(name: &str, groups: &[&'static str]) -> RequestUser<'static> {
    RequestUser {
        name: Text(Cow::Owned(name.to_owned())),
        groups: groups.iter().map(|group| Text::from(*group)).collect(),
    }
}

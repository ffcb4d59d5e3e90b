//! Creates, updates, patches and deletes.

use serde_json::{Value, json};

use super::{
    ApiServer, managed_fields,
    merge_patch::merge_patch,
    request::{Request, Verb},
    resource::Resource,
    status::{self, About, Answer},
    store::Stored,
    validation,
};

impl ApiServer {
    pub(super) fn create(&mut self, request: &Request) -> Answer {
        let mut object = request.body.clone();
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        let request = &Request {
            name: name.to_owned(),
            ..request.clone()
        };
        let about = request.about();
        if !object.is_object() {
            let message = "the object provided is unrecognized (must be of type Object)";
            return status::failure(400, "BadRequest", message, Value::Null);
        }
        if request.resource.is_namespaced()
            && let Some(refused) = self.refuses_content(&about)
        {
            return refused;
        }
        if let Err(invalid) = validation::of_new(&about, &object) {
            return invalid;
        }
        if !object["metadata"]["resourceVersion"]
            .as_str()
            .unwrap_or_default()
            .is_empty()
        {
            let message = "resourceVersion should not be set on objects to be created";
            return status::failure(500, "", message, Value::Null);
        }
        let key = request.key();
        if let Some(existing) = self.store.get(&key) {
            return match existing.is_terminating() {
                true => about.still_exists(),
                false => about.already_exists(),
            };
        }
        self.set_system_fields(&mut object, request);
        let stored = self.store.put(key, object);
        Answer::ok(201, stored.json())
    }

    fn refuses_content(&self, about: &About<'_>) -> Option<Answer> {
        let namespace = about.namespace.unwrap_or_default();
        match self.namespace(namespace) {
            None => Some(
                About {
                    resource: Resource::Namespaces,
                    namespace: None,
                    name: namespace,
                }
                .not_found(),
            ),
            Some(home) if home.is_terminating() => Some(about.terminating()),
            Some(_) => None,
        }
    }

    /// What the server itself says of a new object.
    fn set_system_fields(&mut self, object: &mut Value, request: &Request) {
        let resource = request.resource;
        object["apiVersion"] = resource.api_version().into();
        object["kind"] = resource.kind().into();
        if let Some(namespace) = &request.namespace {
            object["metadata"]["namespace"] = namespace.as_str().into();
        }
        object["metadata"]["uid"] = self.next_uid().into();
        object["metadata"]["creationTimestamp"] = self.now().into();
        if resource.is_custom() {
            object["metadata"]["generation"] = 1.into();
        }
        match resource {
            Resource::Workloads if self.has_status_subresource => {
                if let Some(object) = object.as_object_mut() {
                    object.remove("status");
                }
            }
            Resource::DataplaneInsights => prune(object),
            Resource::Namespaces => {
                let name = request.name.as_str();
                object["metadata"]["labels"]["kubernetes.io/metadata.name"] = name.into();
                object["spec"] = json!({ "finalizers": ["kubernetes"] });
                object["status"] = json!({ "phase": "Active" });
            }
            Resource::Events => {
                object["deprecatedSource"] = json!({});
                for time in ["deprecatedFirstTimestamp", "deprecatedLastTimestamp"] {
                    object[time] = Value::Null;
                }
            }
            _ => (),
        }
        managed_fields::update(&Value::Null, object, &request.manager, "", &self.now());
    }

    pub(super) fn update(&mut self, request: &Request) -> Answer {
        let about = request.about();
        let name = request.body["metadata"]["name"]
            .as_str()
            .unwrap_or_default();
        if name != request.name {
            let message = format!(
                "the name of the object ({name}) does not match the name on the URL ({})",
                request.name
            );
            return status::failure(400, "BadRequest", &message, Value::Null);
        }
        let Some(existing) = self.store.get(&request.key()).cloned() else {
            return match request.resource {
                Resource::Leases => self.create_by_update(request),
                _ => about.not_found(),
            };
        };
        let mut new = request.body.clone();
        let version = new["metadata"]["resourceVersion"]
            .as_str()
            .unwrap_or_default();
        if version.is_empty() {
            return about.unversioned();
        }
        if version != existing.revision.to_string() {
            return about.modified();
        }
        let asked = new["metadata"]["uid"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        if asked.is_empty() {
            new["metadata"]["uid"] = existing.uid().into();
        } else if asked != existing.uid() {
            return about.conflict(&uid_differs(&about, &asked, existing.uid()));
        }
        self.change(request, &existing, new)
    }

    /// A PUT of a Lease that does not exist makes it, unless it is meant for one that did.
    fn create_by_update(&mut self, request: &Request) -> Answer {
        let mut body = request.body.clone();
        let asked = body["metadata"]["uid"].as_str().unwrap_or_default();
        if !asked.is_empty() {
            let about = request.about();
            return about.conflict(&uid_differs(&about, asked, ""));
        }
        if let Some(metadata) = body["metadata"].as_object_mut() {
            metadata.remove("resourceVersion");
        }
        self.create(&Request {
            body,
            ..request.clone()
        })
    }

    pub(super) fn patch(&mut self, request: &Request) -> Answer {
        let about = request.about();
        if !request
            .content_type
            .starts_with("application/merge-patch+json")
        {
            let message = "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml";
            return status::failure(415, "UnsupportedMediaType", message, json!({}));
        }
        let Some(existing) = self.store.get(&request.key()).cloned() else {
            return about.not_found();
        };
        let mut new = existing.value.clone();
        merge_patch(&mut new, &request.body);
        self.change(request, &existing, new)
    }

    /// Makes an object of an existing one, as far as the request may.
    fn change(&mut self, request: &Request, existing: &Stored, mut new: Value) -> Answer {
        let about = request.about();
        let old = &existing.value;
        let asked = new["metadata"]["resourceVersion"]
            .as_str()
            .unwrap_or_default();
        if !asked.is_empty() && asked != existing.revision.to_string() {
            return about.modified();
        }
        if let Err(invalid) = validation::of_change(&about, old, &new) {
            return invalid;
        }
        // What no client can change.
        for field in [
            "creationTimestamp",
            "deletionTimestamp",
            "generation",
            "managedFields",
        ] {
            new["metadata"][field] = old["metadata"][field].clone();
        }
        for field in ["resourceVersion", "namespace"] {
            new["metadata"][field] = old["metadata"][field].clone();
        }
        match request.resource {
            Resource::Workloads => self.keep_apart(request, old, &mut new),
            Resource::DataplaneInsights => prune(&mut new),
            _ => (),
        }
        let (manager, part) = (&request.manager, &request.subresource);
        managed_fields::update(old, &mut new, manager, part, &self.now());
        if request.resource.is_custom() {
            let counts_status = !self.has_status_subresource;
            if without_metadata(&new, counts_status) != without_metadata(old, counts_status) {
                let generation = old["metadata"]["generation"].as_u64().unwrap_or_default();
                new["metadata"]["generation"] = (generation + 1).into();
            }
        }
        if let Some(metadata) = new["metadata"].as_object_mut() {
            metadata.retain(|_, value| !value.is_null());
        }
        if same_but_for_times(old, &new) {
            return Answer::ok(200, existing.json());
        }
        let key = request.key();
        let finalizers = new["metadata"]["finalizers"].as_array();
        if existing.is_terminating() && finalizers.is_none_or(Vec::is_empty) {
            self.store.remove(&key);
            return Answer::ok(200, new.to_string());
        }
        let stored = self.store.put(key, new);
        Answer::ok(200, stored.json())
    }

    /// With a status subresource, the object and its status are written apart from each other.
    fn keep_apart(&self, request: &Request, old: &Value, new: &mut Value) {
        if !self.has_status_subresource {
            return;
        }
        let written = match request.subresource.as_str() {
            "status" => {
                let status = new["status"].clone();
                let mut object = old.clone();
                object["status"] = status;
                object
            }
            _ => {
                let mut object = new.clone();
                object["status"] = old["status"].clone();
                object
            }
        };
        *new = written;
        if let Some(object) = new.as_object_mut() {
            object.retain(|_, value| !value.is_null());
        }
    }

    pub(super) fn delete(&mut self, request: &Request) -> Answer {
        let about = request.about();
        let key = request.key();
        let Some(existing) = self.store.get(&key).cloned() else {
            return about.not_found();
        };
        let precondition = |field| request.body["preconditions"][field].as_str();
        if let Some(asked) = precondition("uid")
            && asked != existing.uid()
        {
            return about.unexpected("UID", asked, existing.uid(), "deleted and then recreated");
        }
        let revision = existing.revision.to_string();
        if let Some(asked) = precondition("resourceVersion")
            && asked != revision
        {
            return about.unexpected("ResourceVersion", asked, &revision, "modified");
        }
        if let Some(held) = self.begin_deletion(request, &existing) {
            return held;
        }
        self.store.remove(&key);
        Answer::ok(200, deleted(&about, existing.uid()).to_string())
    }

    /// An object with finalizers is only marked. So is a Namespace, whose finalizer is in its spec.
    fn begin_deletion(&mut self, request: &Request, existing: &Stored) -> Option<Answer> {
        let is_namespace = request.resource == Resource::Namespaces;
        let path = if is_namespace { "spec" } else { "metadata" };
        let finalizers = existing.value[path]["finalizers"].as_array();
        if finalizers.is_none_or(Vec::is_empty) {
            return None;
        }
        if existing.is_terminating() {
            return Some(Answer::ok(200, existing.json()));
        }
        let mut object = existing.value.clone();
        object["metadata"]["deletionTimestamp"] = self.now().into();
        match is_namespace {
            true => object["status"]["phase"] = "Terminating".into(),
            false => object["metadata"]["deletionGracePeriodSeconds"] = 0.into(),
        }
        if let Some(generation) = object["metadata"]["generation"].as_u64() {
            object["metadata"]["generation"] = (generation + 1).into();
        }
        let stored = self.store.put(request.key(), object);
        Some(Answer::ok(200, stored.json()))
    }

    /// Whether a request for a subresource can be answered.
    pub(super) fn serves_subresource(&self, request: &Request) -> bool {
        match (request.subresource.as_str(), request.resource) {
            ("", _) => true,
            ("status", Resource::Workloads) => {
                self.has_status_subresource
                    && matches!(request.verb, Verb::Get | Verb::Patch | Verb::Update)
            }
            _ => false,
        }
    }
}

fn uid_differs(about: &About<'_>, asked: &str, uid: &str) -> String {
    let key = format!(
        "/registry/{}/{}/{}",
        about.resource.plural(),
        about.namespace.unwrap_or_default(),
        about.name
    );
    format!(
        "StorageError: invalid object, Code: 4, Key: {key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: {asked}, UID in object meta: {uid}"
    )
}

/// What the generation of a custom resource counts.
fn without_metadata(object: &Value, with_status: bool) -> Value {
    let mut object = object.clone();
    if let Some(object) = object.as_object_mut() {
        object.remove("metadata");
        if !with_status {
            object.remove("status");
        }
    }
    object
}

/// Their definition has no spec.
fn prune(insight: &mut Value) {
    if let Some(insight) = insight.as_object_mut() {
        insight.remove("spec");
    }
}

fn same_but_for_times(old: &Value, new: &Value) -> bool {
    let without = |object: &Value| {
        let mut object = object.clone();
        if let Some(metadata) = object["metadata"].as_object_mut() {
            metadata.remove("managedFields");
        }
        object
    };
    without(old) == without(new)
}

fn deleted(about: &About<'_>, uid: &str) -> Value {
    let mut details = json!({ "name": about.name });
    if !about.resource.group().is_empty() {
        details["group"] = about.resource.group().into();
    }
    details["kind"] = about.resource.plural().into();
    details["uid"] = uid.into();
    json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {},
        "status": "Success", "details": details,
    })
}

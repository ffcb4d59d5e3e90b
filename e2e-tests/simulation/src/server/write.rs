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
        if self.store.get(&key).is_some() {
            return about.already_exists();
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
        if resource == Resource::Workloads {
            if self.has_status_subresource
                && let Some(object) = object.as_object_mut()
            {
                object.remove("status");
            }
            managed_fields::update(&Value::Null, object, &request.manager, "", &self.now());
        }
    }

    pub(super) fn update(&mut self, request: &Request) -> Answer {
        let about = request.about();
        let Some(existing) = self.store.get(&request.key()).cloned() else {
            return match request.resource {
                Resource::Leases => self.create_by_update(request),
                _ => about.not_found(),
            };
        };
        let new = request.body.clone();
        let asked = new["metadata"]["uid"].as_str().unwrap_or_default();
        if !asked.is_empty() && asked != existing.uid() {
            return about.conflict(&uid_differs(asked, existing.uid()));
        }
        self.change(request, &existing, new)
    }

    /// A PUT of a Lease that does not exist makes it, unless it is meant for one that did.
    fn create_by_update(&mut self, request: &Request) -> Answer {
        let mut body = request.body.clone();
        let asked = body["metadata"]["uid"].as_str().unwrap_or_default();
        if !asked.is_empty() {
            return request.about().conflict(&uid_differs(asked, ""));
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
        new["metadata"]["resourceVersion"] = old["metadata"]["resourceVersion"].clone();
        if request.resource == Resource::Workloads {
            self.keep_apart(request, old, &mut new);
            let (manager, part) = (&request.manager, &request.subresource);
            managed_fields::update(old, &mut new, manager, part, &self.now());
            if new["spec"] != old["spec"] {
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
            return about.conflict(&uid_differs(asked, existing.uid()));
        }
        let revision = existing.revision.to_string();
        if let Some(asked) = precondition("resourceVersion")
            && asked != revision
        {
            let why = format!(
                "the ResourceVersion in the precondition ({asked}) does not match the ResourceVersion in record ({revision}). The object might have been modified"
            );
            return about.conflict(
                &format!("Precondition failed: {why}").replace("Precondition failed: the", "the"),
            );
        }
        let finalizers = existing.value["metadata"]["finalizers"].as_array();
        if finalizers.is_some_and(|finalizers| !finalizers.is_empty()) {
            if existing.is_terminating() {
                return Answer::ok(200, existing.json());
            }
            let mut object = existing.value.clone();
            object["metadata"]["deletionTimestamp"] = self.now().into();
            object["metadata"]["deletionGracePeriodSeconds"] = 0.into();
            let stored = self.store.put(key, object);
            return Answer::ok(200, stored.json());
        }
        self.store.remove(&key);
        Answer::ok(200, deleted(&about, existing.uid()).to_string())
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

fn uid_differs(asked: &str, uid: &str) -> String {
    format!("Precondition failed: UID in precondition: {asked}, UID in object meta: {uid}")
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

//! The payload of `validate`, read straight from its bytes into borrowed views, and from there into
//! the rulebook's facts.

use std::fmt;

use kuma_workload_guest_json::{self as json, Reader, Slice};
use kuma_workload_rulebook::{
    admission::{
        JudgedKind, Operation, Request, RequestObject, RequestUser, Settings, SettingsFaults,
        SettingsValue, scope,
    },
    metadata::Text,
};
use serde::Deserialize;

use crate::{
    object::{self, MetadataObject, ObjectMeta, PodObject, TemplateObject},
    path,
    view::view,
};

/// Why a payload cannot be judged (A14).
#[derive(Debug)]
pub(crate) enum Unreadable {
    /// The payload is not JSON.
    NotJson {
        /// Where it stops being JSON, in bytes from its start.
        at: usize,
    },
    /// A field is missing, given twice or of a wrong type.
    Field {
        /// The field's path; as far as it can be told.
        path: String,
    },
    /// The settings are not valid.
    Settings(SettingsFaults),
}

impl fmt::Display for Unreadable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJson { at } => {
                write!(
                    formatter,
                    "the request cannot be read: it is not JSON from byte {at} on"
                )
            }
            Self::Field { path } => write!(
                formatter,
                "the request cannot be read: {path} is missing, repeated or of a wrong type"
            ),
            Self::Settings(faults) => {
                write!(formatter, "the policy's settings are not valid: {faults}")
            }
        }
    }
}

/// What `validate` is called with.
#[derive(Debug)]
pub(crate) struct Payload<'a> {
    /// The settings, not yet checked.
    pub settings: SettingsValue<'a>,
    /// The request; none where it is accepted without being read (A0).
    pub request: Option<Envelope<'a>>,
}

/// The fields of the request. They come in any order, so its object is read as a Pod before its kind
/// is known: most objects are Pods, and to read another kind so costs no more than to skip it.
#[derive(Default)]
struct RawRequest<'a> {
    kind: GroupKind<'a>,
    operation: Text<'a>,
    sub_resource: Option<Text<'a>>,
    name: Option<Text<'a>>,
    namespace: Option<Text<'a>>,
    user_info: Option<UserInfo<'a>>,
    object: Option<Slice<'a>>,
    pod: Option<PodObject<'a>>,
    old_object: Option<Slice<'a>>,
}

impl<'a> RawRequest<'a> {
    fn read_field(&mut self, reader: &mut Reader<'a>, key: &str) -> Result<(), json::Error> {
        match key {
            "kind" => self.kind = reader.value()?,
            "operation" => self.operation = reader.value()?,
            "subResource" => self.sub_resource = reader.value()?,
            "name" => self.name = reader.value()?,
            "namespace" => self.namespace = reader.value()?,
            "userInfo" => self.user_info = reader.value()?,
            "object" => {
                let object = reader.attempt::<Option<PodObject<'a>>>()?;
                self.object = (object.slice != Slice(b"null")).then_some(object.slice);
                self.pod = object.value.ok().flatten();
            }
            "oldObject" => self.old_object = reader.value()?,
            _ => reader.skip()?,
        }
        Ok(())
    }
}

view! {
    struct GroupKind<'a> {
        "group" => group: Text<'a>,
        "kind" => kind: Text<'a>,
    }
}

view! {
    struct UserInfo<'a> {
        "username" => username: Option<Text<'a>>,
        "groups" => groups: Option<Vec<Text<'a>>>,
    }
}

/// A request that is judged, its objects not yet read.
#[derive(Debug)]
pub(crate) struct Envelope<'a> {
    kind: JudgedKind,
    operation: Operation,
    name: Option<Text<'a>>,
    namespace: Option<Text<'a>>,
    user: Option<RequestUser<'a>>,
    object: Option<Slice<'a>>,
    /// The object, if it can be read as a Pod.
    pod: Option<PodObject<'a>>,
    old_object: Option<Slice<'a>>,
}

/// Reads the payload; a request that is accepted whatever it holds is not read further (A0).
///
/// # Errors
///
/// [`Unreadable`] where the payload is not JSON or not an admission request.
pub(crate) fn read(payload: &[u8]) -> Result<Payload<'_>, Unreadable> {
    let mut settings = SettingsValue::Null;
    let mut request = None;
    let mut reader = Reader::new(payload);
    reader
        .map(|reader, key| {
            match key {
                "settings" => settings = reader.value()?,
                "request" => {
                    let mut fields = RawRequest::default();
                    let is_map = reader.map(|reader, key| fields.read_field(reader, key))?;
                    request = is_map.then_some(fields);
                }
                _ => reader.skip()?,
            }
            Ok(())
        })
        .and_then(|_| reader.end())
        .map_err(|error| unreadable(error, payload, ""))?;
    let RawRequest {
        kind,
        operation,
        sub_resource,
        name,
        namespace,
        user_info,
        object,
        pod,
        old_object,
    } = request.ok_or_else(|| missing("request"))?;
    if kind.kind.is_empty() {
        return Err(missing("request.kind.kind"));
    }
    if operation.is_empty() {
        return Err(missing("request.operation"));
    }
    let sub_resource = sub_resource.unwrap_or_default();
    let request =
        scope(&kind.group, &kind.kind, &operation, &sub_resource).map(|(kind, operation)| {
            Envelope {
                kind,
                operation,
                name,
                namespace,
                user: user_info.and_then(UserInfo::into_user),
                object,
                pod,
                old_object,
            }
        });
    Ok(Payload { settings, request })
}

/// Reads the payload of `validate_settings`.
///
/// # Errors
///
/// [`Unreadable`] where it is not JSON.
pub(crate) fn read_settings(payload: &[u8]) -> Result<SettingsValue<'_>, Unreadable> {
    if payload.is_empty() {
        return Ok(SettingsValue::Null);
    }
    json::from_slice(payload).map_err(|error| unreadable(error, payload, ""))
}

impl<'a> UserInfo<'a> {
    /// An audit sends no user, or an empty one (A15).
    fn into_user(self) -> Option<RequestUser<'a>> {
        let name = self.username.filter(|name| !name.is_empty())?;
        Some(RequestUser {
            name,
            groups: self.groups.unwrap_or_default(),
        })
    }
}

impl<'a> Envelope<'a> {
    /// Reads the objects, and turns the whole into facts.
    ///
    /// # Errors
    ///
    /// [`Unreadable::Field`] where an object is missing or not what its kind should be (A14).
    pub(crate) fn into_facts(self, settings: &Settings<'_>) -> Result<Request<'a>, Unreadable> {
        let old_object = match self.operation {
            Operation::Update => self.old_object,
            _ => None,
        };
        let namespace = self.namespace.unwrap_or_default();
        let is_namespaced = matches!(self.kind, JudgedKind::Pod | JudgedKind::Template(_));
        if is_namespaced && settings.mesh_rule && namespace.is_empty() {
            return Err(missing("request.namespace"));
        }
        let name_of = |metadata: &mut ObjectMeta<'a>| {
            let names = [
                metadata.name.take(),
                metadata.generate_name.take(),
                self.name,
            ];
            names
                .into_iter()
                .flatten()
                .find(|name| !name.is_empty())
                .unwrap_or_default()
        };
        let is_unchanged = |is_same: fn(Slice<'_>, Slice<'_>) -> bool| matches!((self.object, old_object), (Some(new), Some(old)) if is_same(new, old));
        let mut unchanged = false;
        let object = match self.kind {
            JudgedKind::Pod => {
                let new = match self.pod {
                    Some(pod) => pod,
                    None => decode("request.object", self.object)?,
                };
                let old: Option<PodObject<'a>> = decode_old(old_object)?;
                unchanged = is_unchanged(object::is_same_pod);
                RequestObject::Pod {
                    new: new.into_facts(),
                    old: old.map(PodObject::into_facts),
                }
            }
            JudgedKind::Template(kind) => {
                let mut new: TemplateObject<'a> = decode("request.object", self.object)?;
                let old: Option<TemplateObject<'a>> = decode_old(old_object)?;
                RequestObject::Template {
                    kind,
                    name: name_of(&mut new.metadata),
                    owner_is_judged: new.metadata.owner_is_judged(),
                    new: new.into_template(kind),
                    old: old.map(|old| old.into_template(kind)),
                }
            }
            JudgedKind::Namespace => {
                let mut new: MetadataObject<'a> = decode("request.object", self.object)?;
                let old: Option<MetadataObject<'a>> = decode_old(old_object)?;
                RequestObject::Namespace {
                    name: name_of(&mut new.metadata),
                    terminating: new.metadata.is_terminating(),
                    new: new.metadata.into_metadata(),
                    old: old.map(|old| old.metadata.into_metadata()),
                }
            }
            JudgedKind::Workload => {
                // A deletion has no object, and an item of a delete-collection no name either (P1).
                let mut new: MetadataObject<'a> = match self.operation {
                    Operation::Delete => decode("request.oldObject", self.old_object)?,
                    _ => decode("request.object", self.object)?,
                };
                unchanged = is_unchanged(object::is_same_workload);
                RequestObject::Workload {
                    name: name_of(&mut new.metadata),
                    terminating: new.metadata.is_terminating(),
                }
            }
        };
        Ok(Request {
            operation: self.operation,
            namespace,
            user: self.user,
            unchanged,
            object,
        })
    }
}

/// Reads the object as it was, where the request has it.
fn decode_old<'a, T: Deserialize<'a>>(
    old_object: Option<Slice<'a>>,
) -> Result<Option<T>, Unreadable> {
    match old_object {
        Some(_) => decode("request.oldObject", old_object).map(Some),
        None => Ok(None),
    }
}

fn decode<'a, T: Deserialize<'a>>(path: &str, object: Option<Slice<'a>>) -> Result<T, Unreadable> {
    let Slice(json) = object.ok_or_else(|| missing(path))?;
    json::from_slice(json).map_err(|error| unreadable(error, json, path))
}

fn missing(path: &str) -> Unreadable {
    Unreadable::Field {
        path: path.to_owned(),
    }
}

/// How the whole of what the host sent is called.
const PAYLOAD: &str = "the payload";

/// Says where the JSON cannot be read; never what stands there.
fn unreadable(error: json::Error, json: &[u8], root: &str) -> Unreadable {
    let at = error.at();
    if error.is_data {
        let path = path::at(json, at, root);
        if path.is_empty() {
            missing(PAYLOAD)
        } else {
            Unreadable::Field { path }
        }
    } else {
        Unreadable::NotJson { at }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::{Value, json};

    /// The facts of a request, or why it cannot be read.
    fn facts<T>(request: &Value, look: impl FnOnce(Request<'_>) -> T) -> Result<T, String> {
        let payload = json!({"request": request, "settings": {}}).to_string();
        let settings = Settings {
            mesh_rule: true,
            ..Settings::default()
        };
        let envelope = read(payload.as_bytes())
            .map_err(|error| error.to_string())?
            .request;
        let facts = envelope.unwrap().into_facts(&settings);
        facts.map(look).map_err(|error| error.to_string())
    }

    fn pod() -> Value {
        json!({
            "metadata": {"name": "web-0", "labels": {"app": "a"}, "annotations": {"n": "1"}},
            "spec": {"serviceAccountName": "sa", "containers": [{"name": "app", "image": "i"}]},
        })
    }

    fn update(kind: Value, new: Value, old: Value) -> Value {
        json!({
            "kind": kind, "operation": "UPDATE", "namespace": "team",
            "userInfo": {"username": "jane"}, "object": new, "oldObject": old,
        })
    }

    fn pod_update(edit: impl FnOnce(&mut Value)) -> Value {
        let mut new = pod();
        edit(&mut new);
        update(
            json!({"group": "", "version": "v1", "kind": "Pod"}),
            new,
            pod(),
        )
    }

    #[rstest]
    #[case::nothing(|_: &mut Value| {}, true)]
    #[case::finalizers(|pod: &mut Value| pod["metadata"]["finalizers"] = json!([]), true)]
    #[case::owner_references(|pod: &mut Value| pod["metadata"]["ownerReferences"] = json!([]), true)]
    #[case::managed_fields(|pod: &mut Value| pod["metadata"]["managedFields"] = json!([{}]), true)]
    #[case::resource_version(|pod: &mut Value| pod["metadata"]["resourceVersion"] = json!("2"), true)]
    #[case::status(|pod: &mut Value| pod["status"] = json!({"phase": "Running"}), true)]
    #[case::labels(|pod: &mut Value| pod["metadata"]["labels"]["b"] = json!(""), false)]
    #[case::annotations(|pod: &mut Value| pod["metadata"]["annotations"] = json!({}), false)]
    #[case::spec(|pod: &mut Value| pod["spec"]["nodeName"] = json!("n"), false)]
    fn a4_what_leaves_a_pod_as_it_was(#[case] edit: fn(&mut Value), #[case] same: bool) {
        let unchanged = facts(&pod_update(edit), |request| request.unchanged);
        assert_eq!(unchanged, Ok(same));
    }

    #[test]
    fn a4_other_bytes_are_another_spec() {
        let payload = r#"{"request":{"kind":{"kind":"Pod"},"operation":"UPDATE","namespace":"n",
            "object":{"spec":{"a": 1}},"oldObject":{"spec":{"a":1}}}}"#;
        let envelope = read(payload.as_bytes()).unwrap().request.unwrap();
        assert!(!envelope.into_facts(&Settings::default()).unwrap().unchanged);
    }

    #[test]
    fn a4_without_the_old_object_an_update_counts_as_changed() {
        let mut request = pod_update(|_| {});
        request.as_object_mut().unwrap().remove("oldObject");
        assert_eq!(facts(&request, |request| request.unchanged), Ok(false));
        request["oldObject"] = Value::Null;
        assert_eq!(facts(&request, |request| request.unchanged), Ok(false));
    }

    fn workload() -> Value {
        json!({
            "metadata": {"name": "web", "resourceVersion": "1", "generation": 1, "labels": {}},
            "spec": {}, "status": {"dataplaneProxies": {"total": 1}},
        })
    }

    #[rstest]
    #[case::nothing(|_: &mut Value| {}, true)]
    #[case::managed_fields(|w: &mut Value| w["metadata"]["managedFields"] = json!([{}]), true)]
    #[case::resource_version(|w: &mut Value| w["metadata"]["resourceVersion"] = json!("2"), true)]
    #[case::generation(|w: &mut Value| w["metadata"]["generation"] = json!(2), true)]
    #[case::labels(|w: &mut Value| w["metadata"]["labels"]["a"] = json!("b"), false)]
    #[case::owner_references(|w: &mut Value| w["metadata"]["ownerReferences"] = json!([]), false)]
    #[case::status(|w: &mut Value| w["status"]["dataplaneProxies"]["total"] = json!(2), false)]
    #[case::a_field_less(|w: &mut Value| { w.as_object_mut().unwrap().remove("status"); }, false)]
    fn p2_what_leaves_a_workload_as_it_was(#[case] edit: fn(&mut Value), #[case] same: bool) {
        let mut new = workload();
        edit(&mut new);
        let kind = json!({"group": "kuma.io", "version": "v1alpha1", "kind": "Workload"});
        let unchanged = facts(&update(kind, new, workload()), |request| request.unchanged);
        assert_eq!(unchanged, Ok(same));
    }

    #[rstest]
    #[case::by_name(json!({"name": "web"}))]
    #[case::an_item_of_a_collection(json!({}))]
    fn p1_a_deletion_is_read_from_the_old_object(#[case] mut request: Value) {
        request["kind"] = json!({"group": "kuma.io", "kind": "Workload"});
        request["operation"] = json!("DELETE");
        request["namespace"] = json!("team");
        request["object"] = Value::Null;
        request["oldObject"] = workload();
        let name = facts(&request, |request| match request.object {
            RequestObject::Workload { name, .. } => name.to_string(),
            other => format!("{other:?}"),
        });
        assert_eq!(name.as_deref(), Ok("web"));
    }

    #[rstest]
    #[case::no_user(Value::Null, None)]
    #[case::empty_user(json!({}), None)]
    #[case::empty_name(json!({"username": "", "groups": ["g"]}), None)]
    #[case::null_groups(json!({"username": "jane", "groups": null}), Some(0))]
    #[case::groups(json!({"username": "jane", "groups": ["a", "b"]}), Some(2))]
    fn a15_an_empty_user_name_is_none(#[case] user: Value, #[case] groups: Option<usize>) {
        let mut request = pod_update(|_| {});
        request["userInfo"] = user;
        assert_eq!(
            facts(&request, |request| request
                .user
                .map(|user| user.groups.len())),
            Ok(groups)
        );
    }

    #[rstest]
    #[case::controller_of_a_judged_kind("apps/v1", "Deployment", Some(true), true)]
    #[case::cron_job("batch/v1", "CronJob", Some(true), true)]
    #[case::replication_controller("v1", "ReplicationController", Some(true), true)]
    #[case::not_the_controller("apps/v1", "Deployment", Some(false), false)]
    #[case::controller_not_said("apps/v1", "Deployment", None, false)]
    #[case::another_kind("example.com/v1", "Deployment", Some(true), false)]
    fn a2_whose_owner_is_judged_itself(
        #[case] api_version: &str,
        #[case] kind: &str,
        #[case] controller: Option<bool>,
        #[case] judged: bool,
    ) {
        let owner = json!({"apiVersion": api_version, "kind": kind, "controller": controller});
        let object = json!({"metadata": {"name": "r", "ownerReferences": [owner]}});
        let request = json!({
            "kind": {"group": "apps", "kind": "ReplicaSet"}, "operation": "CREATE",
            "namespace": "team", "object": object,
        });
        let owned = facts(&request, |request| match request.object {
            RequestObject::Template {
                owner_is_judged, ..
            } => owner_is_judged,
            _ => panic!("a template"),
        });
        assert_eq!(owned, Ok(judged));
    }

    #[rstest]
    #[case::deployment("apps", "Deployment", json!({"template": {"metadata": {"labels": {"a": "b"}}}}), Some("b"))]
    #[case::cron_job("batch", "CronJob", json!({"jobTemplate": {"spec": {"template": {"metadata": {"labels": {"a": "b"}}}}}}), Some("b"))]
    #[case::no_template("", "ReplicationController", json!({"template": null}), None)]
    #[case::no_metadata("apps", "DaemonSet", json!({"template": {"spec": {"containers": null}}}), None)]
    fn a2_where_the_template_stands(
        #[case] group: &str,
        #[case] kind: &str,
        #[case] spec: Value,
        #[case] label: Option<&str>,
    ) {
        let request = json!({
            "kind": {"group": group, "kind": kind}, "operation": "CREATE",
            "namespace": "team", "object": {"metadata": {"generateName": "job-"}, "spec": spec},
        });
        let found = facts(&request, |request| match request.object {
            RequestObject::Template { name, new, .. } => {
                assert_eq!(&*name, "job-");
                new.metadata.labels.get("a").map(str::to_owned)
            }
            _ => panic!("a template"),
        });
        assert_eq!(found, Ok(label.map(str::to_owned)));
    }

    #[rstest]
    #[case::null_labels(json!({"labels": null, "annotations": null}))]
    #[case::nothing(json!({}))]
    fn a14_absent_metadata_is_empty(#[case] metadata: Value) {
        let request = pod_update(|pod| pod["metadata"] = metadata);
        assert!(facts(&request, |_| ()).is_ok());
    }

    #[rstest]
    #[case::label(|r: &mut Value| r["object"]["metadata"]["labels"]["app"] = json!(1), "request.object.metadata.labels.app")]
    #[case::labels(|r: &mut Value| r["object"]["metadata"]["labels"] = json!("secret"), "request.object.metadata.labels")]
    #[case::annotations(|r: &mut Value| r["oldObject"]["metadata"]["annotations"] = json!([]), "request.oldObject.metadata.annotations")]
    #[case::metadata(|r: &mut Value| r["object"]["metadata"] = json!(7), "request.object.metadata")]
    #[case::containers(|r: &mut Value| r["object"]["spec"]["containers"] = json!([{"name": true}]), "request.object.spec.containers[0].name")]
    #[case::object(|r: &mut Value| r["object"] = json!("secret"), "request.object")]
    #[case::no_object(|r: &mut Value| r["object"] = Value::Null, "request.object")]
    #[case::kind(|r: &mut Value| r["kind"] = json!({}), "request.kind.kind")]
    #[case::operation(|r: &mut Value| r["operation"] = json!(7), "request.operation")]
    #[case::no_operation(|r: &mut Value| r["operation"] = json!(""), "request.operation")]
    #[case::no_namespace(|r: &mut Value| r["namespace"] = json!(""), "request.namespace")]
    #[case::user(|r: &mut Value| r["userInfo"]["groups"] = json!("g"), "request.userInfo.groups")]
    #[case::not_a_request(|r: &mut Value| *r = json!([]), "request")]
    #[case::no_request(|r: &mut Value| *r = Value::Null, "request")]
    fn a14_what_cannot_be_read_is_told_by_its_path(
        #[case] spoil: fn(&mut Value),
        #[case] path: &str,
    ) {
        let mut request = pod_update(|_| {});
        spoil(&mut request);
        let error = facts(&request, |_| ()).unwrap_err();
        assert_eq!(
            error,
            format!("the request cannot be read: {path} is missing, repeated or of a wrong type")
        );
    }

    #[rstest]
    #[case::empty(b"", 0)]
    #[case::truncated(b"{\"request\":{\"kind\":", 19)]
    #[case::not_json(b"secret", 0)]
    #[case::not_utf8(b"{\"request\":{\"operation\":\"\xff\"}}", 25)]
    fn a14_what_is_not_json(#[case] payload: &[u8], #[case] at: usize) {
        let error = read(payload).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("the request cannot be read: it is not JSON from byte {at} on")
        );
    }

    #[test]
    fn a14_what_is_no_map_at_all() {
        assert_eq!(
            read(b"[]").unwrap_err().to_string(),
            "the request cannot be read: the payload is missing, repeated or of a wrong type"
        );
    }

    #[test]
    fn a14_deep_nesting_is_skipped() {
        let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        let payload = format!(
            r#"{{"request":{{"kind":{{"kind":"Pod"}},"operation":"CREATE","namespace":"n",
               "object":{{"spec":{{"x":{deep}}}}}}}}}"#
        );
        let envelope = read(payload.as_bytes()).unwrap().request.unwrap();
        assert!(envelope.into_facts(&Settings::default()).is_ok());
    }

    #[test]
    fn a0_what_is_not_judged_is_not_read() {
        let payload = r#"{"request":{"kind":{"kind":"Pod"},"operation":"DELETE","object":7}}"#;
        assert!(read(payload.as_bytes()).unwrap().request.is_none());
    }
}

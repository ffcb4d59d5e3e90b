//! Turns a request into the facts that the rules judge.

use kuma_workload_guest_json::{self as json, Slice};
use kuma_workload_rulebook::{
    admission::{EnforcementAction, JudgedKind, Operation, Request, RequestObject, Settings},
    metadata::{Metadata, PodFacts, Text},
};
use serde::Deserialize;

use crate::{
    object::{MetadataObject, ObjectMeta, PodObject, TemplateObject, labels_at},
    request::Envelope,
    unchanged::{has_same_containers, is_same_pod, is_same_workload},
    unreadable::Unreadable,
};

/// The facts of a request.
///
/// Nothing is rejected for what no rule needs: where only the label `kuma.io/workload` can reject a
/// Pod or template, no other fault of it does, and where nothing can reject a Namespace or Workload,
/// no fault at all. So a policy without settings that is sent every Pod of a cluster keeps none
/// from starting.
///
/// # Errors
///
/// [`Unreadable::Field`] if an object is missing or is not what its kind should be (A14).
pub(crate) fn facts<'a>(
    request: Envelope<'a>,
    settings: &Settings<'_>,
) -> Result<Request<'a>, Unreadable> {
    let namespace = request.namespace.unwrap_or_default();
    let is_namespaced = matches!(request.kind, JudgedKind::Pod | JudgedKind::Template(_));
    if is_namespaced && settings.judges_meshes() && namespace.is_empty() {
        return Err(Unreadable::missing("request.namespace"));
    }
    let old_object = match request.operation {
        Operation::Update => request.old_object,
        Operation::Create | Operation::Delete => None,
    };
    let is_same = |compare: fn(Slice<'_>, Slice<'_>) -> bool| {
        let versions = request.object.zip(old_object);
        versions.is_some_and(|(new, old)| compare(new, old))
    };
    let is_judged = settings.judges_pods(&namespace);
    let mut unchanged = false;
    let object = match request.kind {
        JudgedKind::Pod => {
            let read = |path, object| {
                let pod = decode(path, object).map(PodObject::into_facts);
                pod.or_else(|error| labels_only(error, is_judged, object, POD_LABELS))
            };
            let new = match request.pod {
                Some(pod) => pod.into_facts(),
                None => read(NEW, request.object)?,
            };
            let old = old_object.map(|old| read(OLD, Some(old))).transpose()?;
            unchanged = is_same(is_same_pod);
            RequestObject::Pod {
                keeps_containers: new.terminating && is_same(has_same_containers),
                new,
                old,
            }
        }
        JudgedKind::Template(kind) => {
            let read = |path, object| {
                let Slice(json) = object;
                let template = TemplateObject::read(json, kind.template_path)
                    .map_err(|error| Unreadable::new(error, json, path));
                template.map(TemplateObject::into_parts).or_else(|error| {
                    let facts = labels_only(error, is_judged, Some(object), &kind.labels_path());
                    facts.map(|facts| (ObjectMeta::default(), facts))
                })
            };
            let new = request.object.ok_or_else(|| Unreadable::missing(NEW))?;
            let (mut metadata, new) = read(NEW, new)?;
            let old = old_object.map(|old| read(OLD, old)).transpose()?;
            RequestObject::Template {
                kind,
                name: name_of(&mut metadata, request.name),
                owner_is_judged: metadata.owner_is_judged(kind),
                new,
                old: old.map(|(_, old)| old),
            }
        }
        JudgedKind::Namespace => {
            let is_judged = settings.judges_meshes();
            let mut new: MetadataObject<'a> = decode_if(is_judged, NEW, request.object)?;
            let old: Option<MetadataObject<'a>> = match old_object {
                Some(_) => Some(decode_if(is_judged, OLD, old_object)?),
                None => None,
            };
            RequestObject::Namespace {
                name: name_of(&mut new.metadata, request.name),
                terminating: new.metadata.is_terminating(),
                new: new.metadata.into_metadata(),
                old: old.map(|old| old.metadata.into_metadata()),
            }
        }
        JudgedKind::Workload => {
            // A DELETE has no object, and one of many in a deletecollection has no name either
            // (P1).
            let is_judged = settings.protect_workloads == Some(EnforcementAction::Deny);
            let mut object: MetadataObject<'a> = match request.operation {
                Operation::Delete => decode_if(is_judged, OLD, request.old_object)?,
                Operation::Create | Operation::Update => decode_if(is_judged, NEW, request.object)?,
            };
            unchanged = is_same(is_same_workload);
            RequestObject::Workload {
                name: name_of(&mut object.metadata, request.name),
                terminating: object.metadata.is_terminating(),
            }
        }
    };
    Ok(Request {
        operation: request.operation,
        namespace,
        user: request.user,
        unchanged,
        object,
    })
}

/// The path of the object as requested.
const NEW: &str = "request.object";
/// The path of the object before the request.
const OLD: &str = "request.oldObject";

/// The name of an object: its own, or else its `generateName`, or else the name in the request.
fn name_of<'a>(metadata: &mut ObjectMeta<'a>, of_request: Option<Text<'a>>) -> Text<'a> {
    let names = [
        metadata.name.take(),
        metadata.generate_name.take(),
        of_request,
    ];
    let mut names = names.into_iter().flatten();
    names.find(|name| !name.is_empty()).unwrap_or_default()
}

/// The path of a Pod's labels.
const POD_LABELS: &str = "metadata.labels";

/// A Pod or template that cannot be read as a whole: nothing is known of it but its labels, unless
/// more of it is judged.
fn labels_only<'a>(
    error: Unreadable,
    is_judged: bool,
    object: Option<Slice<'a>>,
    labels_path: &str,
) -> Result<PodFacts<'a>, Unreadable> {
    let labels = match object {
        Some(Slice(json)) if !is_judged => labels_at(json, labels_path),
        _ => return Err(error),
    };
    Ok(PodFacts {
        metadata: Metadata {
            labels: labels.map_err(|_| error)?,
            ..Metadata::default()
        },
        ..PodFacts::default()
    })
}

/// Reads an object. One that cannot be read counts as empty if it is not judged.
fn decode_if<'a, T: Deserialize<'a> + Default>(
    is_judged: bool,
    path: &str,
    object: Option<Slice<'a>>,
) -> Result<T, Unreadable> {
    match decode(path, object) {
        Err(_) if !is_judged => Ok(T::default()),
        object => object,
    }
}

fn decode<'a, T: Deserialize<'a>>(path: &str, object: Option<Slice<'a>>) -> Result<T, Unreadable> {
    let Slice(json) = object.ok_or_else(|| Unreadable::missing(path))?;
    json::from_slice(json).map_err(|error| Unreadable::new(error, json, path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::read;
    use rstest::rstest;
    use serde_json::{Value, json};

    /// The facts of a request, or why it cannot be read.
    fn facts<T>(request: &Value, look: impl FnOnce(Request<'_>) -> T) -> Result<T, String> {
        let payload = json!({"request": request, "settings": {}}).to_string();
        let settings = Settings {
            mesh_rule: true,
            ..Settings::default()
        };
        let payload = read(payload.as_bytes()).map_err(|error| error.to_string())?;
        let facts = super::facts(payload.request.unwrap(), &settings);
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
    #[case::status(|pod: &mut Value| pod["status"] = json!({"phase": "Running"}), true)]
    #[case::labels(|pod: &mut Value| pod["metadata"]["labels"]["b"] = json!(""), false)]
    fn a4_whether_an_update_changes_a_pod(#[case] edit: fn(&mut Value), #[case] unchanged: bool) {
        let found = facts(&pod_update(edit), |request| request.unchanged);
        assert_eq!(found, Ok(unchanged));
    }

    #[rstest]
    #[case::bookkeeping(|w: &mut Value| w["metadata"]["generation"] = json!(2), true)]
    #[case::labels(|w: &mut Value| w["metadata"]["labels"]["a"] = json!("b"), false)]
    fn p2_whether_an_update_changes_a_workload(
        #[case] edit: fn(&mut Value),
        #[case] unchanged: bool,
    ) {
        let mut new = workload();
        edit(&mut new);
        let kind = json!({"group": "kuma.io", "version": "v1alpha1", "kind": "Workload"});
        let found = facts(&update(kind, new, workload()), |request| request.unchanged);
        assert_eq!(found, Ok(unchanged));
    }

    #[rstest]
    #[case::nothing(|_: &mut Value| {}, true)]
    #[case::another_name(|pod: &mut Value| pod["spec"]["containers"][0]["name"] = json!("b"), false)]
    fn a4_whether_a_pod_that_is_being_deleted_keeps_its_containers(
        #[case] edit: fn(&mut Value),
        #[case] keeps: bool,
    ) {
        let edit = |pod: &mut Value| {
            pod["metadata"]["deletionTimestamp"] = json!("2026-05-12T09:30:00Z");
            edit(pod);
        };
        let found = facts(&pod_update(edit), |request| match request.object {
            RequestObject::Pod {
                keeps_containers, ..
            } => keeps_containers,
            _ => panic!("a Pod"),
        });
        assert_eq!(found, Ok(keeps));
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

    const REPLICA_SET: (&str, &str) = ("apps", "ReplicaSet");
    const JOB: (&str, &str) = ("batch", "Job");

    #[rstest]
    #[case::replica_set(REPLICA_SET, ("apps/v1", "Deployment"), Some(true), true)]
    #[case::job(JOB, ("batch/v1", "CronJob"), Some(true), true)]
    #[case::another_version(REPLICA_SET, ("apps/v1beta2", "Deployment"), Some(true), true)]
    #[case::not_the_controller(REPLICA_SET, ("apps/v1", "Deployment"), Some(false), false)]
    #[case::controller_not_said(REPLICA_SET, ("apps/v1", "Deployment"), None, false)]
    #[case::another_group(REPLICA_SET, ("example.com/v1", "Deployment"), Some(true), false)]
    #[case::the_core_group(REPLICA_SET, ("v1", "Deployment"), Some(true), false)]
    #[case::another_maker(REPLICA_SET, ("batch/v1", "CronJob"), Some(true), false)]
    #[case::its_own_kind(REPLICA_SET, ("apps/v1", "ReplicaSet"), Some(true), false)]
    #[case::a_job_of_a_deployment(JOB, ("apps/v1", "Deployment"), Some(true), false)]
    #[case::a_deployment(("apps", "Deployment"), ("apps/v1", "Deployment"), Some(true), false)]
    #[case::a_stateful_set(("apps", "StatefulSet"), ("apps/v1", "Deployment"), Some(true), false)]
    #[case::a_cron_job(("batch", "CronJob"), ("batch/v1", "CronJob"), Some(true), false)]
    #[case::a_replication_controller(("", "ReplicationController"), ("apps/v1", "Deployment"), Some(true), false)]
    fn a2_whose_owner_is_judged_itself(
        #[case] (group, name): (&str, &str),
        #[case] (api_version, kind): (&str, &str),
        #[case] controller: Option<bool>,
        #[case] judged: bool,
    ) {
        let owner = json!({"apiVersion": api_version, "kind": kind, "controller": controller});
        let object = json!({"metadata": {"name": "r", "ownerReferences": [owner]}});
        let request = json!({
            "kind": {"group": group, "kind": name}, "operation": "CREATE",
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
    #[case::neither(json!({}), None)]
    #[case::name(json!({"serviceAccountName": "a"}), Some("a"))]
    #[case::alias(json!({"serviceAccount": "b"}), Some("b"))]
    #[case::both(json!({"serviceAccountName": "a", "serviceAccount": "b"}), Some("a"))]
    #[case::empty_name(json!({"serviceAccountName": "", "serviceAccount": "b"}), Some("b"))]
    #[case::null_name(json!({"serviceAccount": "b", "serviceAccountName": null}), Some("b"))]
    fn w2_the_deprecated_alias_of_the_service_account(
        #[case] spec: Value,
        #[case] account: Option<&str>,
    ) {
        let request = json!({
            "kind": {"kind": "Pod"}, "operation": "CREATE", "namespace": "team",
            "object": {"metadata": {"name": "web-0"}, "spec": spec},
        });
        let found = facts(&request, |request| match request.object {
            RequestObject::Pod { new, .. } => new.service_account.map(|name| name.to_string()),
            _ => panic!("a Pod"),
        });
        assert_eq!(found, Ok(account.map(str::to_owned)));
    }

    #[rstest]
    #[case::deployment("apps", "Deployment", json!({"template": {"metadata": {"labels": {"a": "b"}}}}), Some("b"))]
    #[case::cron_job("batch", "CronJob", json!({"jobTemplate": {"spec": {"template": {"metadata": {"labels": {"a": "b"}}}}}}), Some("b"))]
    #[case::no_template("", "ReplicationController", json!({"template": null}), None)]
    #[case::no_spec("apps", "StatefulSet", Value::Null, None)]
    #[case::no_job_template("batch", "CronJob", json!({"jobTemplate": null}), None)]
    #[case::the_template_of_another_kind("batch", "CronJob", json!({"template": {"metadata": {"labels": {"a": "b"}}}}), None)]
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

    /// Whether a request is read under settings by which only the label can reject it, and whether
    /// it is under those of the mesh rule.
    fn is_read(request: &Value) -> (bool, bool) {
        let payload = json!({"request": request, "settings": {}}).to_string();
        let read_by = |settings: Settings<'_>| {
            let payload = read(payload.as_bytes()).unwrap();
            super::facts(payload.request.unwrap(), &settings).is_ok()
        };
        let mesh_rule = Settings {
            mesh_rule: true,
            protect_workloads: Some(EnforcementAction::Deny),
            ..Settings::default()
        };
        (read_by(Settings::default()), read_by(mesh_rule))
    }

    #[rstest]
    #[case::spec(|pod: &mut Value| pod["spec"] = json!(7))]
    #[case::containers(|pod: &mut Value| pod["spec"]["containers"] = json!([{"name": 7}]))]
    #[case::service_account(|pod: &mut Value| pod["spec"]["serviceAccountName"] = json!({}))]
    #[case::status(|pod: &mut Value| pod["status"] = json!([]))]
    #[case::annotations(|pod: &mut Value| pod["metadata"]["annotations"] = json!("a"))]
    #[case::name(|pod: &mut Value| pod["metadata"]["name"] = json!(7))]
    #[case::owners(|pod: &mut Value| pod["metadata"]["ownerReferences"] = json!(7))]
    fn a14_what_no_rule_needs_may_be_odd(#[case] spoil: fn(&mut Value)) {
        assert_eq!(is_read(&pod_update(spoil)), (true, false), "new Pod");
        let mut request = pod_update(|_| {});
        spoil(&mut request["oldObject"]);
        assert_eq!(is_read(&request), (true, false), "old Pod");

        let mut template = pod();
        spoil(&mut template);
        let deployment = json!({"metadata": {"name": "web"}, "spec": {"template": template}});
        let kind = json!({"group": "apps", "version": "v1", "kind": "Deployment"});
        let request = update(kind, deployment.clone(), deployment);
        assert_eq!(is_read(&request), (true, false), "template");
    }

    #[rstest]
    #[case::namespace("", "Namespace")]
    #[case::workload("kuma.io", "Workload")]
    fn a14_what_nothing_can_reject_may_be_odd(#[case] group: &str, #[case] kind: &str) {
        let kind = json!({"group": group, "version": "v1", "kind": kind});
        let odd = json!({"metadata": {"labels": 7}});
        assert_eq!(
            is_read(&update(kind.clone(), odd.clone(), odd)),
            (true, false)
        );
        let nothing = json!({"kind": kind, "operation": "CREATE", "namespace": "team"});
        assert_eq!(is_read(&nothing), (true, false));
    }

    #[rstest]
    #[case::labels(|pod: &mut Value| pod["metadata"]["labels"] = json!([]))]
    #[case::value_of_a_label(|pod: &mut Value| pod["metadata"]["labels"]["app"] = json!(7))]
    #[case::metadata(|pod: &mut Value| pod["metadata"] = json!("m"))]
    #[case::no_object(|pod: &mut Value| *pod = Value::Null)]
    fn a14_the_labels_of_a_pod_are_always_needed(#[case] spoil: fn(&mut Value)) {
        assert_eq!(is_read(&pod_update(spoil)), (false, false));
    }

    #[test]
    fn a14_deep_nesting_is_skipped() {
        let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        let payload = format!(
            r#"{{"request":{{"kind":{{"kind":"Pod"}},"operation":"CREATE","namespace":"n",
               "object":{{"spec":{{"x":{deep}}}}}}}}}"#
        );
        let envelope = read(payload.as_bytes()).unwrap().request.unwrap();
        assert!(super::facts(envelope, &Settings::default()).is_ok());
    }
}

//! kwctl's session files: replayed strictly, and recorded so that they replay.

use std::{fs, sync::Arc};

use kuma_workload_host::{
    Answer, Backend, CallOutcome, Failure, Question,
    cluster::{Recorder, ReplaySession, Reply, Scripted},
};
use serde_json::json;

use crate::{
    get,
    guest::{self, Step},
    list, policy, shop,
};

const KUMA: &str = "kuma.io/v1alpha1";

/// As kwctl writes it: the request is YAML in a YAML text, tagged with its kind.
const SESSION: &str = r#"- type: Exchange
  request: |
    !KubernetesGetResource
    api_version: kuma.io/v1alpha1
    kind: Mesh
    name: blue
    namespace: null
    disable_cache: false
    field_masks: null
  response:
    type: Success
    payload: '{"apiVersion":"kuma.io/v1alpha1","kind":"Mesh","metadata":{"name":"blue"}}'
- type: Exchange
  request: |
    !KubernetesListResourceNamespace
    api_version: kuma.io/v1alpha1
    kind: Dataplane
    namespace: shop
    label_selector: kuma.io/mesh!=blue
    field_selector: null
    field_masks:
    - mesh
  response:
    type: Error
    message: 'Cannot find resource kuma.io/v1alpha1/Dataplane'
"#;

fn session(text: &str) -> ReplaySession {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("s.yml");
    fs::write(&path, text).expect("a file");
    ReplaySession::load(&path).unwrap_or_else(|error| panic!("{error}"))
}

fn questions() -> [serde_json::Value; 2] {
    let mut dataplanes = list(KUMA, "Dataplane", "shop", Some("kuma.io/mesh!=blue"));
    dataplanes["field_masks"] = json!(["mesh"]);
    [get(KUMA, "Mesh", "blue", None), dataplanes]
}

#[test]
fn a_session_answers_in_order_and_knows_its_leftovers() {
    let session = session(SESSION);
    let [mesh, dataplanes] = questions();
    let mesh: Question =
        serde_json::from_value(json!({ "KubernetesGetResource": mesh })).expect("a question");
    let dataplanes: Question =
        serde_json::from_value(json!({ "KubernetesListResourceNamespace": dataplanes }))
            .expect("a question");
    assert!(
        matches!(session.ask(&mesh).answer, Answer::Payload(bytes) if bytes.starts_with(b"{\"api"))
    );
    assert_eq!(session.leftovers(), vec![dataplanes.clone()]);
    assert_eq!(
        session.ask(&dataplanes).answer,
        Answer::Failure(Failure::new(
            "Cannot find resource kuma.io/v1alpha1/Dataplane"
        ))
    );
    assert!(session.leftovers().is_empty());
    assert_eq!(
        session.ask(&mesh).answer,
        Answer::Failure(Failure::new("the list of recorded responses is empty"))
    );
}

#[test]
fn another_question_than_the_recorded_one_fails_and_uses_it_up() {
    let session = Arc::new(session(SESSION));
    let module = guest::asking("get_resource", get(KUMA, "Mesh", "red", None));
    let call = policy(&module).call("validate", b"{}", session.clone());
    assert_eq!(
        call.calls[0].outcome,
        CallOutcome::Failed(
            "Callback evaluation failure: Replay error: unexpected request. Was expecting \
             KubernetesGetResource { api_version: \"kuma.io/v1alpha1\", kind: \"Mesh\", name: \"blue\", namespace: None, disable_cache: false, field_masks: None }, \
             got KubernetesGetResource { api_version: \"kuma.io/v1alpha1\", kind: \"Mesh\", name: \"red\", namespace: None, disable_cache: false, field_masks: None } instead"
                .to_owned()
        )
    );
    assert_eq!(session.leftovers().len(), 1);
}

#[test]
fn an_empty_session_proves_that_nothing_is_asked() {
    assert!(session("[]\n").leftovers().is_empty());
}

#[test]
fn what_was_recorded_can_be_replayed() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("s.yml");
    let [mesh, dataplanes] = questions();
    let module = guest::guest(&[
        Step::Ask("kubernetes", "get_resource", mesh.to_string()),
        Step::Ask(
            "kubernetes",
            "get_resource",
            get(KUMA, "Mesh", "red", None).to_string(),
        ),
        Step::Ask(
            "kubernetes",
            "list_resources_by_namespace",
            dataplanes.to_string(),
        ),
    ]);
    let policy = policy(&module);
    let recorder = Arc::new(Recorder::new(Arc::new(shop().handled())));
    let recorded = policy.call("validate", b"{}", recorder.clone());
    recorder
        .save(&path)
        .unwrap_or_else(|error| panic!("{error}"));
    let session = Arc::new(ReplaySession::load(&path).unwrap_or_else(|error| panic!("{error}")));
    let replayed = policy.call("validate", b"{}", session.clone());
    assert_eq!(replayed.result, recorded.result);
    let outcomes = |calls: &[kuma_workload_host::Call]| -> Vec<CallOutcome> {
        calls.iter().map(|call| call.outcome.clone()).collect()
    };
    assert_eq!(outcomes(&replayed.calls), outcomes(&recorded.calls));
    assert!(session.leftovers().is_empty());
}

#[test]
fn nothing_recorded_is_an_empty_session() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("s.yml");
    let recorder = Recorder::new(Arc::new(Scripted::new([])));
    recorder
        .save(&path)
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(fs::read_to_string(&path).expect("a file"), "[]\n");
}

#[test]
fn a_hang_cannot_be_recorded() {
    let recorder = Recorder::new(Arc::new(Scripted::new([Reply::hang()])));
    let question = json!({ "KubernetesGetResource": get(KUMA, "Mesh", "blue", None) });
    let question: Question = serde_json::from_value(question).expect("a question");
    recorder.ask(&question);
    let folder = tempfile::tempdir().expect("a folder");
    assert!(recorder.save(&folder.path().join("s.yml")).is_err());
}

#[test]
fn a_request_that_is_no_question_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("s.yml");
    fs::write(
        &path,
        SESSION.replace("!KubernetesListResourceNamespace", "!Weather"),
    )
    .expect("a file");
    let error = ReplaySession::load(&path)
        .expect_err("no question")
        .to_string();
    assert!(
        error.contains(
            "s.yml:1:1: the request of exchange 2 cannot be read: unknown variant `Weather`"
        ),
        "{error}"
    );
}

use super::*;
use crate::explain::{LastFailure, NextLook};
use rstest::rstest;
use serde_json::json;

fn explanation() -> Explanation {
    Explanation {
        namespace: "shop".into(),
        name: "web".into(),
        exists: false,
        answer: "Workload shop/web does not exist because the API server has refused the write, 3 times in a row.".into(),
        rules: vec!["L4"],
        decision: "Dataplanes of one mesh refer to it, and it does not exist: it is created in mesh a".into(),
        namespace_state: NamespaceState::Present,
        workload: None,
        dataplanes: [(
            "a".to_owned(),
            DataplaneProxies {
                connected: 2,
                healthy: 1,
                total: 3,
            },
        )]
        .into(),
        unreadable_dataplanes: Vec::new(),
        other_workloads: Vec::new(),
        reconciler: Some(ReconcilerState {
            replica: "pod-0_1".into(),
            leads: true,
            mode: "manage (--mode manage)".into(),
            next: Some(NextLook {
                due_in_seconds: Some(252),
                step: "it waits after a failure".into(),
            }),
            last_failure: Some(LastFailure {
                sentence: "the webhook says:\n\tno\u{1b}[2J".into(),
                times: 3,
                waits_seconds: 252,
                retry_after_seconds: Some(300),
            }),
            fence: None,
            waiting_for: Vec::new(),
            api_server_away_seconds: None,
        }),
        lease: Some(LeaseState {
            namespace: "mesh".into(),
            name: "kuma-workload".into(),
            holder: Some("pod-0_1".into()),
            renewed: None,
            unknown: None,
        }),
        note: None,
    }
}

#[test]
fn the_answer_comes_first_and_the_details_are_aligned() {
    let expected = "\
Workload shop/web does not exist because the API server has refused the write, 3 times in a row.

Decision:     L4: Dataplanes of one mesh refer to it, and it does not exist: it is created in mesh a
Dataplanes:   3 in mesh a (2 connected, 1 healthy)
Workload:     none
Next look:    due in 4m12s: it waits after a failure
Last failure: the webhook says: no\u{fffd}[2J
Backoff:      failed 3 times in a row; it is not tried again for 4m12s; the API server has asked to wait 5m
Mode:         manage (--mode manage)
Replica:      pod-0_1 leads
Lease:        mesh/kuma-workload is held by pod-0_1
";
    assert_eq!(explanation().to_string(), expected);
}

#[test]
fn json_is_in_camel_case_and_has_every_field() {
    let json = serde_json::to_value(explanation()).unwrap();
    assert_eq!(
        json,
        json!({
            "namespace": "shop",
            "name": "web",
            "exists": false,
            "answer": explanation().answer,
            "rules": ["L4"],
            "decision": explanation().decision,
            "namespaceState": "present",
            "workload": null,
            "dataplanes": { "a": { "connected": 2, "healthy": 1, "total": 3 } },
            "unreadableDataplanes": [],
            "otherWorkloads": [],
            "reconciler": {
                "replica": "pod-0_1",
                "leads": true,
                "mode": "manage (--mode manage)",
                "next": { "dueInSeconds": 252, "step": "it waits after a failure" },
                "lastFailure": {
                    "sentence": "the webhook says:\n\tno\u{1b}[2J",
                    "times": 3,
                    "waitsSeconds": 252,
                    "retryAfterSeconds": 300,
                },
                "fence": null,
                "waitingFor": [],
                "apiServerAwaySeconds": null,
            },
            "lease": {
                "namespace": "mesh",
                "name": "kuma-workload",
                "holder": "pod-0_1",
                "renewed": null,
                "unknown": null,
            },
            "note": null,
        })
    );
}

/// What is shown only where there is something to say.
#[rstest]
#[case::standby(|it: &mut Explanation| state(it).leads = false,
    "Replica:      pod-0_1 is a standby, and only the leader knows of failures and fences")]
#[case::fence(|it: &mut Explanation| state(it).fence = Some("the list has failed".into()),
    "Fence:        L19: the list has failed")]
#[case::watches(|it: &mut Explanation| state(it).waiting_for = vec!["the watch of pods is down".into()],
    "Watches:      the watch of pods is down")]
#[case::away(|it: &mut Explanation| state(it).api_server_away_seconds = Some(3_723),
    "API server:   has not answered for 1h2m3s")]
#[case::due_now(|it: &mut Explanation| state(it).next = Some(NextLook { due_in_seconds: Some(0), step: "it has changed".into() }),
    "Next look:    due now: it has changed")]
#[case::written_now(|it: &mut Explanation| state(it).next = Some(NextLook { due_in_seconds: None, step: "it is being written".into() }),
    "Next look:    it is being written")]
#[case::may_be_tried(|it: &mut Explanation| {
    state(it).last_failure = Some(LastFailure { sentence: "x".into(), times: 1, waits_seconds: 0, retry_after_seconds: None });
}, "Backoff:      failed once; it may be tried again now")]
#[case::nobody(|it: &mut Explanation| it.lease.as_mut().unwrap().holder = None,
    "Lease:        mesh/kuma-workload is held by nobody")]
#[case::renewed(|it: &mut Explanation| it.lease.as_mut().unwrap().renewed = Some("2026-01-01T00:00:00Z".into()),
    "Lease:        mesh/kuma-workload is held by pod-0_1, renewed 2026-01-01T00:00:00Z")]
#[case::others(|it: &mut Explanation| it.other_workloads = vec!["cart".into(), "till".into()],
    "Namespace:    Dataplanes there refer to: cart, till")]
#[case::namespace(|it: &mut Explanation| it.namespace_state = NamespaceState::Terminating,
    "Namespace:    is being deleted")]
#[case::no_dataplanes(|it: &mut Explanation| it.dataplanes.clear(),
    "Dataplanes:   none refers to it")]
#[case::no_rule(|it: &mut Explanation| it.rules.clear(),
    "Decision:     Dataplanes of one mesh refer to it, and it does not exist: it is created in mesh a")]
#[case::exists(|it: &mut Explanation| {
    it.workload = Some(KnownWorkload { mesh: Some("a".into()), manager: None, reported: None, is_being_deleted: true });
}, "Workload:     in mesh a, managed by nobody, without numbers in its status, being deleted")]
fn details(#[case] change: fn(&mut Explanation), #[case] line: &str) {
    let mut explanation = explanation();
    assert!(!explanation.to_string().lines().any(|one| one == line));
    change(&mut explanation);
    let text = explanation.to_string();
    assert!(text.lines().any(|one| one == line), "{text}");
}

fn state(explanation: &mut Explanation) -> &mut ReconcilerState {
    explanation.reconciler.as_mut().unwrap()
}

#[rstest]
#[case(0, "0s")]
#[case(59, "59s")]
#[case(60, "1m")]
#[case(252, "4m12s")]
#[case(3_601, "1h1s")]
fn lengths_of_time(#[case] seconds: u64, #[case] text: &str) {
    assert_eq!(length(seconds), text);
}

//! The evaluation time limit, and the hang of a forbidden list.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use kuma_workload_host::GuestCallError;
use kuma_workload_host::{CallOutcome, Policy};
use rstest::rstest;

use crate::guest::{self, Step};
use crate::{list, no_settings, policy, request, shop, untouched};

const LIMIT: Duration = Duration::from_millis(80);
const INTERRUPTED: &str =
    "Policy execution interrupted because it exceeded the allowed execution time";

#[rstest]
#[case::in_validate(guest::guest(&[Step::Loop]))]
#[case::in_init(guest::endless_init())]
fn an_endless_guest_is_interrupted(#[case] module: Vec<u8>) {
    let policy = policy(&module).with_time_limit(LIMIT);
    let evaluation = policy
        .evaluate_unchecked(&request(), &no_settings(), untouched())
        .expect("a guest that can be asked");
    assert!(!evaluation.response.allowed);
    assert_eq!(evaluation.response.code(), Some(500));
    assert_eq!(evaluation.response.message(), Some(INTERRUPTED));
    assert!(
        evaluation.elapsed >= LIMIT,
        "after {:?}",
        evaluation.elapsed
    );
}

#[rstest]
#[case::no_grant("kuma.io/v1alpha1", "Dataplane", None, true)]
#[case::selector_that_the_api_server_refuses("kuma.io/v1alpha1", "Dataplane", Some("a!=b-"), false)]
fn a_list_that_fails_hangs_until_the_limit(
    #[case] api_version: &str,
    #[case] kind: &str,
    #[case] labels: Option<&str>,
    #[case] forbidden: bool,
) {
    let mut cluster = shop();
    if forbidden {
        cluster = cluster.forbid("list", api_version, kind);
    }
    let cluster = Arc::new(cluster.handled());
    let question = list(api_version, kind, "shop", labels);
    let module = guest::asking("list_resources_by_namespace", question);
    let policy = policy(&module).with_time_limit(LIMIT);
    let evaluation = policy
        .evaluate(&request(), &no_settings(), cluster.clone())
        .expect("a guest that can be asked");
    assert_eq!(evaluation.response.message(), Some(INTERRUPTED));
    assert_eq!(evaluation.calls[0].outcome, CallOutcome::Hung);
    assert!(
        evaluation.elapsed >= LIMIT,
        "after {:?}",
        evaluation.elapsed
    );
    // The watch is there for good, though it never lists.
    assert_eq!(cluster.watches().len(), 1);
}

#[test]
fn every_request_gets_a_new_instance() {
    let answer = Step::Answer(r#"{"accepted":true}"#.to_owned());
    let policy = policy(&guest::guest(&[Step::Once, answer]));
    for _ in 0..2 {
        let evaluation = policy
            .evaluate(&request(), &no_settings(), untouched())
            .expect("a guest that can be asked");
        assert!(evaluation.response.allowed, "{:?}", evaluation.response);
    }
}

#[test]
fn instances_run_side_by_side_and_one_that_hangs_stops_no_other() {
    let endless = policy(&guest::guest(&[Step::Loop])).with_time_limit(LIMIT);
    let quick = policy(&guest::accepting());
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let result = endless.call("validate", b"{}", untouched()).result;
                assert_eq!(result, Err(GuestCallError::Interrupted));
            });
            scope.spawn(|| {
                for _ in 0..20 {
                    assert!(quick.call("validate", b"{}", untouched()).result.is_ok());
                }
            });
        }
    });
}

#[test]
fn a_policy_can_be_shared() {
    fn shared<T: Send + Sync>() {}
    shared::<Policy>();
}

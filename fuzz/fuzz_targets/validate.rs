//! Feeds `validate` a payload and the host's answers, none of which need make sense.
//!
//! An input is parts with a line `---` between them: the payload, then what the host answers to one
//! call after the other; an answer that begins with `!` is an error. A corpus file reads as such.
#![no_main]

use std::cell::RefCell;

use kuma_workload_policy::validate;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|input: &[u8]| {
    let mut parts = split(input);
    let payload = parts.next().unwrap_or_default();
    let answers = RefCell::new(parts);
    let host = |_: &str, question: &[u8]| {
        serde_json::from_slice::<Value>(question).expect("questions are JSON");
        match answers.borrow_mut().next() {
            Some([b'!', error @ ..]) => Err(String::from_utf8_lossy(error).into_owned()),
            Some(answer) => Ok(answer.to_vec()),
            None => Err("Callback evaluation failure: nothing is left to say".to_owned()),
        }
    };

    let response = validate(payload, host).expect("there is always a response");
    let response: Value = serde_json::from_slice(&response).expect("a response is JSON");
    let accepted = response["accepted"].as_bool().expect("a verdict");
    if accepted {
        assert!(!is_forgery(payload), "a forged workload came in");
        assert!(response["message"].is_null() && response["code"].is_null());
    } else {
        let message = response["message"].as_str().expect("a reason");
        assert!(!message.is_empty());
        assert!([400, 403, 500].map(Value::from).contains(&response["code"]));
    }
    for warning in response["warnings"].as_array().into_iter().flatten() {
        let characters = warning.as_str().expect("a sentence").chars().count();
        assert!((1..=120).contains(&characters));
    }
});

fn split(input: &[u8]) -> impl Iterator<Item = &[u8]> {
    const BETWEEN: &[u8] = b"\n---\n";
    let mut rest = Some(input);
    std::iter::from_fn(move || {
        let part = rest?;
        let end = part
            .windows(BETWEEN.len())
            .position(|window| window == BETWEEN);
        rest = end.map(|end| &part[end + BETWEEN.len()..]);
        Some(end.map_or(part, |end| &part[..end]))
    })
}

/// Whether somebody creates a Pod that carries the label, as any other JSON parser would see it.
fn is_forgery(payload: &[u8]) -> bool {
    let Ok(payload) = serde_json::from_slice::<Value>(payload) else {
        return false;
    };
    let request = &payload["request"];
    let absent_or_empty = |value: &Value| value.is_null() || value == "";
    request["kind"]["kind"] == "Pod"
        && absent_or_empty(&request["kind"]["group"])
        && request["operation"] == "CREATE"
        && absent_or_empty(&request["subResource"])
        && !absent_or_empty(&request["userInfo"]["username"])
        && request["object"]["metadata"]["labels"]
            .as_object()
            .is_some_and(|labels| labels.contains_key("kuma.io/workload"))
}

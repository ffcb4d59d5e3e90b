use super::*;
use crate::server::{ApiServer, Reply, resource::Resource};
use jiff::Timestamp;

const SCRIPT: &str = include_str!("../../exchanges/script.txt");
const RECORDED: &str = include_str!("../../exchanges/recorded.jsonl");

/// A watch of so many seconds or more gets bookmarks.
const BOOKMARK_FROM: u64 = 70;

/// The server in memory, and what a script has kept of it.
#[derive(Default)]
struct Replay {
    server: ApiServer,
    kept: Kept,
    normaliser: Normaliser,
}

impl Replay {
    fn step(&mut self, step: &Step) -> Option<Exchange> {
        match &step.action {
            Action::Compact => {
                let revision = self.server.store.revision();
                self.server.compact(revision);
                return None;
            }
            Action::Subresource => {
                self.server.has_status_subresource = true;
                return None;
            }
            Action::Terminating => return None,
            Action::Gone => {
                self.end_namespace(&step.path);
                return None;
            }
            Action::Request { .. } | Action::Watch => (),
        }
        let request = request(step, &self.kept).unwrap();
        self.server.catch_up(0, u64::MAX);
        let now = Timestamp::UNIX_EPOCH;
        let (answer, body) = match self.server.handle(&request, 0, now) {
            Reply::Answer(answer) => {
                let body = self.normaliser.body(&answer.body);
                (answer, body)
            }
            Reply::Watch(mut watch) => {
                let mut lines = self.server.advance(&mut watch);
                if watch.timeout.unwrap_or_default() >= BOOKMARK_FROM {
                    // One each minute, and one before the end.
                    lines.extend(self.server.bookmark(&watch));
                    lines.extend(self.server.bookmark(&watch));
                }
                let body = self.normaliser.value(events(&lines.concat()));
                (crate::server::status::Answer::ok(200, ""), body)
            }
        };
        if let Some(name) = &step.name {
            self.kept.keep(name, &answer.body);
        }
        Some(Exchange {
            step: step.line.clone(),
            code: answer.code,
            content_type: answer.content_type.to_owned(),
            retry_after: answer.retry_after.map(|seconds| seconds.to_string()),
            body,
        })
    }

    /// The namespace controller has done its work.
    fn end_namespace(&mut self, path: &str) {
        let name = path.rsplit('/').next().unwrap();
        for resource in Resource::ALL {
            let objects = self.server.store.list(resource, Some(name));
            let keys: Vec<_> = objects.map(|(key, _)| key.clone()).collect();
            for key in keys {
                self.server.store.remove(&key);
            }
        }
        let key = crate::server::store::ObjectKey::new(Resource::Namespaces, "", name);
        self.server.store.remove(&key);
    }
}

/// What the real server answered, the server in memory answers.
#[test]
fn the_server_in_memory_answers_as_the_real_one() {
    let recorded = RECORDED
        .lines()
        .map(|line| serde_json::from_str::<Exchange>(line).unwrap());
    let mut recorded = recorded.peekable();
    let mut replay = Replay::default();
    for name in ["default", "kube-system"] {
        let namespace = json!({ "metadata": { "name": name } });
        replay
            .server
            .write(Resource::Namespaces, namespace, Timestamp::UNIX_EPOCH);
    }
    let mut different = Vec::new();
    let mut compared = 0;
    for step in steps(SCRIPT).unwrap() {
        let Some(ours) = replay.step(&step) else {
            continue;
        };
        let theirs = recorded.next().unwrap();
        assert_eq!(
            theirs.step, ours.step,
            "the script has changed since it was recorded: make record-exchanges"
        );
        compared += 1;
        if ours != theirs {
            different.push(format!(
                "{}\n  real:   {}\n  memory: {}",
                ours.step,
                shown(&theirs),
                shown(&ours)
            ));
        }
    }
    assert!(
        different.is_empty(),
        "{} of {compared} differ:\n{}",
        different.len(),
        different.join("\n")
    );
    assert!(compared >= 200 && recorded.peek().is_none());
}

fn shown(exchange: &Exchange) -> String {
    let Exchange {
        code,
        content_type,
        retry_after,
        body,
        ..
    } = exchange;
    format!("{code} {content_type} {retry_after:?} {body}")
}

#[test]
fn references_are_replaced() {
    let mut kept = Kept::default();
    kept.keep("one", r#"{"metadata":{"resourceVersion":"5"}}"#);
    let resolved = kept.resolve(
        r#"{"a":{"v":"{one.metadata.resourceVersion}"},"b":"{one.metadata.resourceVersion+10}"}"#,
    );
    assert_eq!(resolved, r#"{"a":{"v":"5"},"b":"15"}"#);
}

//! Requests to the API server, with all of what it answers.

use futures::{StreamExt, stream};
use http::{HeaderValue, Method, Request};
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};

/// How many requests are under way at a time.
const AT_A_TIME: usize = 6;

/// A request that is judged, and never stored.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// By which the recorder knows it: unlike any other.
    pub(crate) name: String,
    pub(crate) method: Method,
    /// The path of the object, or of the collection that it comes into.
    pub(crate) path: String,
    /// The object; of a DELETE, nothing.
    pub(crate) body: Value,
    /// Who asks; without it, the administrator.
    pub(crate) user: Option<User>,
}

/// A user whom the administrator impersonates.
#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) groups: Vec<String>,
}

/// What the API server answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) code: u16,
    /// The `message` of a Status; empty if something else is answered.
    pub(crate) message: String,
    /// The texts of its headers `Warning`.
    pub(crate) warnings: Vec<String>,
}

impl Reply {
    pub(crate) fn is_accepted(&self) -> bool {
        (200..300).contains(&self.code)
    }
}

/// Sends all of them, some at a time; the answers are in their order.
pub(crate) async fn dry_run(client: &Client, calls: &[Call]) -> Vec<Reply> {
    let sent = stream::iter(calls).map(async |call| {
        let (code, warnings, body) = send(client, call, true).await;
        let message = body["message"].as_str().unwrap_or_default().to_owned();
        Reply {
            code,
            message,
            warnings,
        }
    });
    sent.buffered(AT_A_TIME).collect().await
}

/// Creates an object, and returns it as it is stored.
pub(crate) async fn store(client: &Client, collection: &str, object: &Value) -> Value {
    let call = Call {
        name: "store".to_owned(),
        method: Method::POST,
        path: collection.to_owned(),
        body: object.clone(),
        user: None,
    };
    let (code, _, body) = send(client, &call, false).await;
    assert_eq!(code, 201, "{collection}: {object}: {body}");
    body
}

/// Deletes an object, which may be held by finalizers, and returns what is left of it.
pub(crate) async fn delete(client: &Client, path: &str) -> Value {
    let call = Call {
        name: "delete".to_owned(),
        method: Method::DELETE,
        path: path.to_owned(),
        body: Value::Null,
        user: None,
    };
    let (code, _, body) = send(client, &call, false).await;
    assert!((200..300).contains(&code), "{path}: {body}");
    body
}

async fn send(client: &Client, call: &Call, dry_run: bool) -> (u16, Vec<String>, Value) {
    // Of a field that it does not know, the API server need not warn.
    let mut uri = format!(
        "{}?fieldValidation=Ignore&fieldManager={}",
        call.path, call.name
    );
    let mut body = call.body.clone();
    if call.method == Method::DELETE {
        uri.clone_from(&call.path);
        body = json!({"apiVersion": "v1", "kind": "DeleteOptions"});
        if dry_run {
            body["dryRun"] = json!(["All"]);
        }
    } else if dry_run {
        uri.push_str("&dryRun=All");
    }
    let mut request = Request::builder()
        .method(&call.method)
        .uri(uri)
        .header("Content-Type", "application/json");
    if let Some(User { name, groups }) = &call.user {
        let value = |text: &str| HeaderValue::from_bytes(text.as_bytes()).unwrap();
        request = request.header("Impersonate-User", value(name));
        for group in groups {
            request = request.header("Impersonate-Group", value(group));
        }
    }
    let request = request
        .body(Body::from(serde_json::to_vec(&body).unwrap()))
        .unwrap();
    let response = client.send(request).await;
    let response = response.unwrap_or_else(|error| panic!("{call:?}: {error:?}"));
    let code = response.status().as_u16();
    let headers = response.headers().get_all("Warning").iter();
    let warnings = headers.map(|header| warning(&String::from_utf8_lossy(header.as_bytes())));
    let warnings = warnings.collect();
    let body = response.into_body().collect_bytes().await.unwrap();
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    (code, warnings, body)
}

/// The text of a header `299 - "text"`.
fn warning(header: &str) -> String {
    let quoted = header
        .trim()
        .strip_prefix("299 - \"")
        .and_then(|rest| rest.strip_suffix('"'));
    let mut characters = quoted.expect("a warning").chars();
    let mut text = String::new();
    while let Some(character) = characters.next() {
        text.extend(match character {
            '\\' => characters.next(),
            other => Some(other),
        });
    }
    text
}

//! The events of a watch, read line by line.
//!
//! kube's own reader takes whatever is answered for events, a refusal as well, and so a watch that was
//! refused looks like one that has begun.

use std::{
    future::ready,
    io::{Error, Result as IoResult},
};

use axum::body::Body;
use futures::{AsyncBufReadExt, Stream, StreamExt, TryStreamExt};
use http::StatusCode;
use kube::core::{Status, WatchEvent};
use serde::de::DeserializeOwned;

use super::requests::{ApiClient, BuiltRequest, RequestError};
use crate::client::plain_answer;

/// A refusal is read up to here; what is longer is none of the API server's.
const LONGEST_REFUSAL: usize = 1 << 20;

/// Starts a watch. What it shows has no timeout.
///
/// # Errors
/// As those of [`ApiClient::send`].
pub(super) async fn watch<K: DeserializeOwned>(
    api: &ApiClient,
    request: BuiltRequest,
) -> Result<impl Stream<Item = Result<WatchEvent<K>, RequestError>> + use<K>, RequestError> {
    let request = request.map_err(RequestError::Invalid)?;
    let start = async {
        let answer = api.client().send(request.map(Into::into)).await?;
        let code = answer.status();
        let body = Body::new(answer.into_body());
        match code.is_success() {
            true => Ok(events(body)),
            false => Err(kube::Error::Api(Box::new(refusal(code, body).await))),
        }
    };
    api.within(start, None).await
}

/// What the API server means by an answer that is no success.
async fn refusal(code: StatusCode, body: Body) -> Status {
    let text = axum::body::to_bytes(body, LONGEST_REFUSAL).await;
    let text = text.unwrap_or_default();
    let told = serde_json::from_slice(&text).unwrap_or_else(|_| {
        Status::failure(&plain_answer::message(&text), &plain_answer::reason(code))
    });
    // Only the answer itself says so for certain.
    Status {
        code: code.as_u16(),
        ..told
    }
}

/// The events of an answer that is a success.
fn events<K: DeserializeOwned>(
    body: Body,
) -> impl Stream<Item = Result<WatchEvent<K>, RequestError>> {
    let data = body.into_data_stream().map_err(Error::other);
    data.into_async_read()
        .lines()
        .filter_map(|line| ready(event(line)))
}

fn event<K: DeserializeOwned>(
    line: IoResult<String>,
) -> Option<Result<WatchEvent<K>, RequestError>> {
    let line = match line {
        Ok(line) => line,
        Err(error) => {
            let error = kube::Error::ReadEvents(error);
            return Some(Err(RequestError::Client(Box::new(error))));
        }
    };
    match serde_json::from_str(&line) {
        Ok(event) => Some(Ok(event)),
        // The answer has ended in the middle of a line.
        Err(error) if error.is_eof() => None,
        Err(error) => Some(Err(RequestError::Unreadable(error))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case::a_status(
        json!({ "kind": "Status", "code": 403, "reason": "Forbidden", "message": "no" }).to_string(),
        "Forbidden", "no"
    )]
    #[case::text("Too many\nrequests".to_owned(), "Forbidden", "Too many")]
    #[case::nothing(String::new(), "Forbidden", "")]
    #[case::long("x".repeat(5_000), "Forbidden", &"x".repeat(200))]
    #[tokio::test]
    async fn a_refusal_is_told(#[case] body: String, #[case] reason: &str, #[case] message: &str) {
        let status = refusal(StatusCode::FORBIDDEN, Body::from(body)).await;
        assert_eq!(
            (status.code, &*status.reason, &*status.message),
            (403, reason, message)
        );
    }

    #[rstest]
    #[case::events("{\"type\":\"ADDED\",\"object\":1}\n{\"type\":\"DELETED\",\"object\":2}\n", &["added 1", "deleted 2"])]
    #[case::cut_in_the_middle("{\"type\":\"ADDED\",\"object\":1}\n{\"type\":\"DEL", &["added 1"])]
    #[case::nothing("", &[])]
    #[case::not_an_event("<html>\n", &["unreadable"])]
    #[tokio::test]
    async fn events_are_read(#[case] body: &'static str, #[case] expected: &[&str]) {
        let events: Vec<_> = events::<u32>(Body::from(body)).collect().await;
        let read: Vec<_> = events
            .into_iter()
            .map(|event| match event {
                Ok(WatchEvent::Added(number)) => format!("added {number}"),
                Ok(WatchEvent::Deleted(number)) => format!("deleted {number}"),
                Err(RequestError::Unreadable(_)) => "unreadable".to_owned(),
                other => format!("{other:?}"),
            })
            .collect();
        assert_eq!(read, expected);
    }
}

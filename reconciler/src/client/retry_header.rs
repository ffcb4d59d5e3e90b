//! The header `Retry-After`, which the client does not read: an answer with it becomes a Status that says
//! the same.
//!
//! An overloaded API server answers 429 in plain text with that header, and what stands before it, a
//! load balancer or a gateway, 502 or 503. All of them mean it (L22).

use std::time::{Duration, SystemTime};

use axum::body::Body;
use futures::StreamExt;
use http::{
    HeaderMap, Response, StatusCode,
    header::{CONTENT_LENGTH, DATE, RETRY_AFTER},
};
use serde_json::{Map, Value, json};
use tokio::time::timeout;

use super::plain_answer;

/// A body is read for so long.
const LONGEST_READ: Duration = Duration::from_secs(15);
/// So many bytes of a body are read. A Status is smaller.
const LONGEST_BODY: usize = 1 << 20;

/// An error with a `Retry-After` header gets a Status that says the same: its own, if it has one.
pub(super) async fn with_retry_after(response: Response<Body>) -> Response<Body> {
    let code = response.status();
    let is_error = code.is_client_error() || code.is_server_error();
    let Some(seconds) = seconds(response.headers()).filter(|_| is_error) else {
        return response;
    };
    let (mut parts, body) = response.into_parts();
    let status = status(code, &beginning(body).await, seconds);
    parts.headers.remove(CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(Value::Object(status).to_string()))
}

/// How long to wait: a number of seconds, or until a date. Anything else is no wish.
fn seconds(headers: &HeaderMap) -> Option<u32> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(text.parse().unwrap_or(u32::MAX));
    }
    let until = httpdate::parse_http_date(text).ok()?;
    let date = headers.get(DATE).and_then(|date| date.to_str().ok());
    // By the clock that the date comes from, where that is known.
    let now = date.and_then(|date| httpdate::parse_http_date(date).ok());
    let wait = until.duration_since(now.unwrap_or_else(SystemTime::now));
    // None if it has passed.
    Some(u32::try_from(whole_seconds(wait.ok()?)).unwrap_or(u32::MAX))
}

/// Rounded up: not before the moment that was asked for.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

/// What came of a body: all of it, unless it is too long, breaks off, or does not come in time.
async fn beginning(body: Body) -> Vec<u8> {
    let mut read = Vec::new();
    let reading = async {
        let mut chunks = body.into_data_stream();
        while let Some(Ok(chunk)) = chunks.next().await {
            let rest = LONGEST_BODY - read.len();
            read.extend_from_slice(&chunk[..chunk.len().min(rest)]);
            if read.len() == LONGEST_BODY {
                return;
            }
        }
    };
    // What was read until then is enough.
    let _ = timeout(LONGEST_READ, reading).await;
    read
}

/// The Status of an answer, with this wish unless it has one.
fn status(code: StatusCode, body: &[u8], seconds: u32) -> Map<String, Value> {
    let own = serde_json::from_slice::<Map<_, _>>(body).ok();
    let mut status = own
        .filter(|body| body.get("kind").is_some_and(|kind| kind == "Status"))
        .unwrap_or_else(|| made(code, body));
    if !status.get("code").is_some_and(Value::is_u64) {
        status.insert("code".to_owned(), code.as_u16().into());
    }
    let details = status.entry("details").or_insert(Value::Null);
    if !details.is_object() {
        *details = json!({});
    }
    let wish = &mut details["retryAfterSeconds"];
    if wish.as_u64().is_none_or(|seconds| seconds == 0) {
        *wish = seconds.into();
    }
    status
}

/// A Status of a body that is none: the reason is that of the code, the message the first line.
fn made(code: StatusCode, body: &[u8]) -> Map<String, Value> {
    let mut message = plain_answer::message(body);
    if message.is_empty() {
        message = code.canonical_reason().unwrap_or_default().to_owned();
    }
    Map::from_iter([
        ("kind".to_owned(), json!("Status")),
        ("apiVersion".to_owned(), json!("v1")),
        ("status".to_owned(), json!("Failure")),
        ("message".to_owned(), message.into()),
        ("reason".to_owned(), plain_answer::reason(code).into()),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::retry_after;
    use axum::body::Bytes;
    use futures::stream;
    use http::HeaderValue;
    use kube::core::Status;
    use rstest::rstest;
    use std::{convert::Infallible, io};
    use tokio::time::Instant;

    fn headers(pairs: &[(http::HeaderName, &'static str)]) -> HeaderMap {
        let pairs = pairs.iter().cloned();
        pairs
            .map(|(name, value)| (name, HeaderValue::from_static(value)))
            .collect()
    }

    fn answer(code: u16, body: impl Into<Body>) -> Response<Body> {
        let answer = Response::builder().status(code).header(RETRY_AFTER, "7");
        answer.body(body.into()).unwrap()
    }

    async fn text(answer: Response<Body>) -> String {
        let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await;
        String::from_utf8(body.unwrap().to_vec()).unwrap()
    }

    async fn status_of(answer: Response<Body>) -> Status {
        serde_json::from_str(&text(with_retry_after(answer).await).await).unwrap()
    }

    const NOON: &str = "Fri, 27 Nov 2026 12:00:00 GMT";

    #[rstest]
    #[case::absent(&[], None)]
    #[case::seconds(&[(RETRY_AFTER, "7")], Some(7))]
    #[case::none(&[(RETRY_AFTER, "0")], Some(0))]
    #[case::three_years(&[(RETRY_AFTER, "100000000")], Some(100_000_000))]
    #[case::more_than_a_number_holds(&[(RETRY_AFTER, "99999999999999999999999")], Some(u32::MAX))]
    #[case::negative(&[(RETRY_AFTER, "-7")], None)]
    #[case::signed(&[(RETRY_AFTER, "+7")], None)]
    #[case::words(&[(RETRY_AFTER, "soon")], None)]
    #[case::empty(&[(RETRY_AFTER, "")], None)]
    #[case::date(&[(RETRY_AFTER, "Fri, 27 Nov 2026 12:01:30 GMT"), (DATE, NOON)], Some(90))]
    #[case::date_that_has_passed(&[(RETRY_AFTER, NOON), (DATE, "Fri, 27 Nov 2026 12:01:30 GMT")], None)]
    #[case::date_by_our_clock(&[(RETRY_AFTER, "Fri, 27 Nov 2099 12:01:30 GMT")], Some(1))]
    #[case::long_ago_by_our_clock(&[(RETRY_AFTER, "Fri, 27 Nov 1998 12:01:30 GMT")], None)]
    #[case::date_by_an_odd_clock(&[(RETRY_AFTER, "Fri, 27 Nov 1998 12:01:30 GMT"), (DATE, "now")], None)]
    fn l22_what_is_asked_for(
        #[case] pairs: &[(http::HeaderName, &'static str)],
        #[case] expected: Option<u32>,
    ) {
        let by_our_clock = pairs.len() == 1 && expected == Some(1);
        let asked = seconds(&headers(pairs));
        match by_our_clock {
            // However far away that is when this runs.
            true => assert!(asked.is_some_and(|seconds| seconds > 1)),
            false => assert_eq!(asked, expected),
        }
    }

    const OWN: &str = r#"{"kind":"Status","message":"busy","reason":"Why","code":409,"details":{"name":"x","retryAfterSeconds":3}}"#;

    /// What the Status says: code, reason, message, and the wait.
    #[rstest]
    #[case::overloaded(429, "Too many requests, please try again later.\n", (429, "TooManyRequests", "Too many requests, please try again later.", 7))]
    #[case::gateway(503, "Service Unavailable", (503, "ServiceUnavailable", "Service Unavailable", 7))]
    #[case::forbidden(403, "no", (403, "Forbidden", "no", 7))]
    #[case::page(502, "\r\n  <html>\r\n<body>", (502, "BadGateway", "<html>", 7))]
    #[case::empty(504, "", (504, "GatewayTimeout", "Gateway Timeout", 7))]
    #[case::without_a_name(599, "", (599, "", "", 7))]
    #[case::other_json(500, r#"{"error":"x"}"#, (500, "InternalServerError", r#"{"error":"x"}"#, 7))]
    #[case::other_kind(500, r#"{"kind":"Pod"}"#, (500, "InternalServerError", r#"{"kind":"Pod"}"#, 7))]
    #[case::its_own_wish(409, OWN, (409, "Why", "busy", 3))]
    #[case::its_own_code(500, r#"{"kind":"Status","code":504,"reason":"Timeout"}"#, (504, "Timeout", "", 7))]
    #[case::no_wish(500, r#"{"kind":"Status","reason":"Why","code":500,"details":{"retryAfterSeconds":0}}"#, (500, "Why", "", 7))]
    #[case::no_details(500, r#"{"kind":"Status","message":"m","details":null}"#, (500, "", "m", 7))]
    #[tokio::test]
    async fn l22_the_status_says_what_the_header_says(
        #[case] code: u16,
        #[case] body: &'static str,
        #[case] expected: (u16, &str, &str, u64),
    ) {
        let status = status_of(answer(code, body)).await;
        let wait = retry_after(&status).unwrap().as_secs();
        let said = (status.code, &*status.reason, &*status.message, wait);
        assert_eq!(said, expected);
    }

    #[tokio::test]
    async fn what_else_a_status_says_stays() {
        let status = status_of(answer(409, OWN)).await;
        assert_eq!(status.details.unwrap().name, "x");
    }

    #[rstest]
    #[case::success(200, Some("7"))]
    #[case::moved(307, Some("7"))]
    #[case::no_wish(503, None)]
    #[case::no_number(503, Some("soon"))]
    #[tokio::test]
    async fn other_answers_stay_as_they_are(#[case] code: u16, #[case] wish: Option<&str>) {
        let mut answer = answer(code, "text");
        answer.headers_mut().remove(RETRY_AFTER);
        if let Some(wish) = wish {
            let wish = HeaderValue::from_str(wish).unwrap();
            answer.headers_mut().insert(RETRY_AFTER, wish);
        }
        assert_eq!(text(with_retry_after(answer).await).await, "text");
    }

    #[tokio::test]
    async fn a_long_line_is_cut() {
        let status = status_of(answer(503, "ä".repeat(5_000))).await;
        assert_eq!(status.message, "ä".repeat(plain_answer::LONGEST_MESSAGE));
    }

    #[tokio::test]
    async fn an_endless_body_is_not_read_to_its_end() {
        let chunks = stream::repeat_with(|| Ok::<_, Infallible>(Bytes::from_static(b"busy\n")));
        let status = status_of(answer(503, Body::from_stream(chunks))).await;
        assert_eq!(status.message, "busy");
    }

    #[rstest]
    #[case::breaks_off(true, 0)]
    #[case::stands_still(false, 15)]
    #[tokio::test(start_paused = true)]
    async fn what_came_of_a_body_is_enough(#[case] breaks: bool, #[case] seconds: u64) {
        let chunk = stream::iter([Ok(Bytes::from_static(b"busy"))]);
        let begun = Instant::now();
        let body = match breaks {
            true => Body::from_stream(chunk.chain(stream::iter([Err(io::Error::other("broken"))]))),
            false => Body::from_stream(chunk.chain(stream::pending::<io::Result<_>>())),
        };
        let status = status_of(answer(503, body)).await;
        assert_eq!(
            (&*status.message, begun.elapsed().as_secs()),
            ("busy", seconds)
        );
    }
}

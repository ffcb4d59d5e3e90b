//! What requests meet with instead of, or before, an answer.

use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::response::{IntoResponse, Response};
use futures::{StreamExt, stream};
use http::{StatusCode, header};
use serde_json::json;
use tokio::time::sleep;
use tower::BoxError;

use super::{Asked, streams};

/// A misfortune.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// An answer with this code, as the API server words it.
    Status(u16),
    /// A webhook of somebody's does not answer.
    Webhook,
    /// 429 in plain text, as an API server says it that is asked too much; the seconds to wait are in
    /// the header alone.
    TooMany(u32),
    /// 429 with the seconds to wait in the Status, as an API server says it whose storage is not ready.
    NotReady(u32),
    /// The answer comes so much later.
    Delay(Duration),
    /// It is done at once, and the answer comes so much later.
    Late(Duration),
    /// The connection is closed without an answer, and nothing was done.
    Cut,
    /// The connection is closed without an answer, and it was done.
    CutAfter,
    /// Nothing at all is answered, and nothing was done.
    Hang,
    /// The answer's headers and its first bytes come, and then nothing more.
    Stall,
    /// Of a list: its first page is right, and what would come after it is gone.
    PageGone,
    /// Of a list: the pages after its first come so much later.
    LatePage(Duration),
    /// Of a watch: it begins, and ends at once.
    EndAtOnce,
    /// Of a watch: it begins, and its first event says that the version is gone.
    Expired,
}

/// What is left to do about a request.
pub(super) enum Outcome {
    Forward,
    DelayAnswer(Duration),
    LoseAnswer,
    Answer(Response),
}

impl Fault {
    /// An error closes the connection.
    pub(super) async fn befall(self, asked: &Asked) -> Result<Outcome, BoxError> {
        let answer = match self {
            Self::Status(code) => status(code, &format!("the test says {code}"), None),
            Self::Webhook => status(
                500,
                "Internal error occurred: failed calling webhook \"kuma.example\": connection refused",
                None,
            ),
            Self::TooMany(seconds) => {
                let after = [(header::RETRY_AFTER, seconds.to_string())];
                let text = "Too many requests, please try again later.\n";
                (StatusCode::TOO_MANY_REQUESTS, after, text).into_response()
            }
            Self::NotReady(seconds) => status(429, "storage is (re)initializing", Some(seconds)),
            Self::Delay(time) => {
                sleep(time).await;
                return Ok(Outcome::Forward);
            }
            Self::Late(time) => return Ok(Outcome::DelayAnswer(time)),
            Self::Cut => return Err("the connection is cut".into()),
            Self::CutAfter => return Ok(Outcome::LoseAnswer),
            Self::Hang => pending().await,
            Self::Stall => {
                let begins = stream::once(async { Ok::<_, BoxError>(Bytes::from("{")) });
                let body = Body::from_stream(begins.chain(stream::pending()));
                ([(header::CONTENT_TYPE, "application/json")], body).into_response()
            }
            Self::PageGone if !asked.is_continued => return Ok(Outcome::Forward),
            Self::PageGone => status(410, "The provided continue parameter is too old", None),
            Self::LatePage(time) => {
                if asked.is_continued {
                    sleep(time).await;
                }
                return Ok(Outcome::Forward);
            }
            Self::EndAtOnce => Body::empty().into_response(),
            Self::Expired => Body::from(streams::expired()).into_response(),
        };
        Ok(Outcome::Answer(answer))
    }
}

fn status(code: u16, message: &str, seconds: Option<u32>) -> Response {
    let reason = match code {
        400 => "BadRequest",
        403 => "Forbidden",
        404 => "NotFound",
        409 => "Conflict",
        410 => "Expired",
        422 => "Invalid",
        429 => "TooManyRequests",
        503 => "ServiceUnavailable",
        504 => "Timeout",
        _ => "InternalError",
    };
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "reason": reason, "code": code,
        // A name, so that a 404 is of an object and not of a kind.
        "details": {"name": "it", "retryAfterSeconds": seconds.unwrap_or_default()},
    });
    let code = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (
        code,
        [(header::CONTENT_TYPE, "application/json")],
        status.to_string(),
    )
        .into_response()
}

/// Who meets with what.
#[derive(Debug, Clone, Default)]
pub(super) struct Rules(Arc<Mutex<List>>);

#[derive(Debug, Default)]
struct List {
    added: usize,
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    number: usize,
    what: String,
    fault: Fault,
    left: Option<usize>,
}

impl Rules {
    pub(super) fn add(&self, what: &str, fault: Fault, times: Option<usize>) -> usize {
        let mut list = self.list();
        list.added += 1;
        let number = list.added;
        list.rules.push(Rule {
            number,
            what: what.to_owned(),
            fault,
            left: times,
        });
        number
    }

    pub(super) fn storm(&self, what: &str, fault: Fault) -> Storm {
        Storm {
            number: self.add(what, fault, None),
            rules: self.clone(),
        }
    }

    pub(super) fn meet(&self, asked: &Asked) -> Option<Fault> {
        let mut list = self.list();
        let at_all = |rule: &&mut Rule| rule.left != Some(0) && asked.is(&rule.what);
        let rule = list.rules.iter_mut().find(at_all)?;
        rule.left = rule.left.map(|left| left - 1);
        Some(rule.fault)
    }

    fn list(&self) -> MutexGuard<'_, List> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lasts until it is dropped.
#[derive(Debug)]
#[must_use = "it ends when this is dropped"]
pub struct Storm {
    rules: Rules,
    number: usize,
}

impl Drop for Storm {
    fn drop(&mut self) {
        let mut list = self.rules.list();
        list.rules.retain(|rule| rule.number != self.number);
    }
}

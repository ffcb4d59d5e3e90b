//! kwctl's recorded sessions: what a policy asked, and what it was answered.
//!
//! A session is a YAML list of exchanges. Each holds the request as YAML text of its own, tagged with
//! its kind (`!KubernetesGetResource`), and the response: a payload, or an error's message.

use std::collections::VecDeque;
use std::fs;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Backend, Failure, Outcome, Reply};
use crate::document::{self, DocumentError};
use crate::question::Question;

/// One question and its answer, as the file has them.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename = "Exchange")]
struct Exchange {
    request: String,
    response: Response,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type")]
enum Response {
    Success { payload: String },
    Error { message: String },
}

/// A session that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The file.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// One of its requests.
    #[error("{path}: exchange {number}: {reason}")]
    Request {
        /// The file.
        path: String,
        /// Counted from 1.
        number: usize,
        /// What is wrong.
        reason: String,
    },
    /// A payload that is no text.
    #[error("the session cannot be written: {0}")]
    Write(String),
}

/// Answers from a recorded session: in its order, each question exactly as recorded.
#[derive(Debug)]
pub struct ReplaySession {
    exchanges: Mutex<VecDeque<(Question, Reply)>>,
}

impl ReplaySession {
    /// Reads a session file. An empty list is a session that proves that nothing is asked.
    ///
    /// # Errors
    /// When it is no session.
    pub fn load(path: &Path) -> Result<Self, SessionError> {
        let exchanges: Vec<Exchange> = document::read_as(path)?;
        let exchanges: Result<VecDeque<_>, SessionError> = exchanges
            .into_iter()
            .enumerate()
            .map(|(index, exchange)| {
                let question =
                    read_request(&exchange.request).map_err(|reason| SessionError::Request {
                        path: path.display().to_string(),
                        number: index + 1,
                        reason,
                    })?;
                let reply = match exchange.response {
                    Response::Success { payload } => Reply::answer(payload.into_bytes()),
                    Response::Error { message } => Reply::failure(Failure::new(message)),
                };
                Ok((question, reply))
            })
            .collect();
        Ok(Self {
            exchanges: Mutex::new(exchanges?),
        })
    }

    /// What was recorded and not asked.
    #[must_use]
    pub fn leftovers(&self) -> Vec<Question> {
        let exchanges = self
            .exchanges
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        exchanges
            .iter()
            .map(|(question, _)| question.clone())
            .collect()
    }
}

impl Backend for ReplaySession {
    fn ask(&self, question: &Question) -> Reply {
        let next = self
            .exchanges
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop_front();
        match next {
            None => Reply::failure(Failure::new("the list of recorded responses is empty")),
            Some((expected, reply)) if expected == *question => reply,
            Some((expected, _)) => Reply::failure(Failure::new(format!(
                "Replay error: unexpected request. Was expecting {expected:?}, got {question:?} instead"
            ))),
        }
    }
}

/// A recorded exchange, before it is written.
pub(super) type Recorded = (Question, Reply);

/// Writes a session file that kwctl can replay.
pub(super) fn write(path: &Path, exchanges: &[Recorded]) -> Result<(), SessionError> {
    let failed = |reason: String| SessionError::Write(reason);
    let exchanges: Result<Vec<Exchange>, SessionError> = exchanges
        .iter()
        .map(|(question, reply)| {
            let response = match &reply.outcome {
                Outcome::Answer(bytes) => Response::Success {
                    payload: String::from_utf8(bytes.clone())
                        .map_err(|_| failed("an answer is no UTF-8 text".to_owned()))?,
                },
                Outcome::Failure(failure) => Response::Error {
                    message: failure.to_string(),
                },
                Outcome::Hang => {
                    return Err(failed(
                        "a call that hangs has no answer to record".to_owned(),
                    ));
                }
            };
            Ok(Exchange {
                request: write_request(question).map_err(failed)?,
                response,
            })
        })
        .collect();
    let exchanges = exchanges?;
    let text = if exchanges.is_empty() {
        "[]\n".to_owned()
    } else {
        serde_saphyr::to_string(&exchanges).map_err(|error| failed(error.to_string()))?
    };
    fs::write(path, text).map_err(|error| DocumentError::read(path, error).into())
}

/// `!Kind`, then its fields.
fn read_request(text: &str) -> Result<Question, String> {
    let (kind, fields) = text
        .trim_start()
        .strip_prefix('!')
        .and_then(|text| text.split_once(char::is_whitespace))
        .ok_or("a request must start with its kind, such as !KubernetesGetResource")?;
    let fields: Value = serde_saphyr::from_str(fields).map_err(|error| error.to_string())?;
    serde_json::from_value(Value::Object(Map::from_iter([(kind.to_owned(), fields)])))
        .map_err(|error| error.to_string())
}

fn write_request(question: &Question) -> Result<String, String> {
    let value = serde_json::to_value(question).map_err(|error| error.to_string())?;
    let Some((kind, fields)) = value.as_object().and_then(|map| map.iter().next()) else {
        return Err("a request without fields".to_owned());
    };
    let fields = serde_saphyr::to_string(fields).map_err(|error| error.to_string())?;
    Ok(format!("!{kind}\n{fields}"))
}

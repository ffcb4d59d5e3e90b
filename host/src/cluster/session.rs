//! kwctl's recorded sessions: what a policy asked, and what it was answered.
//!
//! A session is a YAML list of exchanges. Each holds the request as YAML text of its own, tagged with
//! its kind (`!KubernetesGetResource`), and the response: a payload, or an error's message.

use std::{
    collections::VecDeque,
    fs,
    path::Path,
    sync::{Mutex, PoisonError},
};

use kuma_workload_plan::read::Fault;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    backend::{Answer, Backend, Reply},
    failure::Failure,
};
use crate::{document, question::Question};

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

/// Answers from a recorded session: in its order, each question exactly as recorded.
#[derive(Debug)]
pub struct ReplaySession {
    exchanges: Mutex<VecDeque<(Question, Reply)>>,
}

impl ReplaySession {
    /// Reads a session file. An empty list is a session that proves that nothing is asked.
    ///
    /// # Errors
    ///
    /// When it is no session.
    pub fn load(path: &Path) -> Result<Self, Fault> {
        let document = document::read_one(path)?;
        let exchanges: Vec<Exchange> = document.read()?;
        let exchanges = exchanges.into_iter().enumerate().map(|(index, exchange)| {
            let question = read_request(&exchange.request).map_err(|why| {
                let number = index + 1;
                document.fault(format!("the request of exchange {number} {why}"))
            })?;
            let reply = match exchange.response {
                Response::Success { payload } => Reply::answer(payload.into_bytes()),
                Response::Error { message } => Reply::failure(Failure::new(message)),
            };
            Ok((question, reply))
        });
        Ok(Self {
            exchanges: Mutex::new(exchanges.collect::<Result<_, Fault>>()?),
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
///
/// # Errors
///
/// When it cannot be written, or an answer cannot be recorded.
pub(super) fn write(path: &Path, exchanges: &[Recorded]) -> Result<(), Fault> {
    let fault = |why: String| {
        let message = format!("the session cannot be written: {why}");
        Fault::of_file(path.display().to_string(), message)
    };
    let exchanges = exchanges.iter().map(|(question, reply)| {
        let response = match &reply.answer {
            Answer::Payload(bytes) => Response::Success {
                payload: String::from_utf8(bytes.clone())
                    .map_err(|_| "an answer is no UTF-8 text".to_owned())?,
            },
            Answer::Failure(failure) => Response::Error {
                message: failure.to_string(),
            },
            Answer::Hang => return Err("a call that hangs has no answer to record".to_owned()),
        };
        Ok(Exchange {
            request: write_request(question)?,
            response,
        })
    });
    let exchanges: Vec<Exchange> = exchanges.collect::<Result<_, String>>().map_err(fault)?;
    let text = if exchanges.is_empty() {
        "[]\n".to_owned()
    } else {
        serde_saphyr::to_string(&exchanges).map_err(|error| fault(error.to_string()))?
    };
    fs::write(path, text).map_err(|error| fault(error.to_string()))
}

/// `!Kind`, then its fields.
fn read_request(text: &str) -> Result<Question, String> {
    let tagged = text.trim_start().strip_prefix('!');
    let (kind, fields) = tagged
        .and_then(|text| text.split_once(char::is_whitespace))
        .ok_or("must begin with its kind, such as !KubernetesGetResource")?;
    let fields = document::json(fields)?;
    let question = Value::Object(Map::from_iter([(kind.to_owned(), fields)]));
    serde_json::from_value(question).map_err(|error| format!("cannot be read: {error}"))
}

fn write_request(question: &Question) -> Result<String, String> {
    let value = serde_json::to_value(question).map_err(|error| error.to_string())?;
    let Some((kind, fields)) = value.as_object().and_then(|map| map.iter().next()) else {
        return Err("a request without fields".to_owned());
    };
    let fields = serde_saphyr::to_string(fields).map_err(|error| error.to_string())?;
    Ok(format!("!{kind}\n{fields}"))
}

//! Requests to the API server: each has a timeout over its whole answer (L23), and failures are told
//! apart by what they mean.

use std::{future::Future, time::Duration};

use http::Request;
use kube::{Client, core::Status};
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout_at};

use super::{
    health::Health,
    planted::{PlantedFault, planted},
    queue::FailureKind,
};
use crate::client::{Failure, REQUEST_TIMEOUT, is_namespace_terminating, is_unserved, retry_after};

/// A client whose requests have timeouts, and that knows whether the API server answers.
#[derive(Clone)]
pub(super) struct ApiClient {
    client: Client,
    health: Health,
}

impl std::fmt::Debug for ApiClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ApiClient").finish_non_exhaustive()
    }
}

/// A request as kube builds it.
pub(super) type BuiltRequest = Result<Request<Vec<u8>>, kube::core::request::Error>;

/// Why a request failed.
#[derive(Debug)]
pub(super) enum RequestError {
    /// The API server has answered with a failure.
    Status(Box<Status>),
    /// No answer came, or it could not be read.
    Client(Box<kube::Error>),
    /// No whole answer came in time.
    TimedOut,
    /// It was not sent: it is a write, and this replica does not lead.
    NotLeading,
    /// An event of a watch cannot be read.
    Unreadable(serde_json::Error),
    /// It could not be sent.
    Invalid(kube::core::request::Error),
}

impl ApiClient {
    pub(super) fn new(client: Client, health: Health) -> Self {
        Self { client, health }
    }

    /// The client itself.
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// Sends a request and reads the whole answer.
    ///
    /// # Errors
    /// [`RequestError`], also when the answer has not come within [`REQUEST_TIMEOUT`] or by the
    /// deadline.
    pub(super) async fn send<T: DeserializeOwned>(
        &self,
        request: BuiltRequest,
        deadline: Option<Instant>,
    ) -> Result<T, RequestError> {
        let request = request.map_err(RequestError::Invalid)?;
        self.within(self.client.request(request), deadline).await
    }

    /// Waits for an answer in the same way.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub(super) async fn within<T>(
        &self,
        answer: impl Future<Output = kube::Result<T>>,
        deadline: Option<Instant>,
    ) -> Result<T, RequestError> {
        let timeout = Instant::now() + REQUEST_TIMEOUT;
        let timeout = match planted(PlantedFault::NoBodyTimeout) {
            true => timeout + REQUEST_TIMEOUT * 10_000,
            false => timeout,
        };
        let deadline = deadline.map_or(timeout, |deadline| deadline.min(timeout));
        let answer = match timeout_at(deadline, answer).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(kube::Error::Api(status))) => Err(RequestError::Status(status)),
            Ok(Err(error)) => Err(RequestError::Client(Box::new(error))),
            Err(_) => Err(RequestError::TimedOut),
        };
        match &answer {
            Ok(_) | Err(RequestError::Status(_)) => self.health.answered(),
            Err(_) => self.health.failed(),
        }
        answer
    }
}

impl RequestError {
    /// The answer's code, if one came.
    pub(super) fn code(&self) -> Option<u16> {
        match self {
            Self::Status(status) => Some(status.code),
            _ => None,
        }
    }

    /// The failure in words. `what` is the verb and the resource.
    pub(super) fn failure(&self, what: &str) -> Failure {
        match self {
            Self::Status(status) => Failure::of_status(what, status),
            Self::Client(error) => Failure::of(what, error),
            Self::TimedOut => Failure::new(format!(
                "cannot {what}: the API server did not answer in time"
            )),
            Self::NotLeading => Failure::new(format!("cannot {what}: this replica does not lead")),
            Self::Unreadable(error) => Failure::new(format!(
                "cannot {what}: what the API server shows cannot be read: {error}"
            )),
            Self::Invalid(error) => Failure::new(format!("cannot {what}: {error}")),
        }
    }

    /// What failures of this kind have in common, for the log.
    pub(super) fn trouble(&self, what: &str) -> String {
        match self {
            // Each is one cause, whatever was asked: a server that starts answers 429 for every kind.
            Self::Client(_) | Self::TimedOut => "unreachable".to_owned(),
            Self::Status(status) if matches!(status.code, 429 | 503) => {
                format!("busy {}", status.code)
            }
            Self::Status(status) => format!("{what} {}", status.code),
            Self::NotLeading | Self::Unreadable(_) | Self::Invalid(_) => what.to_owned(),
        }
    }

    /// How long the API server asks to wait.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status(status) => retry_after(status),
            _ => None,
        }
    }

    /// Whether the API server does not serve the kind.
    pub(super) fn is_unserved(&self) -> bool {
        matches!(self, Self::Status(status) if is_unserved(status))
    }

    /// What it means for a write (L15).
    pub(super) fn kind(&self) -> FailureKind {
        match self {
            Self::Client(_) | Self::TimedOut => FailureKind::Unreachable,
            Self::Unreadable(_) => FailureKind::Busy,
            Self::NotLeading => FailureKind::Stale,
            Self::Invalid(_) => FailureKind::Refused,
            Self::Status(status) if is_namespace_terminating(status) => FailureKind::NoNamespace,
            Self::Status(status) => match status.code {
                // Its definition may come back.
                404 if is_unserved(status) => FailureKind::Busy,
                404 | 409 => FailureKind::Stale,
                422 => FailureKind::Rejected,
                429 | 500.. => FailureKind::Busy,
                _ => FailureKind::Refused,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use kube::core::Status;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::too_many_requests(429, true)]
    #[case::unavailable(503, true)]
    #[case::forbidden(403, false)]
    #[case::internal(500, false)]
    fn l22_a_busy_server_is_one_trouble_whatever_was_asked(#[case] code: u16, #[case] one: bool) {
        let trouble = |what| {
            RequestError::Status(Box::new(Status::failure("", "").with_code(code))).trouble(what)
        };
        assert_eq!(trouble("watch dataplanes") == trouble("watch meshes"), one);
    }
}

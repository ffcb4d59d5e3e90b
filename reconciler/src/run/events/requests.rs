//! Requests about events, and what their failures mean.

use std::{fmt, time::Duration};

use k8s_openapi::api::events::v1::Event;
use kube::{Api, Client, Error, core::Status};
use tokio::time::timeout;

use crate::{
    client::{Failure, REQUEST_TIMEOUT, is_namespace_terminating, retry_after},
    run::{lease::Leadership, ordered_watch},
};

/// The resource, as RBAC names it.
const RESOURCE: &str = "events.events.k8s.io";

/// Sends requests while this replica leads. Each has a time limit over its whole answer.
pub(super) struct Requests {
    client: Client,
    leadership: ordered_watch::Receiver<Leadership>,
}

impl fmt::Debug for Requests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Requests").finish_non_exhaustive()
    }
}

impl Requests {
    pub(super) fn new(client: Client, leadership: ordered_watch::Receiver<Leadership>) -> Self {
        Self { client, leadership }
    }

    /// The events of a namespace, or of all.
    pub(super) fn events(&self, namespace: Option<&str>) -> Api<Event> {
        match namespace {
            Some(namespace) => Api::namespaced(self.client.clone(), namespace),
            None => Api::all(self.client.clone()),
        }
    }

    /// Sends a request. It ends with the leadership at the latest: after that, another replica says what
    /// is to be said.
    pub(super) async fn send<T>(
        &self,
        request: impl Future<Output = kube::Result<T>>,
    ) -> kube::Result<T> {
        let limit = self.leadership.borrow().remaining().min(REQUEST_TIMEOUT);
        if limit.is_zero() {
            return Err(Error::Service("this replica does not lead".into()));
        }
        let answer = timeout(limit, request).await;
        answer.unwrap_or_else(|_| Err(Error::Service(format!("no answer within {limit:?}").into())))
    }
}

/// What a failure means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum FailureKind {
    /// The API server does not answer, or cannot.
    Away,
    /// It has failed over this request: the database, say, or a webhook has not answered it. Whether it has
    /// done anything is not known.
    Failed,
    /// It has too much to do, and has done nothing.
    Busy,
    /// The namespace does not exist, or is being deleted.
    NamespaceGone,
    /// Not permitted. The grant may be given later.
    Forbidden,
    /// Refused, by a webhook perhaps. It may be accepted later.
    Refused,
    /// The event itself is not acceptable.
    Rejected,
}

/// A request that failed.
#[derive(Debug)]
pub(super) struct RequestFailure {
    pub(super) kind: FailureKind,
    /// As a sentence.
    pub(super) failure: Failure,
    /// How long the API server asks to wait.
    pub(super) retry_after: Option<Duration>,
}

impl RequestFailure {
    /// Why a request with this verb failed.
    pub(super) fn of(verb: &str, error: &Error) -> Self {
        let status = match error {
            Error::Api(status) => Some(&**status),
            _ => None,
        };
        Self {
            kind: status.map_or(FailureKind::Away, kind),
            failure: Failure::of(&format!("{verb} {RESOURCE}"), error),
            retry_after: status.and_then(retry_after),
        }
    }

    /// Whether the next request, whatever it is, would fail too.
    pub(super) fn concerns_all(&self) -> bool {
        matches!(self.kind, FailureKind::Away | FailureKind::Busy)
    }
}

/// A namespace that does not exist gives 404, one that is being deleted 403. A list in pages that took too
/// long gives 410, and begins anew.
fn kind(status: &Status) -> FailureKind {
    match status.code {
        404 => FailureKind::NamespaceGone,
        403 if is_namespace_terminating(status) => FailureKind::NamespaceGone,
        403 => FailureKind::Forbidden,
        413 | 422 => FailureKind::Rejected,
        410 | 429 => FailureKind::Busy,
        408 => FailureKind::Away,
        500 => FailureKind::Failed,
        400..500 => FailureKind::Refused,
        _ => FailureKind::Away,
    }
}

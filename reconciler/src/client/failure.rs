//! Errors of requests, in words, and what the API server's answers mean.

use std::{io, time::Duration};

use kube::{core::Status, runtime::watcher};

use crate::run::{PlantedFault, planted};

/// The longest wait that the API server can ask for. A longer one would be a mistake of some proxy, and
/// timers have bounds of their own, beyond which they panic (L22).
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(60 * 60);

/// An error as one sentence for the user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Failure(String);

impl Failure {
    /// An error with this sentence.
    pub(crate) fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }

    /// Why a request failed. `what` is the verb and the resource: `list dataplanes.kuma.io`.
    pub(crate) fn of(what: &str, error: &kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => Self::of_status(what, status),
            // Whatever was asked, that is one cause: it is said once.
            error if is_of_connection(error) => Self(format!(
                "the API server cannot be reached: {}",
                innermost(error)
            )),
            error => Self(format!("cannot {what}: {}", innermost(error))),
        }
    }

    /// The same, where the API server has answered with a status.
    pub(crate) fn of_status(what: &str, status: &Status) -> Self {
        Self(match status.code {
            // Webhooks and quotas answer 403 too, not only the authorizer.
            403 if status.message.contains("is forbidden: User ") => {
                format!("cannot {what}: the grant is missing ({})", status.message)
            }
            404 if is_unserved(status) => format!(
                "cannot {what}: the API server does not know this kind; is its CustomResourceDefinition installed?"
            ),
            code => format!(
                "cannot {what}: the API server answered {code} {}: {}",
                status.reason, status.message
            ),
        })
    }

    /// Why a watch of a resource (`dataplanes.kuma.io`) failed, its list included.
    pub(crate) fn of_watch(resource: &str, error: &watcher::Error) -> Self {
        let list = format!("list {resource}");
        let watch = format!("watch {resource}");
        match error {
            watcher::Error::InitialListFailed(error) => Self::of(&list, error),
            watcher::Error::WatchStartFailed(error) | watcher::Error::WatchFailed(error) => {
                Self::of(&watch, error)
            }
            watcher::Error::WatchError(status) => Self::of_status(&watch, status),
            watcher::Error::NoResourceVersion => Self(format!(
                "cannot {watch}: the API server sends no resourceVersion"
            )),
        }
    }
}

/// The status with which the API server answered a watch or its list, if it did.
pub(crate) fn watch_status(error: &watcher::Error) -> Option<&Status> {
    match error {
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status))
        | watcher::Error::WatchError(status)
        | watcher::Error::WatchFailed(kube::Error::Api(status)) => Some(status),
        _ => None,
    }
}

/// Whether a 404 says that the API server does not serve the path. Otherwise the object is missing.
pub(crate) fn is_unserved(status: &Status) -> bool {
    status.code == 404
        && status
            .details
            .as_ref()
            .is_none_or(|details| details.name.is_empty())
}

/// How long the API server asks the client to wait before the next request: an hour at most (L22).
pub(crate) fn retry_after(status: &Status) -> Option<Duration> {
    let seconds = status.details.as_ref()?.retry_after_seconds;
    let asked = Duration::from_secs(seconds.into());
    let longest = match planted(PlantedFault::UnboundedRetryAfter) {
        true => Duration::from_secs(u32::MAX.into()),
        false => LONGEST_RETRY_AFTER,
    };
    (seconds > 0).then(|| asked.min(longest))
}

/// Whether a request was refused because its namespace is being deleted: nothing can be created
/// there.
pub(crate) fn is_namespace_terminating(status: &Status) -> bool {
    let mut causes = status.details.iter().flat_map(|details| &details.causes);
    status.code == 403 && causes.any(|cause| cause.reason == "NamespaceTerminating")
}

/// Whether a request failed before the API server could answer it, or while it did.
fn is_of_connection(error: &kube::Error) -> bool {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        if error.is::<io::Error>() {
            return true;
        }
        cause = error.source();
    }
    false
}

/// The innermost cause: "Connection refused" without the client's wrappers around it, and without the
/// operating system's number for it.
pub(crate) fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    let cause = cause.to_string();
    match cause.split_once(" (os error ") {
        Some((cause, _)) => cause.to_owned(),
        None => cause,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case::none(0, None)]
    #[case::short(7, Some(7))]
    #[case::an_hour(3_600, Some(3_600))]
    #[case::three_years(100_000_000, Some(3_600))]
    #[case::the_longest(u32::MAX, Some(3_600))]
    fn l22_the_wait_that_is_asked_for_is_an_hour_at_most(
        #[case] asked: u32,
        #[case] seconds: Option<u64>,
    ) {
        let status = json!({ "code": 429, "details": { "retryAfterSeconds": asked } });
        let status: Status = serde_json::from_value(status).unwrap();
        assert_eq!(retry_after(&status), seconds.map(Duration::from_secs));
    }
}

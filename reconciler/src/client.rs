//! The client of the API server.
//!
//! | part | job |
//! |---|---|
//! | [`Connection`] | where the API server is, from flags and kubeconfig |
//! | [`Failure`] | errors as sentences, and what the API server's answers mean |
//! | [`CountRequests`] | counts requests, for the metrics |
//! | `proxy` | refuses a proxy on the way to the API server |
//! | `limits` | bounds how long a request waits and how often a watch starts |
//! | [`plain_answer`] | what is told of an answer whose body is no Status |
//! | `retry_header` | passes `Retry-After` on |

mod connection;
mod failure;
mod kubeconfig;
mod limits;
pub(crate) mod plain_answer;
mod proxy;
mod requests;
mod retry_header;

pub use self::limits::client_over;
#[cfg(test)]
pub(crate) use self::requests::RequestLabels;
pub(crate) use self::{
    connection::Connection,
    failure::{
        Failure, innermost, is_namespace_terminating, is_unserved, retry_after, watch_status,
    },
    limits::REQUEST_TIMEOUT,
    requests::{CountRequests, RequestCounter},
};

/// Runs what asks the API server, from start to end.
///
/// # Errors
/// Its own, and when the runtime cannot be started.
pub(crate) fn block_on<T>(future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| Failure::new(format!("cannot start: {error}")))?;
    runtime.block_on(future)
}

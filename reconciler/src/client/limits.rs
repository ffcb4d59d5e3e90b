//! Bounds on the client's requests, which the client itself does not have.
//!
//! - The API server must start to answer within [`REQUEST_TIMEOUT`]. Lists and the start of watches
//!   have no other limit.
//! - `Retry-After` is passed on, which the client does not read ([`with_retry_after`]).
//! - A watch that ends as soon as it begins is started again once a second, not in a tight loop.

use std::{
    collections::HashMap,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use axum::body::{Body, Bytes, HttpBody};
use http::{Request, Response, Uri};
use tokio::time::{Instant, sleep_until, timeout};
use tower::{BoxError, Layer, Service};

use super::retry_header::with_retry_after;

/// A request without an answer within this time has failed. For a watch, this bounds its start only.
pub(crate) const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);
/// The shortest time between two starts of the same watch.
const WATCH_INTERVAL: Duration = Duration::from_secs(1);

/// The layer that sets the bounds for a client.
#[derive(Debug, Clone, Default)]
pub(super) struct LimitRequests {
    /// When the watch of each path started last.
    watches: Arc<Mutex<HashMap<String, Instant>>>,
}

impl<S> Layer<S> for LimitRequests {
    type Service = Limited<S>;

    fn layer(&self, inner: S) -> Limited<S> {
        Limited {
            inner,
            limits: self.clone(),
        }
    }
}

/// A client over a service of the caller's own, with the bounds that all clients of this program have: for
/// a simulated API server. To be called within a runtime.
pub fn client_over<S, B>(service: S, namespace: &str) -> kube::Client
where
    S: Service<Request<kube::client::Body>, Response = Response<B>, Error = BoxError>
        + Send
        + 'static,
    S::Future: Send + 'static,
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    kube::Client::new(LimitRequests::default().layer(service), namespace)
}

/// A service with these bounds.
#[derive(Debug, Clone)]
pub(super) struct Limited<S> {
    inner: S,
    limits: LimitRequests,
}

impl<S, A, B> Service<Request<A>> for Limited<S>
where
    S: Service<Request<A>, Response = Response<B>, Error = BoxError>,
    S::Future: Send + 'static,
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<A>) -> Self::Future {
        let start = self.limits.watch_start(request.uri());
        let response = self.inner.call(request);
        Box::pin(async move {
            if let Some(start) = start {
                sleep_until(start).await;
            }
            let late = |_| BoxError::from("the API server did not answer in time");
            let response = timeout(REQUEST_TIMEOUT, response).await.map_err(late)??;
            Ok(with_retry_after(response.map(Body::new)).await)
        })
    }
}

impl LimitRequests {
    /// When a watch may start; none for other requests.
    fn watch_start(&self, uri: &Uri) -> Option<Instant> {
        let mut pairs = uri.query().unwrap_or_default().split('&');
        if !pairs.any(|pair| pair == "watch=true") {
            return None;
        }
        let now = Instant::now();
        let mut watches = self.watches.lock().unwrap_or_else(PoisonError::into_inner);
        let last = watches.get(uri.path());
        let start = last.map_or(now, |last| now.max(*last + WATCH_INTERVAL));
        watches.insert(uri.path().to_owned(), start);
        Some(start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::retry_after;
    use http::header::RETRY_AFTER;
    use std::future::{pending, ready};
    use tower::{ServiceExt, service_fn};

    fn request(path: &str) -> Request<()> {
        Request::get(path).body(()).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_without_an_answer_fails_in_time() {
        let silent = service_fn(|_: Request<()>| pending::<Result<Response<Body>, BoxError>>());
        let begun = Instant::now();
        let answer = LimitRequests::default()
            .layer(silent)
            .oneshot(request("/api/v1/pods"));
        answer.await.unwrap_err();
        assert_eq!(begun.elapsed(), REQUEST_TIMEOUT);
    }

    #[tokio::test]
    async fn l22_the_header_is_passed_on() {
        let busy = service_fn(|_: Request<()>| {
            let answer = Response::builder().status(503).header(RETRY_AFTER, 7);
            ready(Ok::<_, BoxError>(answer.body(Body::from("Busy")).unwrap()))
        });
        let answer = LimitRequests::default()
            .layer(busy)
            .oneshot(request("/api/v1/pods"));
        let body = answer.await.unwrap().into_body();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let status: kube::core::Status = serde_json::from_slice(&body).unwrap();
        assert_eq!(retry_after(&status), Some(Duration::from_secs(7)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_watch_that_ends_at_once_starts_once_a_second() {
        let short =
            service_fn(|_: Request<()>| ready(Ok::<_, BoxError>(Response::new(Body::empty()))));
        let service = LimitRequests::default().layer(short);
        let begun = Instant::now();
        for (path, seconds) in [
            ("/api/v1/pods?&watch=true&resourceVersion=1", 0),
            ("/api/v1/pods?&watch=true&resourceVersion=1", 1),
            ("/api/v1/namespaces?&watch=true", 1),
            ("/api/v1/pods", 1),
            ("/api/v1/pods?&watch=true&resourceVersion=2", 2),
        ] {
            service.clone().oneshot(request(path)).await.unwrap();
            assert_eq!(begun.elapsed(), Duration::from_secs(seconds), "{path}");
        }
    }
}

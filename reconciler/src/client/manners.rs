//! What the client underneath leaves to us: patience that ends, and patience that is asked for.
//!
//! - An answer must begin in time. Lists and the beginnings of watches have no other limit.
//! - `Retry-After` is kept. An API server that is asked too much says 429 in plain text with that
//!   header, and the client reads neither; so it becomes a Status that says it.
//! - A watch that ends as soon as it begins is begun anew once in a while, not as fast as it goes.

use std::{
    collections::HashMap,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use axum::body::{Body, Bytes, HttpBody};
use http::{Request, Response, StatusCode, Uri, header::RETRY_AFTER};
use serde_json::json;
use tokio::time::{Instant, sleep_until, timeout};
use tower::{BoxError, Layer, Service};

use super::REQUEST_TIMEOUT;

/// The same watch does not begin more often.
const WATCH_PAUSE: Duration = Duration::from_secs(1);

/// The layer of a client that has them.
#[derive(Debug, Clone, Default)]
pub(super) struct Manners {
    watches: Arc<Mutex<HashMap<String, Instant>>>,
}

impl<S> Layer<S> for Manners {
    type Service = Mannered<S>;

    fn layer(&self, inner: S) -> Mannered<S> {
        Mannered {
            inner,
            manners: self.clone(),
        }
    }
}

/// A service with them.
#[derive(Debug, Clone)]
pub(super) struct Mannered<S> {
    inner: S,
    manners: Manners,
}

impl<S, A, B> Service<Request<A>> for Mannered<S>
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
        let turn = self.manners.turn(request.uri());
        let answer = self.inner.call(request);
        Box::pin(async move {
            if let Some(turn) = turn {
                sleep_until(turn).await;
            }
            let late = |_| BoxError::from("the API server did not answer in time");
            let answer = timeout(REQUEST_TIMEOUT, answer).await.map_err(late)??;
            Ok(worded(answer.map(Body::new)))
        })
    }
}

impl Manners {
    /// When a watch may begin.
    fn turn(&self, uri: &Uri) -> Option<Instant> {
        let mut pairs = uri.query().unwrap_or_default().split('&');
        if !pairs.any(|pair| pair == "watch=true") {
            return None;
        }
        let now = Instant::now();
        let mut watches = self.watches.lock().unwrap_or_else(PoisonError::into_inner);
        let last = watches.get(uri.path());
        let turn = last.map_or(now, |last| now.max(*last + WATCH_PAUSE));
        watches.insert(uri.path().to_owned(), turn);
        Some(turn)
    }
}

/// A 429 whose header says how long, with a Status that says it.
fn worded(answer: Response<Body>) -> Response<Body> {
    let seconds = answer.headers().get(RETRY_AFTER);
    let seconds = seconds.and_then(|seconds| seconds.to_str().ok()?.parse::<u32>().ok());
    let Some(seconds) = seconds.filter(|_| answer.status() == StatusCode::TOO_MANY_REQUESTS) else {
        return answer;
    };
    answer.map(|_| {
        let status = json!({
            "kind": "Status",
            "apiVersion": "v1",
            "status": "Failure",
            "message": "too many requests",
            "reason": "TooManyRequests",
            "details": { "retryAfterSeconds": seconds },
            "code": 429,
        });
        Body::from(status.to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::{pending, ready};
    use tower::{ServiceExt, service_fn};

    fn request(path: &str) -> Request<()> {
        Request::get(path).body(()).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn patience_ends() {
        let silent = service_fn(|_: Request<()>| pending::<Result<Response<Body>, BoxError>>());
        let begun = Instant::now();
        let answer = Manners::default()
            .layer(silent)
            .oneshot(request("/api/v1/pods"));
        answer.await.unwrap_err();
        assert_eq!(begun.elapsed(), REQUEST_TIMEOUT);
    }

    #[tokio::test]
    async fn what_the_header_asks_is_in_the_status() {
        let busy = service_fn(|_: Request<()>| {
            let answer = Response::builder().status(429).header(RETRY_AFTER, "7");
            ready(Ok::<_, BoxError>(
                answer.body(Body::from("Too many")).unwrap(),
            ))
        });
        let answer = Manners::default()
            .layer(busy)
            .oneshot(request("/api/v1/pods"));
        let body = answer.await.unwrap().into_body();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let status: kube::core::Status = serde_json::from_slice(&body).unwrap();
        assert_eq!(
            super::super::retry_after(&status),
            Some(Duration::from_secs(7))
        );
        assert_eq!(status.code, 429);
    }

    #[tokio::test(start_paused = true)]
    async fn a_watch_that_ends_at_once_begins_once_a_second() {
        let short =
            service_fn(|_: Request<()>| ready(Ok::<_, BoxError>(Response::new(Body::empty()))));
        let service = Manners::default().layer(short);
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

//! What a process sends, before anything has become of it.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use axum::body::{Body, Bytes};
use futures::stream;
use http::{Request, Response};
use tokio::{
    sync::{Notify, mpsc, oneshot},
    time::Instant,
};
use tower::{BoxError, Service};

/// Where the answer to a request goes.
pub type Responder = oneshot::Sender<Result<Response<Body>, BoxError>>;

/// Where the rest of an answer goes.
pub type BodySender = mpsc::UnboundedSender<Result<Bytes, BoxError>>;

/// A request that a process has sent.
#[derive(Debug)]
pub struct Sent {
    /// The request.
    pub request: Request<Vec<u8>>,
    /// When, by the clock of the process.
    pub at: Duration,
    /// Where the answer goes.
    pub responder: Responder,
}

/// The end of the wire within a process: the service behind its clients.
#[derive(Debug, Clone)]
pub struct Wire {
    sent: Arc<Mutex<Vec<Sent>>>,
    has_sent: Arc<Notify>,
    started: Instant,
}

impl Wire {
    /// The wire of a process that starts at this moment of its own clock.
    pub fn new(started: Instant) -> Self {
        Self {
            sent: Arc::default(),
            has_sent: Arc::default(),
            started,
        }
    }

    /// What was sent since the last time.
    pub fn take(&self) -> Vec<Sent> {
        std::mem::take(&mut *self.sent.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits until something is sent.
    pub async fn sent(&self) {
        self.has_sent.notified().await;
    }
}

impl Service<Request<kube::client::Body>> for Wire {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<kube::client::Body>) -> Self::Future {
        let wire = self.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let body = body.collect_bytes().await?.to_vec();
            let (responder, answer) = oneshot::channel();
            let sent = Sent {
                request: Request::from_parts(parts, body),
                at: wire.started.elapsed(),
                responder,
            };
            wire.sent
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(sent);
            wire.has_sent.notify_one();
            answer.await.map_err(|_| broken())?
        })
    }
}

/// A connection that breaks.
pub fn broken() -> BoxError {
    let reset = std::io::ErrorKind::ConnectionReset;
    std::io::Error::new(reset, "connection reset by peer").into()
}

/// A body that comes in parts, and where the parts go.
pub fn parts() -> (BodySender, Body) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let body = stream::unfold(receiver, |mut receiver: mpsc::UnboundedReceiver<_>| async {
        let part = receiver.recv().await?;
        Some((part, receiver))
    });
    (sender, Body::from_stream(body))
}

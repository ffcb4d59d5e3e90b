//! Bad days between a program and the API server, on demand; and what was asked meanwhile.
//!
//! A test says which requests meet with what: `proxy.next(2, "create workloads", Fault::Status(429))`,
//! or, for as long as it keeps what it gets back, `proxy.all("list *", Fault::Cut)`. Everything else
//! goes through as it is, watches as they stream.
//!
//! | part | job |
//! |---|---|
//! | [`Asked`] | a request, as RBAC would call it |
//! | [`Fault`] | what it meets with instead of, or before, an answer |
//! | [`Break`] | what becomes of watches that are under way |

mod asked;
mod fault;
mod kubeconfig;
mod streams;

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody, to_bytes};
use axum::response::Response;
use axum_server::Handle;
use http::{Request, StatusCode};
use kube::Client;
use tokio::time::sleep;
use tower::{BoxError, Service};

pub use self::asked::Asked;
pub use self::fault::{Fault, Storm};
use self::fault::{Outcome, Rules};
use self::streams::Streams;
pub use self::streams::{Break, Hold};
use crate::certificate::Certificate;
use crate::{Error, Testbed, User};

/// No object is larger.
const LARGEST: usize = 16 * 1024 * 1024;

/// A proxy that listens. It ends when this is dropped.
#[derive(Debug)]
pub struct Proxy {
    kubeconfig: PathBuf,
    shared: Arc<Shared>,
    handle: Handle<SocketAddr>,
}

#[derive(Debug)]
struct Shared {
    upstream: Upstream,
    asked: Mutex<Vec<Asked>>,
    rules: Rules,
    streams: Streams,
}

impl Proxy {
    /// Starts one in front of the testbed's API server, for this user.
    ///
    /// # Errors
    /// When nothing can listen.
    pub async fn start(testbed: &Testbed, user: User) -> Result<Self, Error> {
        Self::start_as(testbed, user, None).await
    }

    /// The same for an account of any name, which has the grants that a test gives it.
    ///
    /// # Errors
    /// When nothing can listen.
    pub async fn of_account(testbed: &Testbed, name: &str) -> Result<Self, Error> {
        Self::start_as(testbed, User::Admin, Some(name)).await
    }

    async fn start_as(testbed: &Testbed, user: User, name: Option<&str>) -> Result<Self, Error> {
        static STARTED: AtomicUsize = AtomicUsize::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let failed = |error: std::io::Error| Error::new(format!("a proxy: {error}"));

        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let certificate = Certificate::new(address.ip())?;
        let authority = certificate.pem.clone();
        let tls = certificate.server()?;

        let stem = testbed
            .folder()
            .join(format!("proxy-{}-{number}", std::process::id()));
        let kubeconfig = kubeconfig::write(testbed, user, name, &stem, address, &authority)?;
        let shared = Arc::new(Shared {
            upstream: Upstream::of(testbed).await?,
            asked: Mutex::default(),
            rules: Rules::default(),
            streams: Streams::default(),
        });
        let handle = Handle::new();
        let server = axum_server::from_tcp_rustls(listener, tls)
            .map_err(failed)?
            .handle(handle.clone())
            .serve(Door(shared.clone()));
        tokio::spawn(server);
        Ok(Self {
            kubeconfig,
            shared,
            handle,
        })
    }

    /// The kubeconfig that leads here.
    #[must_use]
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// The next so many of these requests meet with this. `what` is a verb, a resource, and perhaps a
    /// name, `*` at the end of each standing for anything: `patch workloads/status cart-*`.
    pub fn next(&self, times: usize, what: &str, fault: Fault) {
        self.shared.rules.add(what, fault, Some(times));
    }

    /// All of them do, until what is returned is dropped.
    pub fn all(&self, what: &str, fault: Fault) -> Storm {
        self.shared.rules.storm(what, fault)
    }

    /// This becomes of the watches of a resource that are under way (`*`: of all).
    pub fn break_watches(&self, resource: &str, how: Break) {
        self.shared.streams.break_off(resource, how);
    }

    /// Watches of a resource say nothing more, until what is returned is dropped.
    pub fn hold_watches(&self, resource: &str) -> Hold {
        self.shared.streams.hold(resource)
    }

    /// All that was asked.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        self.shared.asked().clone()
    }

    /// Which of it is this; as in [`next`](Self::next).
    #[must_use]
    pub fn asked_to(&self, what: &str) -> Vec<Asked> {
        let asked = self.asked().into_iter();
        asked.filter(|asked| asked.is(what)).collect()
    }

    /// What of it changes Workloads, or tries to.
    #[must_use]
    pub fn writes(&self) -> Vec<Asked> {
        let asked = self.asked().into_iter();
        asked.filter(Asked::writes_workloads).collect()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.handle.shutdown();
    }
}

impl Shared {
    fn asked(&self) -> MutexGuard<'_, Vec<Asked>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An error here closes the connection without an answer.
    async fn pass(self: Arc<Self>, request: Request<Body>) -> Result<Response, BoxError> {
        let (head, body) = request.into_parts();
        let body = to_bytes(body, LARGEST).await?;
        let asked = Asked::of(&head.method, &head.uri, &body);
        let place = {
            let mut all = self.asked();
            all.push(asked.clone());
            all.len() - 1
        };
        let outcome = match self.rules.meet(&asked) {
            None => Outcome::Forward,
            Some(fault) => fault.befall(&asked).await?,
        };
        if let Outcome::Answer(answer) = outcome {
            return Ok(answer);
        }
        let response = self.upstream.ask(Request::from_parts(head, body)).await?;
        if let Some(asked) = self.asked().get_mut(place) {
            asked.answer = Some(response.status().as_u16());
        }
        match outcome {
            Outcome::LoseAnswer => return Err("the answer is lost".into()),
            Outcome::DelayAnswer(time) => sleep(time).await,
            Outcome::Forward | Outcome::Answer(_) => {}
        }
        if asked.verb == "watch" && response.status() == StatusCode::OK {
            return Ok(self.streams.through(&asked.resource, response));
        }
        Ok(response)
    }
}

/// The API server, asked with whatever credentials a request carries.
#[derive(Clone)]
struct Upstream(Client);

impl std::fmt::Debug for Upstream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Upstream")
    }
}

impl Upstream {
    async fn of(testbed: &Testbed) -> Result<Self, Error> {
        let mut config = testbed.config(User::Admin).await?;
        config.auth_info = kube::config::AuthInfo::default();
        config.default_retry = false;
        Ok(Self(Client::try_from(config)?))
    }

    async fn ask(&self, request: Request<Bytes>) -> Result<Response, BoxError> {
        let (mut head, body) = request.into_parts();
        // Those are of the connection to us.
        head.headers.remove(http::header::HOST);
        head.uri = head
            .uri
            .path_and_query()
            .map_or("/", |path| path.as_str())
            .parse()?;
        let request = Request::from_parts(head, kube::client::Body::from(body));
        let response = self.0.send(request).await?;
        Ok(response.map(Body::new))
    }
}

/// Lets each connection in, and each request.
#[derive(Clone)]
struct Door(Arc<Shared>);

impl Service<SocketAddr> for Door {
    type Response = Passage;
    type Error = Infallible;
    type Future = Ready<Result<Passage, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: SocketAddr) -> Self::Future {
        ready(Ok(Passage(self.0.clone())))
    }
}

#[derive(Clone)]
struct Passage(Arc<Shared>);

impl<B> Service<Request<B>> for Passage
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        Box::pin(self.0.clone().pass(request.map(Body::new)))
    }
}

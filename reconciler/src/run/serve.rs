//! `/metrics`, `/livez` and `/readyz`.

use std::{
    collections::BTreeSet,
    future::{Future, IntoFuture},
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Router, extract::State, http::StatusCode, http::header, response::IntoResponse, routing::get,
};
use clap::Args;
use tokio::net::TcpListener;

use super::metrics::Metrics;
use crate::client::Failure;

/// OpenMetrics' text form.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Where it is served.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Metrics and health")]
pub struct Options {
    /// Where /metrics, /livez and /readyz are served.
    #[arg(
        long,
        env = "KUMA_WORKLOAD_METRICS_ADDR",
        default_value = "0.0.0.0:8080",
        value_name = "ADDRESS"
    )]
    pub metrics_addr: SocketAddr,
    /// Also serve the metric kuma_workload_proxies: four time series or so for each Workload.
    #[arg(long, env = "KUMA_WORKLOAD_METRICS_PROXIES")]
    pub metrics_proxies: bool,
}

/// Why something is not well: one line each, of which anybody may add and remove his own.
#[derive(Debug, Clone, Default)]
pub struct Reasons(Arc<Mutex<BTreeSet<String>>>);

impl Reasons {
    /// Adds one: `the first list of dataplanes.kuma.io`.
    pub fn add(&self, reason: impl Into<String>) {
        self.lock().insert(reason.into());
    }

    /// Removes one.
    pub fn remove(&self, reason: &str) {
        self.lock().remove(reason);
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    fn lines(&self) -> String {
        self.lock()
            .iter()
            .map(|reason| format!("{reason}\n"))
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is served.
#[derive(Debug, Clone)]
pub struct Pages {
    /// Of `/metrics`.
    pub metrics: Arc<Metrics>,
    /// Why `/livez` says no: what cannot mend itself.
    pub dead: Reasons,
    /// Why `/readyz` says no: what is waited for. A standby is ready.
    pub waits: Reasons,
}

/// A server that has its address.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
}

impl Server {
    /// Takes the address.
    ///
    /// # Errors
    /// When it cannot be had.
    pub async fn bind(options: &Options) -> Result<Self, Failure> {
        let wanted = options.metrics_addr;
        let failure =
            |error| Failure::new(format!("cannot listen on --metrics-addr {wanted}: {error}"));
        let listener = TcpListener::bind(wanted).await.map_err(failure)?;
        let address = listener.local_addr().map_err(failure)?;
        Ok(Self { listener, address })
    }

    /// The address, with the port that it was given for port 0.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop` resolves and the answers under way are given.
    ///
    /// # Errors
    /// When the listener fails.
    pub async fn serve(
        self,
        pages: Pages,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), Failure> {
        axum::serve(self.listener, router(pages))
            .with_graceful_shutdown(stop)
            .into_future()
            .await
            .map_err(|error| Failure::new(format!("cannot serve on {}: {error}", self.address)))
    }
}

fn router(pages: Pages) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .with_state(pages)
}

async fn metrics(State(pages): State<Pages>) -> impl IntoResponse {
    (
        [(header::CONTENT_TYPE, OPEN_METRICS)],
        pages.metrics.encode(),
    )
}

async fn livez(State(pages): State<Pages>) -> impl IntoResponse {
    health(&pages.dead)
}

async fn readyz(State(pages): State<Pages>) -> impl IntoResponse {
    health(&pages.waits)
}

fn health(reasons: &Reasons) -> (StatusCode, String) {
    match reasons.lines() {
        lines if lines.is_empty() => (StatusCode::OK, "ok\n".to_owned()),
        lines => (StatusCode::SERVICE_UNAVAILABLE, lines),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::{Body, to_bytes};
    use http::Request;
    use rstest::rstest;
    use tokio::sync::oneshot;
    use tower::ServiceExt;

    fn pages() -> Pages {
        Pages {
            metrics: Arc::new(Metrics::new()),
            dead: Reasons::default(),
            waits: Reasons::default(),
        }
    }

    fn local() -> Options {
        Options {
            metrics_addr: ([127, 0, 0, 1], 0).into(),
            metrics_proxies: false,
        }
    }

    async fn ask(pages: Pages, path: &str) -> (u16, String) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let answer = router(pages).oneshot(request).await.unwrap();
        let code = answer.status().as_u16();
        let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        (code, String::from_utf8(body.to_vec()).unwrap())
    }

    #[rstest]
    #[case::well(&[], &[], "/readyz", 200, "ok\n")]
    #[case::live(&[], &[], "/livez", 200, "ok\n")]
    #[case::alive_though_it_waits(&[], &["the lease"], "/livez", 200, "ok\n")]
    #[case::waits(&[], &["workloads", "dataplanes"], "/readyz", 503, "dataplanes\nworkloads\n")]
    #[case::dead(&["the writer has ended"], &[], "/livez", 503, "the writer has ended\n")]
    #[tokio::test]
    async fn health_is_told(
        #[case] dead: &[&str],
        #[case] waits: &[&str],
        #[case] path: &str,
        #[case] code: u16,
        #[case] body: &str,
    ) {
        let pages = pages();
        dead.iter().for_each(|reason| pages.dead.add(*reason));
        waits.iter().for_each(|reason| pages.waits.add(*reason));
        assert_eq!(ask(pages, path).await, (code, body.to_owned()));
    }

    #[tokio::test]
    async fn what_has_come_is_waited_for_no_more() {
        let pages = pages();
        pages.waits.add("dataplanes");
        pages.waits.remove("dataplanes");
        assert_eq!(ask(pages, "/readyz").await.0, 200);
    }

    #[tokio::test]
    async fn metrics_are_served_until_it_is_stopped() {
        let server = Server::bind(&local()).await.unwrap();
        let address = server.address();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(server.serve(pages(), async {
            stopped.await.ok();
        }));
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let request = b"GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
        tokio::io::AsyncWriteExt::write_all(&mut stream, request)
            .await
            .unwrap();
        let mut answer = String::new();
        tokio::io::AsyncReadExt::read_to_string(&mut stream, &mut answer)
            .await
            .unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(answer.contains(OPEN_METRICS), "{answer}");
        assert!(answer.contains("kuma_workload_leader 0"), "{answer}");
        stop.send(()).unwrap();
        serving.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_taken_address_is_one_sentence() {
        let first = Server::bind(&local()).await.unwrap();
        let options = Options {
            metrics_addr: first.address(),
            ..local()
        };
        let failure = Server::bind(&options).await.unwrap_err().to_string();
        let expected = format!(
            "cannot listen on --metrics-addr {}: Address already in use",
            first.address()
        );
        assert!(failure.starts_with(&expected), "{failure}");
    }
}

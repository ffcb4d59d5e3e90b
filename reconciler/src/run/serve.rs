//! `/metrics`, `/livez` and `/readyz`.

use std::{
    future::{Future, IntoFuture},
    net::SocketAddr,
    sync::Arc,
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
#[group(id = "serve")]
pub struct Options {
    /// Where /metrics, /livez and /readyz are served.
    #[arg(
        long,
        env = "KUMA_WORKLOAD_METRICS_ADDR",
        default_value = "0.0.0.0:8080",
        value_name = "ADDRESS"
    )]
    pub metrics_addr: SocketAddr,
    /// Also serve the metric kuma_workload_proxies: three time series for each Workload and mesh.
    #[arg(long, env = "KUMA_WORKLOAD_METRICS_PROXIES")]
    pub metrics_proxies: bool,
}

/// What is served.
#[derive(Clone)]
pub struct Pages {
    /// Of `/metrics`.
    pub metrics: Arc<Metrics>,
    /// Brings the metrics up to date that are only looked at when they are asked for.
    pub refresh: Arc<dyn Fn() + Send + Sync>,
    /// What `/readyz` waits for, a line each. A standby is ready.
    pub waits_for: Arc<dyn Fn() -> Vec<String> + Send + Sync>,
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
    (pages.refresh)();
    (
        [(header::CONTENT_TYPE, OPEN_METRICS)],
        pages.metrics.encode(),
    )
}

/// Whoever answers is alive: a part that cannot go on ends the process.
async fn livez() -> &'static str {
    "ok\n"
}

async fn readyz(State(pages): State<Pages>) -> (StatusCode, String) {
    match (pages.waits_for)() {
        lines if lines.is_empty() => (StatusCode::OK, "ok\n".to_owned()),
        lines => (StatusCode::SERVICE_UNAVAILABLE, lines.join("\n") + "\n"),
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

    fn pages(waits_for: &[&str]) -> Pages {
        let lines: Vec<_> = waits_for.iter().map(|line| (*line).to_owned()).collect();
        let metrics = Arc::new(Metrics::new());
        let counted = metrics.clone();
        Pages {
            metrics,
            refresh: Arc::new(move || counted.queue_depth(7)),
            waits_for: Arc::new(move || lines.clone()),
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
    #[case::well(&[], "/readyz", 200, "ok\n")]
    #[case::live(&[], "/livez", 200, "ok\n")]
    #[case::alive_though_it_waits(&["the lease"], "/livez", 200, "ok\n")]
    #[case::waits(&["dataplanes", "workloads"], "/readyz", 503, "dataplanes\nworkloads\n")]
    #[tokio::test]
    async fn health_is_told(
        #[case] waits_for: &[&str],
        #[case] path: &str,
        #[case] code: u16,
        #[case] body: &str,
    ) {
        let answer = ask(pages(waits_for), path).await;
        assert_eq!(answer, (code, body.to_owned()));
    }

    #[tokio::test]
    async fn metrics_are_served_until_it_is_stopped() {
        let server = Server::bind(&local()).await.unwrap();
        let address = server.address();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(server.serve(pages(&[]), async {
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
        assert!(
            answer.contains("kuma_workload_workqueue_depth 7"),
            "{answer}"
        );
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

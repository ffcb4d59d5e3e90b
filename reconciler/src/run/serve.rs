//! The server of pages, and the pages `/metrics`, `/livez` and `/readyz`.

mod connections;

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router, extract::State, http::StatusCode, http::header, response::IntoResponse, routing::get,
    serve::Listener,
};
use futures::future::BoxFuture;
use tokio::net::TcpListener;

use self::connections::{Bounds, Connections};
use super::{listener::listen, metrics::Metrics};
use crate::client::Failure;

/// The content type of OpenMetrics' text format.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What is served.
#[derive(Clone)]
pub(super) struct Pages {
    /// The metrics of `/metrics`.
    pub(super) metrics: Arc<Metrics>,
    /// Updates the metrics that are read off for each scrape.
    pub(super) refresh: Arc<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>,
    /// What `/readyz` waits for, one line each. A standby replica is ready.
    pub(super) pending: Arc<dyn Fn() -> Vec<String> + Send + Sync>,
}

/// A server with a bound address.
#[derive(Debug)]
pub(super) struct PageServer {
    listener: TcpListener,
}

impl PageServer {
    /// Binds an address, which this flag names.
    ///
    /// # Errors
    /// When it cannot be bound.
    pub(super) fn bind(flag: &str, address: SocketAddr) -> Result<Self, Failure> {
        let failure = |error| Failure::new(format!("cannot listen on {flag} {address}: {error}"));
        let listener = listen(address).map_err(failure)?;
        Ok(Self { listener })
    }

    /// Serves these pages for as long as the process runs.
    pub(super) async fn serve(mut self, pages: Router) {
        let mut connections = Connections::new(Bounds::default());
        loop {
            // Where the process has no descriptor left, this tries again after a second.
            let (stream, _) = Listener::accept(&mut self.listener).await;
            connections.add(stream, pages.clone());
        }
    }
}

impl Pages {
    /// The paths of the pages.
    pub(super) fn router(self) -> Router {
        Router::new()
            .route("/metrics", get(metrics))
            .route("/livez", get(livez))
            .route("/readyz", get(readyz))
            .with_state(self)
    }
}

async fn metrics(State(pages): State<Pages>) -> impl IntoResponse {
    (pages.refresh)().await;
    // A large page takes longer to write than the other tasks should wait.
    let encoding = tokio::task::spawn_blocking(move || pages.metrics.encode());
    match encoding.await {
        Ok(page) => ([(header::CONTENT_TYPE, OPEN_METRICS)], page).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// The process is alive if it answers: a task that cannot continue ends the process.
async fn livez() -> &'static str {
    "ok\n"
}

async fn readyz(State(pages): State<Pages>) -> (StatusCode, String) {
    match (pages.pending)() {
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
    use tower::ServiceExt;

    fn pages(pending: &[&str]) -> Pages {
        let lines: Vec<_> = pending.iter().map(|line| (*line).to_owned()).collect();
        let metrics = Arc::new(Metrics::default());
        let counted = metrics.clone();
        Pages {
            metrics,
            refresh: Arc::new(move || {
                counted.queue_depth(7);
                Box::pin(async {})
            }),
            pending: Arc::new(move || lines.clone()),
        }
    }

    fn local() -> SocketAddr {
        ([127, 0, 0, 1], 0).into()
    }

    async fn ask(pages: Pages, path: &str) -> (u16, String) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let answer = pages.router().oneshot(request).await.unwrap();
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
        #[case] pending: &[&str],
        #[case] path: &str,
        #[case] code: u16,
        #[case] body: &str,
    ) {
        let answer = ask(pages(pending), path).await;
        assert_eq!(answer, (code, body.to_owned()));
    }

    #[tokio::test]
    async fn metrics_are_served() {
        let server = PageServer::bind("--metrics-addr", local()).unwrap();
        let address = server.listener.local_addr().unwrap();
        let serving = tokio::spawn(server.serve(pages(&[]).router()));
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
        serving.abort();
    }

    #[tokio::test]
    async fn a_taken_address_is_one_sentence() {
        let first = PageServer::bind("--metrics-addr", local()).unwrap();
        let address = first.listener.local_addr().unwrap();
        let failure = PageServer::bind("--metrics-addr", address)
            .unwrap_err()
            .to_string();
        let expected = format!("cannot listen on --metrics-addr {address}: Address already in use");
        assert!(failure.starts_with(&expected), "{failure}");
    }
}

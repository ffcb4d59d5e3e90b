//! The open connections of a server of pages. Whoever can reach it can open as many as they like and send
//! nothing: they must not take the process's descriptors, nor keep a probe from its answer.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use axum::Router;
use http::Request;
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{net::TcpStream, task::JoinHandle};
use tower::{Service, ServiceExt};

/// What connections may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// So many may be open.
    pub(super) open: usize,
    /// For so long, one may wait for the headers of its first request, or of the next: one that is idle
    /// is closed then, too.
    pub(super) headers: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            open: 128,
            headers: Duration::from_secs(10),
        }
    }
}

/// The open connections.
#[derive(Debug)]
pub(super) struct Connections {
    bounds: Bounds,
    open: Vec<Connection>,
    /// Counts what happens to all of them: connections and requests.
    clock: Arc<AtomicU64>,
}

#[derive(Debug)]
struct Connection {
    task: JoinHandle<()>,
    /// When it was opened, or its last request began.
    used: Arc<AtomicU64>,
}

impl Connections {
    /// None yet.
    pub(super) fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            open: Vec::new(),
            clock: Arc::default(),
        }
    }

    /// Serves these pages on another connection. If too many are open, the one that was not used for the
    /// longest time is closed for it: not even one that reads its answer slowly, or never, stays for ever.
    pub(super) fn add(&mut self, stream: TcpStream, pages: Router) {
        self.open.retain(|open| !open.task.is_finished());
        while self.open.len() >= self.bounds.open.max(1) {
            let used = |(_, open): &(usize, &Connection)| open.used.load(Relaxed);
            let Some((oldest, _)) = self.open.iter().enumerate().min_by_key(used) else {
                break;
            };
            self.open.swap_remove(oldest).task.abort();
        }
        let clock = self.clock.clone();
        let tick = move || clock.fetch_add(1, Relaxed);
        let used = Arc::new(AtomicU64::new(tick()));
        let last_use = used.clone();
        let pages = pages.map_request(move |request: Request<Incoming>| {
            last_use.store(tick(), Relaxed);
            request
        });
        let task = tokio::spawn(serve(stream, pages, self.bounds.headers));
        self.open.push(Connection { task, used });
    }
}

/// Serves one connection until it ends. How it ends is the client's affair.
async fn serve<S>(stream: TcpStream, pages: S, headers: Duration)
where
    S: Service<Request<Incoming>, Response = axum::response::Response> + Clone + Send + 'static,
    S::Error: Into<tower::BoxError>,
    S::Future: Send,
{
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(headers)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(pages));
    if let Err(error) = connection.await {
        tracing::debug!("a connection to the pages has failed: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;
    use rstest::rstest;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    const REQUEST: &[u8] = b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n";

    /// A server with these bounds, and a way to open connections to it.
    struct Server {
        listener: TcpListener,
        connections: Connections,
    }

    impl Server {
        async fn new(open: usize) -> Self {
            let bounds = Bounds {
                open,
                ..Bounds::default()
            };
            Self {
                listener: TcpListener::bind("127.0.0.1:0").await.unwrap(),
                connections: Connections::new(bounds),
            }
        }

        /// Opens a connection, and sends this.
        async fn connect(&mut self, sent: &[u8]) -> TcpStream {
            // More than the buffers of a connection hold.
            let large = "x".repeat(16 << 20);
            let pages = Router::new()
                .route("/livez", get(async || "ok\n"))
                .route("/large", get(async || large));
            let address = self.listener.local_addr().unwrap();
            let mut client = TcpStream::connect(address).await.unwrap();
            let (stream, _) = self.listener.accept().await.unwrap();
            self.connections.add(stream, pages);
            client.write_all(sent).await.unwrap();
            client
        }
    }

    async fn answer(client: &mut TcpStream) -> String {
        let mut buffer = [0; 1024];
        let read = client.read(&mut buffer).await.unwrap();
        String::from_utf8_lossy(&buffer[..read]).into_owned()
    }

    /// Whether the server has closed it, after what it may still have sent.
    async fn is_closed(client: &mut TcpStream) -> bool {
        let mut rest = Vec::new();
        let end = client.read_to_end(&mut rest);
        tokio::time::timeout(Duration::from_secs(2), end)
            .await
            .is_ok()
    }

    #[rstest]
    #[case::nothing_sent(b"", false)]
    #[case::half_a_request(b"GET /livez HTTP/1.1\r\n", false)]
    #[case::idle_after_a_request(REQUEST, true)]
    #[tokio::test(start_paused = true)]
    async fn one_that_sends_no_headers_is_closed(#[case] sent: &[u8], #[case] answered: bool) {
        let mut server = Server::new(128).await;
        let mut client = server.connect(sent).await;
        if answered {
            assert!(answer(&mut client).await.starts_with("HTTP/1.1 200"));
        }
        let begun = tokio::time::Instant::now();
        let mut rest = String::new();
        let _ = client.read_to_string(&mut rest).await;
        let waited = begun.elapsed().as_secs_f64();
        assert!((9.0..11.0).contains(&waited), "{waited}");
    }

    #[rstest]
    #[case::nothing_sent(b"")]
    #[case::half_a_request(b"GET /livez HTTP/1.1\r\n")]
    #[case::idle_after_a_request(REQUEST)]
    #[case::an_answer_that_nobody_reads(b"GET /large HTTP/1.1\r\nhost: x\r\n\r\n")]
    #[tokio::test]
    async fn however_many_there_are_a_probe_is_answered(#[case] sent: &[u8]) {
        let mut server = Server::new(8).await;
        let mut others = Vec::new();
        for _ in 0..50 {
            others.push(server.connect(sent).await);
        }
        let mut probe = server.connect(REQUEST).await;
        assert!(answer(&mut probe).await.starts_with("HTTP/1.1 200"));
        assert_eq!(server.connections.open.len(), 8);
        assert!(is_closed(&mut others[0]).await);
    }

    #[tokio::test]
    async fn the_one_that_was_not_used_for_longest_is_closed() {
        let mut server = Server::new(2).await;
        let mut first = server.connect(REQUEST).await;
        answer(&mut first).await;
        let mut second = server.connect(REQUEST).await;
        answer(&mut second).await;
        first.write_all(REQUEST).await.unwrap();
        answer(&mut first).await;
        let mut third = server.connect(REQUEST).await;
        answer(&mut third).await;
        assert!(is_closed(&mut second).await);
        first.write_all(REQUEST).await.unwrap();
        assert!(answer(&mut first).await.starts_with("HTTP/1.1 200"));
    }

    /// What has ended by itself takes no place.
    #[tokio::test]
    async fn one_that_has_ended_is_not_counted() {
        let mut server = Server::new(8).await;
        for _ in 0..4 {
            let mut client = server.connect(b"nonsense\r\n\r\n").await;
            assert!(is_closed(&mut client).await);
        }
        tokio::task::yield_now().await;
        server.connect(REQUEST).await;
        assert!(server.connections.open.len() <= 2);
    }
}

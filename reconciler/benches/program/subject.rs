//! The program that is measured.

use std::{
    fs::{self, File},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command},
    sync::Mutex,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::sleep,
};

use crate::{
    process,
    server::{FakeApiServer, LEASE_NAMESPACE},
};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(600);
/// How often it is asked whether it is done.
const PAUSE: Duration = Duration::from_millis(250);

/// `kuma-workload run`. It ends when this is dropped.
pub(crate) struct Subject {
    child: Child,
    address: String,
    log: PathBuf,
    started: Instant,
    scrapes: Mutex<Vec<Duration>>,
}

impl Subject {
    /// Starts it, in these namespaces (all, if there is none).
    pub(crate) fn start(program: &Path, server: &FakeApiServer, namespaces: &str) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap().to_string();
        drop(free);
        let log = server.log();
        let mut command = Command::new(program);
        command
            .args(["run", "--metrics-addr", &address])
            .args(["--lease-namespace", LEASE_NAMESPACE])
            .env("KUBECONFIG", server.kubeconfig())
            .env("NO_PROXY", "127.0.0.1")
            .stderr(File::create(&log).unwrap());
        if !namespaces.is_empty() {
            command.env("KUMA_WORKLOAD_NAMESPACE", namespaces);
        }
        Self {
            child: command.spawn().unwrap(),
            address,
            log,
            started: Instant::now(),
            scrapes: Mutex::default(),
        }
    }

    /// How long ago it was started.
    pub(crate) fn age(&self) -> Duration {
        self.started.elapsed()
    }

    /// Its CPU time so far.
    pub(crate) fn cpu(&self) -> Duration {
        process::cpu(&self.child.id().to_string())
    }

    /// What was resident at most, in megabytes.
    pub(crate) fn peak(&self) -> f64 {
        process::megabytes(&self.child.id().to_string(), "VmHWM")
    }

    /// How many lines it has logged.
    pub(crate) fn log_lines(&self) -> usize {
        fs::read_to_string(&self.log).unwrap().lines().count()
    }

    /// The lines after the first so many.
    pub(crate) fn log_since(&self, lines: usize) -> String {
        let log = fs::read_to_string(&self.log).unwrap();
        log.lines()
            .skip(lines)
            .map(|line| format!("        {line}\n"))
            .collect()
    }

    /// Its metrics. How long that takes is kept.
    pub(crate) async fn metrics(&self) -> MetricsPage {
        let began = Instant::now();
        let page = self.get("/metrics").await.unwrap_or_default();
        self.scrapes.lock().unwrap().push(began.elapsed());
        MetricsPage(page)
    }

    /// How long the scrapes have taken so far: the median and the most, in milliseconds.
    pub(crate) fn scrapes(&self) -> (usize, [f64; 2]) {
        let mut times = self.scrapes.lock().unwrap().clone();
        times.sort_unstable();
        let millis = |time: Option<&Duration>| time.map_or(0.0, |time| time.as_secs_f64() * 1e3);
        (
            times.len(),
            [times.get(times.len() / 2), times.last()].map(millis),
        )
    }

    /// Waits until it is ready: each kind was listed once.
    pub(crate) async fn ready(&self) {
        self.until("it is ready", async || {
            self.get("/readyz")
                .await
                .is_some_and(|page| page.starts_with("HTTP/1.1 200"))
        })
        .await;
    }

    /// Waits until it leads and nothing is left to do.
    pub(crate) async fn settled(&self) {
        self.ready().await;
        self.until("nothing is left to do", async || {
            let page = self.metrics().await;
            page.value("kuma_workload_leader") == Some(1.0)
                && page.value("kuma_workload_workqueue_depth") == Some(0.0)
        })
        .await;
    }

    /// Waits until all Workloads are right.
    pub(crate) async fn whole(&self, server: &FakeApiServer) {
        self.until("all Workloads are right", async || {
            // To compare them all is work for this process.
            sleep(PAUSE * 3).await;
            let wrong = server.cluster(|cluster| cluster.wrong_workloads());
            let _ = (self.metrics().await, self.get("/readyz").await);
            wrong == 0
        })
        .await;
    }

    async fn until(&self, what: &str, is_so: impl AsyncFn() -> bool) {
        let began = Instant::now();
        while !is_so().await {
            assert!(began.elapsed() < PATIENCE, "{what}: not after {PATIENCE:?}");
            sleep(PAUSE).await;
        }
    }

    /// The whole answer; none if there is none.
    async fn get(&self, path: &str) -> Option<String> {
        let mut stream = TcpStream::connect(&self.address).await.ok()?;
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.ok()?;
        Some(answer)
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `/metrics`, as it was at a moment.
pub(crate) struct MetricsPage(String);

impl MetricsPage {
    /// The value of a metric, with its labels.
    pub(crate) fn value(&self, metric: &str) -> Option<f64> {
        let mut lines = self.0.lines();
        lines.find_map(|line| line.strip_prefix(metric)?.strip_prefix(' ')?.parse().ok())
    }

    /// The longest poll of each task, in milliseconds, the longest first.
    pub(crate) fn longest_polls(&self) -> Vec<(f64, String)> {
        let lines = self.0.lines().filter_map(|line| {
            let rest = line.strip_prefix("kuma_workload_longest_poll_seconds{task=\"")?;
            let (task, value) = rest.split_once("\"} ")?;
            Some((value.parse::<f64>().ok()? * 1e3, task.to_owned()))
        });
        let mut polls: Vec<_> = lines.collect();
        polls.sort_by(|(one, _), (other, _)| other.total_cmp(one));
        polls
    }
}

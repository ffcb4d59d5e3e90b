//! The reconciler, run as a cluster runs it: the real program, as its own ServiceAccount.

use std::env;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::Command;

use crate::{Error, Program, Testbed, User, eventually};

/// A reconciler that runs. It is killed when this is dropped.
#[derive(Debug)]
pub struct Reconciler {
    program: Program,
    address: SocketAddr,
}

impl Reconciler {
    /// Runs `kuma-workload run` with these flags, and waits until it leads. Its Lease is its own, so
    /// that several of them can share a cluster, each with namespaces of its own.
    ///
    /// # Errors
    /// When it does not start, or does not lead in time.
    pub async fn start(testbed: &Testbed, flags: &[&str]) -> Result<Self, Error> {
        Self::start_as(testbed, &testbed.kubeconfig(User::Reconciler), flags).await
    }

    /// The same with other rights.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn start_as(
        testbed: &Testbed,
        kubeconfig: &Path,
        flags: &[&str],
    ) -> Result<Self, Error> {
        let address = free_address()?;
        let mut command = Command::new(program()?);
        command
            .arg("run")
            .arg("--kubeconfig")
            .arg(kubeconfig)
            .args(["--metrics-addr", &address.to_string()])
            .args(["--lease-namespace", "kuma-workload"])
            .args(["--lease-name", &testbed.unique("lease")])
            .args(["--status-interval", "1s"])
            .args(flags);
        let reconciler = Self {
            program: testbed.spawn("kuma-workload", &mut command)?,
            address,
        };
        eventually("the reconciler leads", async || {
            let ready = reconciler.page("/readyz").await;
            let ready = ready.map_err(|error| format!("{error}\n{}", reconciler.log()))?;
            match reconciler.metric("leader").await {
                Ok(1.0) if ready.starts_with("HTTP/1.0 200") => Ok(()),
                _ => Err(format!("{ready}\n{}", reconciler.log())),
            }
        })
        .await?;
        Ok(reconciler)
    }

    /// The sum of a metric's values, `kuma_workload_` left out, over the labels that are not named:
    /// `leader`, `mode{mode="yield"}`, `reconcile_total`.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn metric(&self, name: &str) -> Result<f64, Error> {
        let page = self.page("/metrics").await?;
        let of_line = |line: &str| -> Option<f64> {
            let (series, value) = line.strip_prefix("kuma_workload_")?.rsplit_once(' ')?;
            let is_asked_for =
                series == name || series.split_once('{').is_some_and(|(stem, _)| stem == name);
            is_asked_for.then(|| value.parse().ok())?
        };
        // Not `sum`: that of nothing is -0.
        Ok(page
            .lines()
            .filter_map(of_line)
            .fold(0.0, |sum, value| sum + value))
    }

    /// Waits until its metric has this value.
    ///
    /// # Errors
    /// When it has not in time.
    pub async fn shows(&self, name: &str, value: f64) -> Result<(), Error> {
        eventually(
            &format!("the metric {name} is {value}"),
            async || match self.metric(name).await {
                Ok(seen) if (seen - value).abs() < f64::EPSILON => Ok(()),
                Ok(seen) => Err(seen.to_string()),
                Err(error) => Err(error.to_string()),
            },
        )
        .await
    }

    /// What it serves there, the head of the answer included.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn page(&self, path: &str) -> Result<String, Error> {
        let failed = |error: std::io::Error| Error::new(format!("{path}: {error}"));
        let mut stream = TcpStream::connect(self.address).await.map_err(failed)?;
        let request = format!("GET {path} HTTP/1.0\r\n\r\n");
        stream.write_all(request.as_bytes()).await.map_err(failed)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.map_err(failed)?;
        Ok(answer)
    }

    /// Its log so far.
    #[must_use]
    pub fn log(&self) -> String {
        self.program.log()
    }

    /// Sends a signal, such as `STOP` or `CONT`.
    ///
    /// # Errors
    /// When it has ended.
    pub async fn signal(&self, signal: &str) -> Result<(), Error> {
        self.program.signal(signal).await
    }
}

/// What another subcommand of the program prints.
///
/// # Errors
/// What it says on standard error, if it fails.
pub async fn run(arguments: &[&str]) -> Result<String, Error> {
    let failed = |error: std::io::Error| Error::new(format!("{arguments:?}: {error}"));
    let output = Command::new(program()?)
        .args(arguments)
        .output()
        .await
        .map_err(failed)?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(Error::new(String::from_utf8_lossy(&output.stderr)))
}

/// `KUMA_WORKLOAD_BIN`, or the program that was built beside the tests.
fn program() -> Result<PathBuf, Error> {
    if let Some(given) = env::var_os("KUMA_WORKLOAD_BIN") {
        return Ok(given.into());
    }
    let tests = env::current_exe().unwrap_or_default();
    let built = tests.ancestors().nth(2).unwrap_or(&tests);
    let program = built.join("kuma-workload");
    if program.is_file() {
        return Ok(program);
    }
    Err(Error::new(format!(
        "{} is missing: build it with `cargo build -p kuma-workload`, or name it in KUMA_WORKLOAD_BIN",
        program.display()
    )))
}

/// One at which nobody listens.
fn free_address() -> Result<SocketAddr, Error> {
    let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|free| free.local_addr());
    address.map_err(|error| Error::new(format!("no port is free: {error}")))
}

//! The reconciler, run as a cluster runs it: as its own ServiceAccount, here behind a proxy of its
//! own.

use std::env;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::ExitStatus;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::Command;

use crate::{Error, Program, Proxy, Testbed, eventually};

/// A replica that runs. It is killed when this is dropped.
#[derive(Debug)]
pub struct Replica {
    /// What is between it and the API server.
    pub proxy: Proxy,
    program: Program,
    address: SocketAddr,
}

impl Replica {
    /// Runs `kuma-workload run` behind this proxy, with these flags.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(testbed: &Testbed, proxy: Proxy, flags: &[&str]) -> Result<Self, Error> {
        let address = free_address()?;
        let mut command = Command::new(program());
        command
            .arg("run")
            .arg("--kubeconfig")
            .arg(proxy.kubeconfig())
            .args(["--metrics-addr", &address.to_string()])
            .args(flags);
        Ok(Self {
            program: testbed.spawn("kuma-workload", &mut command)?,
            proxy,
            address,
        })
    }

    /// Waits until it is ready.
    ///
    /// # Errors
    /// When it is not in time, and what it waits for.
    pub async fn ready(&self) -> Result<(), Error> {
        eventually("the replica is ready", async || {
            match self.page("/readyz").await {
                Ok((200, _)) => Ok(()),
                Ok((_, waits_for)) => Err(format!("{waits_for}\n{}", self.log())),
                Err(error) => Err(format!("{error}\n{}", self.log())),
            }
        })
        .await
    }

    /// A page that it serves: status and text.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn page(&self, path: &str) -> Result<(u16, String), Error> {
        let failed = |error: std::io::Error| Error::new(format!("{path}: {error}"));
        let mut stream = TcpStream::connect(self.address).await.map_err(failed)?;
        let request = format!("GET {path} HTTP/1.0\r\n\r\n");
        stream.write_all(request.as_bytes()).await.map_err(failed)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.map_err(failed)?;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
        Ok((status.unwrap_or_default(), body.to_owned()))
    }

    /// The value of a metric, `kuma_workload_` left out: `leader`, `mode{mode="manage"}`; 0 if it is
    /// not there.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn metric(&self, name: &str) -> Result<f64, Error> {
        let (_, page) = self.page("/metrics").await?;
        let of = |line: &str| {
            let rest = line.strip_prefix("kuma_workload_")?.strip_prefix(name)?;
            rest.strip_prefix(' ')?.parse().ok()
        };
        Ok(page.lines().find_map(of).unwrap_or_default())
    }

    /// Waits until a metric has a value.
    ///
    /// # Errors
    /// When it has not in time.
    pub async fn shows(&self, name: &str, value: f64) -> Result<(), Error> {
        eventually(&format!("{name} is {value}"), async || {
            match self.metric(name).await {
                Ok(seen) if (seen - value).abs() < f64::EPSILON => Ok(()),
                Ok(seen) => Err(format!("{seen}\n{}", self.log())),
                Err(error) => Err(error.to_string()),
            }
        })
        .await
    }

    /// Its log so far.
    #[must_use]
    pub fn log(&self) -> String {
        self.program.log()
    }

    /// Its lines that say this.
    #[must_use]
    pub fn said(&self, words: &str) -> Vec<String> {
        let log = self.log();
        let lines = log.lines().filter(|line| line.contains(words));
        lines.map(str::to_owned).collect()
    }

    /// Waits until its log says this.
    ///
    /// # Errors
    /// When it does not in time.
    pub async fn says(&self, words: &str) -> Result<(), Error> {
        eventually(&format!("the log says {words:?}"), async || {
            match self.said(words).is_empty() {
                true => Err(self.log()),
                false => Ok(()),
            }
        })
        .await
    }

    /// Sends a signal, such as `TERM`, `STOP` or `CONT`.
    ///
    /// # Errors
    /// When it has ended.
    pub async fn signal(&self, signal: &str) -> Result<(), Error> {
        self.program.signal(signal).await
    }

    /// Waits until it ends.
    ///
    /// # Errors
    /// When the system does not tell.
    pub async fn ended(&mut self) -> Result<ExitStatus, Error> {
        self.program.ended().await
    }

    /// Ends it as a crash would.
    ///
    /// # Errors
    /// When the system does not do it.
    pub async fn kill(&mut self) -> Result<(), Error> {
        self.program.kill().await
    }

    /// Its process, while it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.program.pid()
    }
}

/// The program: `KUMA_WORKLOAD_BIN`, or the one that was built beside the tests.
fn program() -> PathBuf {
    let beside = || {
        let tests = env::current_exe().unwrap_or_default();
        let built = tests.ancestors().nth(2).unwrap_or(&tests);
        built.join("kuma-workload")
    };
    env::var_os("KUMA_WORKLOAD_BIN").map_or_else(beside, PathBuf::from)
}

/// One at which nobody listens.
fn free_address() -> Result<SocketAddr, Error> {
    let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|free| free.local_addr());
    address.map_err(|error| Error::new(format!("no port is free: {error}")))
}

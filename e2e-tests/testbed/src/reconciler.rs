//! The reconciler, run as a cluster runs it: the real program, as its own ServiceAccount.

use std::env;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use tokio::process::Command;

use crate::{Error, Program, Testbed, User, eventually, page};

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
        let lease = testbed.unique("lease");
        let own = [
            "--lease-namespace=kuma-workload",
            "--lease-name",
            &lease,
            // Whoever makes its Lease leads one duration later.
            "--lease-duration=3s",
            "--lease-renew-deadline=2s",
            "--lease-retry-period=500ms",
            "--status-interval=1s",
        ];
        let flags: Vec<_> = own.iter().chain(flags).copied().collect();
        let reconciler = Self::begin(testbed, kubeconfig, &flags)?;
        reconciler.ready().await?;
        reconciler.shows("leader", 1.0).await?;
        Ok(reconciler)
    }

    /// Runs `kuma-workload run` with these flags and no others, and waits for nothing.
    ///
    /// # Errors
    /// When it does not start.
    pub fn begin(testbed: &Testbed, kubeconfig: &Path, flags: &[&str]) -> Result<Self, Error> {
        let address = free_address()?;
        let mut command = Command::new(program()?);
        command
            .arg("run")
            .arg("--kubeconfig")
            .arg(kubeconfig)
            .args(["--metrics-addr", &address.to_string()])
            .args(["--why-addr", "127.0.0.1:0"])
            .args(flags);
        Ok(Self {
            program: testbed.spawn("kuma-workload", &mut command)?,
            address,
        })
    }

    /// Waits until it is ready.
    ///
    /// # Errors
    /// When it is not in time, and what it waits for.
    pub async fn ready(&self) -> Result<(), Error> {
        eventually("the reconciler is ready", async || {
            match self.page("/readyz").await {
                Ok((200, _)) => Ok(()),
                Ok((_, waits_for)) => Err(format!("{waits_for}\n{}", self.log())),
                Err(error) => Err(format!("{error}\n{}", self.log())),
            }
        })
        .await
    }

    /// The sum of a metric's values, `kuma_workload_` left out, over the labels that are not named:
    /// `leader`, `mode{mode="yield"}`, `reconcile_total`.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn metric(&self, name: &str) -> Result<f64, Error> {
        let (_, page) = self.page("/metrics").await?;
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
                Ok(seen) => Err(format!("{seen}\n{}", self.log())),
                Err(error) => Err(error.to_string()),
            },
        )
        .await
    }

    /// Waits until its metric has this value, or more.
    ///
    /// # Errors
    /// When it has not in time.
    pub async fn reaches(&self, name: &str, value: f64) -> Result<(), Error> {
        eventually(
            &format!("the metric {name} is {value} or more"),
            async || match self.metric(name).await {
                Ok(seen) if seen >= value => Ok(()),
                Ok(seen) => Err(format!("{seen}\n{}", self.log())),
                Err(error) => Err(error.to_string()),
            },
        )
        .await
    }

    /// A page that it serves: status and text.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn page(&self, path: &str) -> Result<(u16, String), Error> {
        page::get(self.address, path).await
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

/// The program `kuma-workload`: that of `KUMA_WORKLOAD_BIN`, or the one built beside the tests.
///
/// # Errors
/// When it is not there.
pub fn program() -> Result<PathBuf, Error> {
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
///
/// # Errors
/// When no port is free.
pub fn free_address() -> Result<SocketAddr, Error> {
    let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|free| free.local_addr());
    address.map_err(|error| Error::new(format!("no port is free: {error}")))
}

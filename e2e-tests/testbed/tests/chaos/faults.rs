//! What goes wrong meanwhile: etcd, the API server and the replicas are killed and come back.

use std::collections::BTreeMap;
use std::time::Duration;

use kuma_workload_testbed::{Error, Reconciler, Server, Testbed, User};
use tokio::time::{Instant, sleep, timeout};

/// How long a replica may take to end when it is told to.
const END: Duration = Duration::from_secs(30);

/// A fault.
#[derive(Debug, Clone, Copy)]
enum Fault {
    Etcd,
    ApiServer,
    /// Both, as when their machine goes.
    Both,
    /// A replica is killed.
    Kill,
    /// A replica is told to end.
    Terminate,
    /// A replica sleeps, for longer than its Lease lasts.
    Freeze,
}

/// Each comes once before any comes again.
const ALL: [Fault; 6] = [
    Fault::Kill,
    Fault::Etcd,
    Fault::Terminate,
    Fault::ApiServer,
    Fault::Freeze,
    Fault::Both,
];

/// The replicas, and what has become of them.
pub(crate) struct Replicas<'a> {
    testbed: &'a Testbed,
    flags: Vec<String>,
    running: Vec<Reconciler>,
    pub(crate) kills: BTreeMap<&'static str, usize>,
    /// When the last fault was over.
    pub(crate) healed: Instant,
    /// What those have said that do not run any more.
    pub(crate) logs: Vec<String>,
}

impl<'a> Replicas<'a> {
    /// Starts so many.
    ///
    /// # Errors
    /// When one does not start.
    pub(crate) fn start(
        testbed: &'a Testbed,
        flags: Vec<String>,
        number: usize,
    ) -> Result<Self, Error> {
        let mut replicas = Self {
            testbed,
            flags,
            running: Vec::new(),
            kills: BTreeMap::new(),
            healed: Instant::now(),
            logs: Vec::new(),
        };
        for _ in 0..number {
            let replica = replicas.one()?;
            replicas.running.push(replica);
        }
        Ok(replicas)
    }

    fn one(&self) -> Result<Reconciler, Error> {
        let flags: Vec<_> = self.flags.iter().map(String::as_str).collect();
        Reconciler::begin(
            self.testbed,
            &self.testbed.kubeconfig(User::Reconciler),
            &flags,
        )
    }

    /// Those that run.
    pub(crate) fn running(&self) -> &[Reconciler] {
        &self.running
    }

    /// Makes things go wrong until then. After that, all runs.
    ///
    /// # Errors
    /// When something does not come back, or a replica has ended by itself.
    pub(crate) async fn break_until(&mut self, end: Instant) -> Result<(), Error> {
        let mut round = Vec::new();
        while Instant::now() < end {
            if round.is_empty() {
                round = ALL.to_vec();
                // The first round is in order, so that a short one has the worst.
                if !self.kills.is_empty() {
                    fastrand::shuffle(&mut round);
                }
                round.reverse();
            }
            if let Some(fault) = round.pop() {
                self.befall(fault).await?;
                self.healed = Instant::now();
            }
            sleep(Duration::from_millis(fastrand::u64(500..4_000))).await;
            self.assert_running().await?;
        }
        Ok(())
    }

    async fn befall(&mut self, fault: Fault) -> Result<(), Error> {
        let away = Duration::from_millis(fastrand::u64(..5_000));
        let place = fastrand::usize(..self.running.len());
        match fault {
            Fault::Etcd => self.restart(&[Server::Etcd], away).await,
            Fault::ApiServer => self.restart(&[Server::ApiServer], away).await,
            Fault::Both => self.restart(&[Server::Etcd, Server::ApiServer], away).await,
            Fault::Kill => {
                self.count("kills of a replica");
                self.running[place].kill().await?;
                self.replace(place)
            }
            Fault::Terminate => {
                self.count("terminations of a replica");
                self.running[place].signal("TERM").await?;
                let ended = timeout(END, self.running[place].ended()).await;
                match ended {
                    Ok(status) if status.as_ref().is_ok_and(std::process::ExitStatus::success) => {
                        self.replace(place)
                    }
                    other => Err(Error::new(format!(
                        "a replica that was told to end: {other:?}\n{}",
                        self.running[place].log()
                    ))),
                }
            }
            Fault::Freeze => {
                self.count("sleeps of a replica");
                self.running[place].signal("STOP").await?;
                sleep(Duration::from_secs(3) + away).await;
                self.running[place].signal("CONT").await
            }
        }
    }

    async fn restart(&mut self, servers: &[Server], away: Duration) -> Result<(), Error> {
        for server in servers {
            self.count(match server {
                Server::Etcd => "kills of etcd",
                _ => "kills of the API server",
            });
            self.testbed.stop_server(*server).await?;
        }
        sleep(away).await;
        for server in servers {
            self.testbed.start_server(*server).await?;
        }
        Ok(())
    }

    fn replace(&mut self, place: usize) -> Result<(), Error> {
        let new = self.one()?;
        let old = std::mem::replace(&mut self.running[place], new);
        self.logs.push(old.log());
        Ok(())
    }

    fn count(&mut self, what: &'static str) {
        *self.kills.entry(what).or_default() += 1;
    }

    /// None of them ends by itself, whatever happens to the servers.
    async fn assert_running(&mut self) -> Result<(), Error> {
        for replica in &mut self.running {
            if let Ok(status) = timeout(Duration::ZERO, replica.ended()).await {
                return Err(Error::new(format!(
                    "a replica has ended by itself: {status:?}\n{}",
                    replica.log()
                )));
            }
        }
        Ok(())
    }
}

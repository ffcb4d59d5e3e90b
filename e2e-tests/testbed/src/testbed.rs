//! A cluster for as long as a test run lasts.
//!
//! The scripts beside this package do the work; `hold` ends it when this process ends, even by
//! force, since it waits for the end of a pipe from here. Two variables choose another cluster:
//!
//! - `KUMA_WORKLOAD_TESTBED`: the folder of a testbed that `start` began and `stop` will end. Its logs
//!   stay to be read.
//! - `KUMA_WORKLOAD_TEST_KUBECONFIG`: an administrator's kubeconfig. Users are impersonated there, and
//!   nothing can be stopped.

use std::env;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use tokio::sync::OnceCell;

use crate::kubectl::{self, Output};
use crate::program;
use crate::{Error, Program, User, eventually};

/// The folder of the scripts.
const SCRIPTS: &str = env!("CARGO_MANIFEST_DIR");

/// A server of the testbed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {
    /// The database.
    Etcd,
    /// The API server.
    ApiServer,
    /// Kubernetes' own controllers: Namespaces, garbage, Deployments, ReplicaSets, StatefulSets, Jobs,
    /// PodDisruptionBudgets.
    ControllerManager,
    /// What gives Pods their Nodes. It runs only where a test starts it, and there are no Nodes before.
    Scheduler,
}

impl Server {
    fn name(self) -> &'static str {
        match self {
            Self::Etcd => "etcd",
            Self::ApiServer => "kube-apiserver",
            Self::ControllerManager => "kube-controller-manager",
            Self::Scheduler => "kube-scheduler",
        }
    }
}

/// A running cluster.
#[derive(Debug)]
pub struct Testbed {
    place: Place,
    kubectl: PathBuf,
    kuma: OnceCell<()>,
}

#[derive(Debug)]
enum Place {
    /// A testbed's folder, and who holds it if we do.
    Folder(PathBuf, Option<Child>),
    /// Somebody's cluster, and a folder for what is ours.
    Elsewhere(PathBuf, PathBuf),
}

impl Testbed {
    /// The cluster that all tests of this process share, started when the first one asks.
    ///
    /// # Errors
    /// When it does not start.
    pub fn shared() -> Result<&'static Self, Error> {
        static SHARED: OnceLock<Result<Testbed, Error>> = OnceLock::new();
        let shared = SHARED.get_or_init(|| {
            if let Some(folder) = env::var_os("KUMA_WORKLOAD_TESTBED") {
                Self::given(PathBuf::from(folder))
            } else if let Some(kubeconfig) = env::var_os("KUMA_WORKLOAD_TEST_KUBECONFIG") {
                Self::elsewhere(PathBuf::from(kubeconfig))
            } else {
                Self::start()
            }
        });
        shared.as_ref().map_err(Clone::clone)
    }

    /// A cluster of its own, for a test that breaks things. It ends when this is dropped.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start() -> Result<Self, Error> {
        Self::hold(false)
    }

    /// The same with nothing of `examples/` in it, where a Pod needs its ServiceAccount and gets its token:
    /// for what is going to be installed.
    ///
    /// # Errors
    /// When it does not start.
    pub fn bare() -> Result<Self, Error> {
        Self::hold(true)
    }

    fn hold(bare: bool) -> Result<Self, Error> {
        let failed = |error| Error::new(format!("the testbed does not start: {error}"));
        let mut holder = Command::new(Path::new(SCRIPTS).join("hold"))
            .env("KUMA_WORKLOAD_TESTBED_BARE", bare.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // What is for the terminal or for our process group is not for the servers.
            .process_group(0)
            .spawn()
            .map_err(failed)?;
        let mut folder = String::new();
        if let Some(output) = holder.stdout.take() {
            BufReader::new(output)
                .read_line(&mut folder)
                .map_err(failed)?;
        }
        if folder.is_empty() {
            return Err(Error::new(
                "the testbed does not start; its scripts say above why",
            ));
        }
        Ok(Self {
            place: Place::Folder(PathBuf::from(folder.trim_end()), Some(holder)),
            kubectl: kubectl()?,
            kuma: OnceCell::new(),
        })
    }

    fn given(folder: PathBuf) -> Result<Self, Error> {
        if !folder.join(User::Admin.kubeconfig()).is_file() {
            return Err(Error::new(format!(
                "KUMA_WORKLOAD_TESTBED={} is no testbed's folder; make it one with e2e-tests/testbed/start, or unset the variable",
                folder.display()
            )));
        }
        program::end_leftovers(&folder);
        Ok(Self {
            place: Place::Folder(folder, None),
            kubectl: kubectl()?,
            kuma: OnceCell::new(),
        })
    }

    fn elsewhere(kubeconfig: PathBuf) -> Result<Self, Error> {
        // Always the same one: nobody is left to remove it when the process ends.
        let folder = env::temp_dir().join("kuma-workload-testbed-elsewhere");
        std::fs::create_dir_all(&folder)
            .map_err(|error| Error::new(format!("{}: {error}", folder.display())))?;
        Ok(Self {
            place: Place::Elsewhere(kubeconfig, folder),
            kubectl: PathBuf::from("kubectl"),
            kuma: OnceCell::new(),
        })
    }

    /// Where its state is: logs, the audit log, kubeconfigs.
    #[must_use]
    pub fn folder(&self) -> &Path {
        match &self.place {
            Place::Folder(folder, _) | Place::Elsewhere(_, folder) => folder,
        }
    }

    /// The kubeconfig of a user; elsewhere, always the administrator's.
    #[must_use]
    pub fn kubeconfig(&self, user: User) -> PathBuf {
        match &self.place {
            Place::Folder(folder, _) => folder.join(user.kubeconfig()),
            Place::Elsewhere(kubeconfig, _) => kubeconfig.clone(),
        }
    }

    /// How a client reaches the API server as this user.
    ///
    /// # Errors
    /// When the kubeconfig is not one.
    pub async fn config(&self, user: User) -> Result<Config, Error> {
        let path = self.kubeconfig(user);
        let unreadable = |error: kube::config::KubeconfigError| {
            Error::new(format!("{}: {error}", path.display()))
        };
        let kubeconfig = Kubeconfig::read_from(&path).map_err(unreadable)?;
        let options = KubeConfigOptions::default();
        let mut config = Config::from_custom_kubeconfig(kubeconfig, &options)
            .await
            .map_err(unreadable)?;
        if matches!(self.place, Place::Elsewhere(..)) && user != User::Admin {
            config.auth_info.impersonate = Some(user.name().to_owned());
            config.auth_info.impersonate_groups = Some(user.groups());
        }
        Ok(config)
    }

    /// A client of this user, for the runtime that it is made in.
    ///
    /// # Errors
    /// When the kubeconfig is not one.
    pub async fn client(&self, user: User) -> Result<Client, Error> {
        Ok(Client::try_from(self.config(user).await?)?)
    }

    /// Runs kubectl as this user.
    ///
    /// # Errors
    /// When kubectl does not run; if it only fails, that is in the output.
    pub async fn kubectl(&self, user: User, args: &[&str], stdin: &str) -> Result<Output, Error> {
        let mut own = vec![
            format!("--kubeconfig={}", self.kubeconfig(user).display()),
            format!(
                "--cache-dir={}",
                self.folder()
                    .join("cache")
                    .join(user.kubeconfig())
                    .display()
            ),
        ];
        if matches!(self.place, Place::Elsewhere(..)) && user != User::Admin {
            own.push(format!("--as={}", user.name()));
            let groups = user.groups();
            own.extend(groups.iter().map(|group| format!("--as-group={group}")));
        }
        kubectl::run(&self.kubectl, &own, args, stdin).await
    }

    /// Applies manifests as the administrator.
    ///
    /// # Errors
    /// What kubectl says against it.
    pub async fn apply(&self, manifests: &str) -> Result<(), Error> {
        self.kubectl(User::Admin, &["apply", "-f", "-"], manifests)
            .await?
            .ok()
            .map(drop)
    }

    /// Installs Kuma's kinds as Kuma ships them, unless there are some, and waits until they are
    /// served.
    ///
    /// # Errors
    /// What the API server says against it.
    pub async fn install_kuma(&self) -> Result<(), Error> {
        self.kuma
            .get_or_try_init(|| self.install_kinds())
            .await
            .copied()
    }

    async fn install_kinds(&self) -> Result<(), Error> {
        let manifests = include_str!("../manifests/kuma-crds.yaml");
        let created = self
            .kubectl(User::Admin, &["create", "-f", "-"], manifests)
            .await?;
        let there = |line: &str| line.contains("AlreadyExists");
        if !created.stderr.lines().all(there) {
            return Err(Error::new(created.stderr));
        }
        let established = [
            "wait",
            "--for=condition=Established",
            "--timeout=30s",
            "crd/meshes.kuma.io",
            "crd/dataplanes.kuma.io",
            "crd/dataplaneinsights.kuma.io",
            "crd/meshidentities.kuma.io",
            "crd/workloads.kuma.io",
        ];
        self.kubectl(User::Admin, &established, "").await?.ok()?;
        // Discovery follows a moment later.
        let client = self.client(User::Admin).await?;
        eventually("Kuma's kinds are served", async || {
            let served = client.list_api_group_resources("kuma.io/v1alpha1").await;
            match served {
                Ok(list) if list.resources.len() >= 5 => Ok(()),
                Ok(list) => Err(format!("{} of them", list.resources.len())),
                Err(error) => Err(error.to_string()),
            }
        })
        .await?;
        // For two seconds after a kind is there, the API server holds each create back for as long: one
        // that changes nothing waits for it here, so that no test's own does.
        let probe = r#"{"apiVersion": "kuma.io/v1alpha1", "kind": "Workload",
            "metadata": {"name": "probe", "namespace": "default"}}"#;
        let dry = ["create", "--dry-run=server", "-f", "-"];
        self.kubectl(User::Admin, &dry, probe).await?.ok()?;
        // The garbage collector would look for new kinds only half a minute later.
        if !created.stdout.is_empty() && matches!(self.place, Place::Folder(..)) {
            self.restart_server(Server::ControllerManager).await?;
        }
        Ok(())
    }

    /// A name that no other test uses, for a Namespace or a Mesh.
    #[must_use]
    pub fn unique(&self, stem: &str) -> String {
        static USED: AtomicUsize = AtomicUsize::new(0);
        let number = USED.fetch_add(1, Ordering::Relaxed);
        format!("{stem}-{:x}-{number}", std::process::id())
    }

    /// Starts a program beside the servers. It ends when what is returned is dropped, or with the
    /// testbed.
    ///
    /// # Errors
    /// When it does not start.
    pub fn spawn(
        &self,
        name: &str,
        command: &mut tokio::process::Command,
    ) -> Result<Program, Error> {
        Program::start(self.folder(), name, command)
    }

    /// Ends a server as a crash would.
    ///
    /// # Errors
    /// When the cluster is somebody else's.
    pub async fn stop_server(&self, server: Server) -> Result<(), Error> {
        self.script("stop", server).await
    }

    /// Starts a server that was stopped, with its port and its data, and waits until it is ready.
    ///
    /// # Errors
    /// When it does not become ready, or the cluster is somebody else's.
    pub async fn start_server(&self, server: Server) -> Result<(), Error> {
        self.script("start", server).await
    }

    /// Both, one after the other.
    ///
    /// # Errors
    /// As [`Self::start_server`].
    pub async fn restart_server(&self, server: Server) -> Result<(), Error> {
        self.stop_server(server).await?;
        self.start_server(server).await
    }

    async fn script(&self, script: &str, server: Server) -> Result<(), Error> {
        let name = server.name();
        let Place::Folder(folder, _) = &self.place else {
            return Err(Error::new(format!(
                "{script} {name}: not in a cluster that is given by KUMA_WORKLOAD_TEST_KUBECONFIG"
            )));
        };
        let done = tokio::process::Command::new(Path::new(SCRIPTS).join(script))
            .arg(folder)
            .arg(name)
            .stdin(Stdio::null())
            .output()
            .await
            .map_err(|error| Error::new(format!("{script} {name}: {error}")))?;
        if done.status.success() {
            Ok(())
        } else {
            Err(Error::new(String::from_utf8_lossy(&done.stderr)))
        }
    }
}

impl Drop for Testbed {
    fn drop(&mut self) {
        if let Place::Folder(_, Some(holder)) = &mut self.place {
            drop(holder.stdin.take());
            let _ = holder.wait();
        }
    }
}

/// kubectl of the testbed's version.
fn kubectl() -> Result<PathBuf, Error> {
    let failed = |error: String| Error::new(format!("e2e-tests/testbed/build: {error}"));
    let built = Command::new(Path::new(SCRIPTS).join("build"))
        .output()
        .map_err(|error| failed(error.to_string()))?;
    if !built.status.success() {
        return Err(failed(String::from_utf8_lossy(&built.stderr).into_owned()));
    }
    let folder = String::from_utf8_lossy(&built.stdout);
    Ok(Path::new(folder.trim_end()).join("kubectl"))
}

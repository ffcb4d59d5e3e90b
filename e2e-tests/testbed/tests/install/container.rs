//! runc, and what a network plugin does between `create` and `start`.

use std::fs::{self, File};
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use kuma_workload_testbed::Error;
use serde_json::Value;

use crate::told::{end_of, with_log};
use crate::tools;

/// A container that runs. It is killed and deleted when this is dropped.
pub(crate) struct Container {
    /// Its address, from the node.
    pub(crate) address: IpAddr,
    name: String,
    process: String,
    state: PathBuf,
    log: PathBuf,
}

/// What the kernel says of a process that can do nothing but what it is there for: the profile `restricted` of
/// Kubernetes' Pod Security Standards. Without capabilities, with no way to more, and with system calls
/// filtered.
const RESTRICTED: [&str; 5] = [
    "CapEff:\t0000000000000000",
    "CapBnd:\t0000000000000000",
    "CapPrm:\t0000000000000000",
    "NoNewPrivs:\t1",
    "Seccomp:\t2",
];

impl Container {
    /// Starts what is in this folder: a configuration of runc. `number` is one that no other container has.
    pub(crate) async fn start(
        folder: &Path,
        name: &str,
        number: u8,
        config: &Value,
    ) -> Result<Self, Error> {
        let mut container = Self {
            address: IpAddr::V4(Ipv4Addr::new(10, 244, 0, number)),
            name: name.to_owned(),
            process: String::new(),
            state: folder.join("runc"),
            log: folder.join("log"),
        };
        let failed = |error: std::io::Error| Error::new(format!("container {name}: {error}"));
        fs::write(folder.join("config.json"), config.to_string()).map_err(failed)?;
        let log = File::create(&container.log).map_err(failed)?;
        let process = folder.join("process");
        let created = container
            .runc(&["create"])
            .arg("--bundle")
            .arg(folder)
            .arg("--pid-file")
            .arg(&process)
            .arg(name)
            // What it has is what the container has.
            .stdout(log.try_clone().map_err(failed)?)
            .stderr(log)
            .status()
            .map_err(failed)?;
        if !created.success() {
            return Err(with_log(
                format!("runc creates no container {name}:"),
                &container.log(),
            ));
        }
        container.process = fs::read_to_string(process).map_err(failed)?;
        container.connect(number).await?;
        let started = container.runc(&["start", name]).output().map_err(failed)?;
        if !started.status.success() {
            let said = String::from_utf8_lossy(&started.stderr);
            return Err(with_log(
                format!("runc does not start container {name}: {said}"),
                &container.log(),
            ));
        }
        Ok(container)
    }

    /// Gives the container's network, which has nothing yet, a cable to the node.
    async fn connect(&self, number: u8) -> Result<(), Error> {
        let process = &self.process;
        let here = format!("pod{number}");
        let address = format!("{}/32", self.address);
        let ip = async |arguments: &str| {
            tools::run("ip", &arguments.split(' ').collect::<Vec<_>>()).await
        };
        let inside = async |arguments: &str| {
            let enter = format!("--target {process} --net ip {arguments}");
            tools::run("nsenter", &enter.split(' ').collect::<Vec<_>>()).await
        };
        ip(&format!(
            "link add {here} type veth peer name eth0 netns {process}"
        ))
        .await?;
        ip(&format!("link set {here} up")).await?;
        ip(&format!("route add {address} dev {here}")).await?;
        inside("link set lo up").await?;
        inside("link set eth0 up").await?;
        inside(&format!("address add {address} dev eth0")).await?;
        inside("route add default dev eth0").await.map(drop)
    }

    /// As the kernel has it, its process can do nothing but what it is there for.
    pub(crate) fn is_restricted(&self) -> Result<(), Error> {
        let read = |name: &str| {
            let file = Path::new("/proc").join(&self.process).join(name);
            let failed = |error| with_log(format!("{}: {error}", file.display()), &self.log());
            fs::read_to_string(&file).map_err(failed)
        };
        let (status, mounts) = (read("status")?, read("mountinfo")?);
        let lines: Vec<&str> = status.lines().collect();
        let mut faults: Vec<_> = RESTRICTED
            .iter()
            .filter(|line| !lines.contains(line))
            .map(|line| format!("it is not {}", line.replace('\t', " ")))
            .collect();
        if lines.iter().any(|line| line.starts_with("Uid:\t0\t")) {
            faults.push("it is root".to_owned());
        }
        let mut mounts = mounts.lines().map(|line| line.split(' ').skip(4));
        let options =
            mounts.find_map(|mut mount| mount.next().filter(|at| *at == "/").and(mount.next()));
        if !options.is_some_and(|options| options.split(',').any(|option| option == "ro")) {
            faults.push("it can write to its image".to_owned());
        }
        match faults.is_empty() {
            true => Ok(()),
            false => Err(Error::new(format!(
                "container {} is not as restricted as the profile restricted wants it: {}",
                self.name,
                faults.join("; ")
            ))),
        }
    }

    /// What it has printed so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Whether it runs, as runc sees it.
    pub(crate) fn runs(&self) -> Result<(), Error> {
        let state = self.runc(&["state", &self.name]).output();
        let state = state.map_err(|error| Error::new(format!("runc: {error}")))?;
        let state: Value = serde_json::from_slice(&state.stdout).unwrap_or_default();
        match state["status"].as_str() {
            Some("running") => Ok(()),
            other => Err(Error::new(format!(
                "container {} is {}:\n{}",
                self.name,
                other.unwrap_or("gone"),
                end_of(&self.log())
            ))),
        }
    }

    fn runc(&self, arguments: &[&str]) -> Command {
        let mut runc = Command::new("runc");
        runc.arg("--root")
            .arg(&self.state)
            .args(arguments)
            .stdin(Stdio::null());
        runc
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        let _ = self.runc(&["delete", "--force", &self.name]).output();
    }
}

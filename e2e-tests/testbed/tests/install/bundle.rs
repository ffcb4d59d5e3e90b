//! The container runtime's part with Pods: from a container of the live Pod and its image to the
//! configuration that runc runs.

use std::collections::BTreeMap;
use std::path::PathBuf;

use k8s_openapi::api::core::v1::{Container, Pod, PodSecurityContext, SecurityContext};
use kube::ResourceExt;
use kuma_workload_testbed::Error;
use serde_json::{Value, json};

use crate::image::Image;
use crate::seccomp;
use crate::volumes::field;

/// What a container may do where nothing is said of it, as containerd has it.
const CAPABILITIES: [&str; 14] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "NET_RAW",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

/// What a container has for itself.
const NAMESPACES: [&str; 5] = ["pid", "ipc", "uts", "mount", "network"];

/// The configuration of a container.
pub(crate) fn config(
    pod: &Pod,
    container: &Container,
    image: &Image,
    volumes: &BTreeMap<String, PathBuf>,
    service: &[String],
    control_group: &str,
) -> Result<Value, Error> {
    let rights = container.security_context.clone().unwrap_or_default();
    let of_pod = pod
        .spec
        .as_ref()
        .and_then(|spec| spec.security_context.clone())
        .unwrap_or_default();
    let (user, group) = user(&rights, &of_pod, &image.config.user)?;
    let capabilities = capabilities(&rights);
    let folders = [
        &container.working_dir,
        &Some(image.config.working_dir.clone()),
    ];
    let mut folders = folders
        .into_iter()
        .flatten()
        .filter(|folder| !folder.is_empty());
    let folder = folders.next().map_or("/", String::as_str);
    let namespaces = NAMESPACES.map(|kind| json!({"type": kind}));
    Ok(json!({
        "ociVersion": "1.0.2",
        "hostname": pod.name_any(),
        "root": {"path": image.files, "readonly": rights.read_only_root_filesystem == Some(true)},
        "process": {
            "user": {"uid": user, "gid": group},
            "args": arguments(container, image),
            "env": environment(pod, container, image, service)?,
            "cwd": folder,
            "noNewPrivileges": rights.allow_privilege_escalation == Some(false),
            "capabilities": {"bounding": capabilities, "effective": capabilities, "permitted": capabilities},
        },
        "mounts": mounts(container, volumes)?,
        "linux": {
            "cgroupsPath": control_group,
            "resources": resources(container)?,
            "seccomp": seccomp::profile(&rights, &of_pod, &capabilities)?,
            "namespaces": namespaces,
            "maskedPaths": ["/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/sched_debug",
                "/proc/scsi", "/proc/timer_list", "/proc/timer_stats", "/sys/firmware"],
            "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
        },
    }))
}

fn arguments(container: &Container, image: &Image) -> Vec<String> {
    let command = container.command.clone().unwrap_or_default();
    let arguments = container.args.clone().unwrap_or_default();
    let (command, arguments) = match (command.is_empty(), arguments.is_empty()) {
        (true, true) => (image.config.entrypoint.clone(), image.config.cmd.clone()),
        (true, false) => (image.config.entrypoint.clone(), arguments),
        (false, _) => (command, arguments),
    };
    [command, arguments].concat()
}

fn environment(
    pod: &Pod,
    container: &Container,
    image: &Image,
    service: &[String],
) -> Result<Vec<String>, Error> {
    let mut environment = image.config.env.clone();
    environment.push(format!("HOSTNAME={}", pod.name_any()));
    environment.extend(service.iter().cloned());
    for variable in container.env.iter().flatten() {
        let source = variable.value_from.as_ref();
        let value = match source.map(|source| source.field_ref.as_ref()) {
            None => variable.value.clone().unwrap_or_default(),
            Some(Some(of)) => field(pod, &of.field_path)?,
            Some(None) => {
                return Err(Error::new(format!(
                    "the variable {} of Pod {} comes from where this test does not look",
                    variable.name,
                    pod.name_any()
                )));
            }
        };
        environment.push(format!("{}={value}", variable.name));
    }
    Ok(environment)
}

/// User and group: those of the Pod, else those of the image. A kubelet starts no root where `runAsNonRoot`
/// is, nor a user whose number it does not know.
fn user(
    rights: &SecurityContext,
    of_pod: &PodSecurityContext,
    of_image: &str,
) -> Result<(i64, i64), Error> {
    let (name, group) = of_image.split_once(':').unwrap_or((of_image, ""));
    let user = rights
        .run_as_user
        .or(of_pod.run_as_user)
        .or_else(|| name.parse().ok());
    let group = rights
        .run_as_group
        .or(of_pod.run_as_group)
        .or_else(|| group.parse().ok());
    let must_not_be_root = rights.run_as_non_root.or(of_pod.run_as_non_root) == Some(true);
    match user {
        Some(0) | None if must_not_be_root => Err(Error::new(format!(
            "runAsNonRoot is set, and the image's user is {of_image:?}, which is not a number other than 0"
        ))),
        user => Ok((user.unwrap_or(0), group.unwrap_or(0))),
    }
}

fn capabilities(rights: &SecurityContext) -> Vec<String> {
    let changes = rights.capabilities.clone().unwrap_or_default();
    let (add, drop) = (
        changes.add.unwrap_or_default(),
        changes.drop.unwrap_or_default(),
    );
    let is_dropped = |name: &str| {
        drop.iter()
            .any(|dropped| dropped == name || dropped == "ALL")
    };
    let kept = CAPABILITIES
        .into_iter()
        .filter(|name| !is_dropped(name))
        .map(str::to_owned);
    kept.chain(add).map(|name| format!("CAP_{name}")).collect()
}

fn mounts(container: &Container, volumes: &BTreeMap<String, PathBuf>) -> Result<Vec<Value>, Error> {
    let mut mounts = vec![
        json!({"destination": "/proc", "type": "proc", "source": "proc", "options": ["nosuid", "noexec", "nodev"]}),
        json!({"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]}),
        json!({"destination": "/dev/shm", "type": "tmpfs", "source": "shm", "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]}),
    ];
    for mount in container.volume_mounts.iter().flatten() {
        let source = volumes.get(&mount.name);
        let source = source.ok_or_else(|| {
            Error::new(format!("there is no volume {} to be mounted", mount.name))
        })?;
        let access = if mount.read_only == Some(true) {
            "ro"
        } else {
            "rw"
        };
        mounts.push(json!({"destination": mount.mount_path, "type": "bind", "source": source, "options": ["rbind", "rprivate", access]}));
    }
    Ok(mounts)
}

/// The limits, as a kubelet gives them to the kernel.
fn resources(container: &Container) -> Result<Value, Error> {
    let asked = container.resources.clone().unwrap_or_default();
    let limit = |resource: &str| {
        asked
            .limits
            .as_ref()
            .and_then(|limits| limits.get(resource))
    };
    let request = |resource: &str| {
        asked
            .requests
            .as_ref()
            .and_then(|requests| requests.get(resource))
    };
    let mut resources = json!({"devices": [{"allow": false, "access": "rwm"}]});
    if let Some(memory) = limit("memory") {
        resources["memory"] = json!({"limit": number(&memory.0)?});
    }
    if let Some(cpu) = request("cpu") {
        // In thousandths; a whole CPU is 1024 shares.
        let thousandths = cpu
            .0
            .strip_suffix('m')
            .map_or_else(|| number(&cpu.0).map(|cpus| cpus * 1000), number)?;
        resources["cpu"] = json!({"shares": (thousandths * 1024 / 1000).max(2)});
    }
    Ok(resources)
}

/// A number with one of the binary units that charts use.
fn number(quantity: &str) -> Result<i64, Error> {
    let (digits, unit) = match quantity
        .strip_suffix("i")
        .and_then(|number| number.split_at_checked(number.len() - 1))
    {
        Some((digits, "K")) => (digits, 1 << 10),
        Some((digits, "M")) => (digits, 1 << 20),
        Some((digits, "G")) => (digits, 1 << 30),
        _ => (quantity, 1),
    };
    let number: i64 = digits
        .parse()
        .map_err(|_| Error::new(format!("{quantity} is no number that this test reads")))?;
    Ok(number * unit)
}

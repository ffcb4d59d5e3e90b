//! The profile that container runtimes have by default: the one of containerd and Docker, with what depends on
//! capabilities, architecture and kernel decided.

use std::fs;

use k8s_openapi::api::core::v1::{PodSecurityContext, SecurityContext};
use kuma_workload_testbed::Error;
use serde_json::{Value, json};

use crate::tools::tool;

/// The profile of a container, for runc; null where none is wanted.
pub(crate) fn profile(
    rights: &SecurityContext,
    of_pod: &PodSecurityContext,
    capabilities: &[String],
) -> Result<Value, Error> {
    let wanted = rights
        .seccomp_profile
        .as_ref()
        .or(of_pod.seccomp_profile.as_ref());
    match wanted.map(|profile| profile.type_.as_str()) {
        None | Some("Unconfined") => return Ok(Value::Null),
        Some("RuntimeDefault") => {}
        Some(other) => {
            return Err(Error::new(format!(
                "seccompProfile {other} is none that this test has"
            )));
        }
    }
    let path = tool("seccomp.json");
    let failed = |error: &dyn std::error::Error| {
        Error::new(format!(
            "{}: {error}; run it by make install-test",
            path.display()
        ))
    };
    let text = fs::read_to_string(&path).map_err(|error| failed(&error))?;
    let profile: Value = serde_json::from_str(&text).map_err(|error| failed(&error))?;
    let (arch, architecture) = match std::env::consts::ARCH {
        "aarch64" => ("arm64", "SCMP_ARCH_AARCH64"),
        _ => ("amd64", "SCMP_ARCH_X86_64"),
    };
    let applies = |rule: &&Value| {
        let has = |condition: &Value, capability: bool| {
            let mut values = condition
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str);
            values.any(|value| {
                if capability {
                    capabilities.iter().any(|has| has == value)
                } else {
                    value == arch
                }
            })
        };
        let (includes, excludes) = (&rule["includes"], &rule["excludes"]);
        (includes["caps"].is_null() || has(&includes["caps"], true))
            && (includes["arches"].is_null() || has(&includes["arches"], false))
            && !has(&excludes["caps"], true)
            && !has(&excludes["arches"], false)
    };
    let of_runc = |rule: &Value| {
        let mut of_runc = json!({"names": rule["names"], "action": rule["action"]});
        for field in ["args", "errnoRet"] {
            if !rule[field].is_null() {
                of_runc[field] = rule[field].clone();
            }
        }
        of_runc
    };
    let rules = profile["syscalls"].as_array().into_iter().flatten();
    let of_map = |map: &&Value| map["architecture"] == architecture;
    let maps = profile["archMap"]
        .as_array()
        .into_iter()
        .flatten()
        .find(of_map);
    let others = maps
        .and_then(|map| map["subArchitectures"].as_array().cloned())
        .unwrap_or_default();
    let architectures: Vec<_> = std::iter::once(Value::from(architecture))
        .chain(others)
        .collect();
    Ok(json!({
        "defaultAction": profile["defaultAction"],
        "defaultErrnoRet": profile["defaultErrnoRet"],
        "architectures": architectures,
        "syscalls": rules.filter(applies).map(of_runc).collect::<Vec<_>>(),
    }))
}

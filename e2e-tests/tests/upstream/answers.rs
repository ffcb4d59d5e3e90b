//! The files with upstream's answers, and the policy that is compared with them.

use std::{
    env,
    io::Read as _,
    path::{Path, PathBuf},
};

use flate2::read::GzDecoder;
use kuma_workload_host::{AdmissionRequest, Policy};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// The Meshes that exist.
pub(crate) const MESHES: [&str; 3] = ["default", "mesh2", "mesh3"];

/// The same as objects.
pub(crate) fn meshes() -> [Value; 3] {
    MESHES.map(|name| {
        json!({"apiVersion": "kuma.io/v1alpha1", "kind": "Mesh", "metadata": {"name": name}})
    })
}

pub(crate) fn read<T: DeserializeOwned>(file: &str) -> Vec<T> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("upstream")
        .join(file);
    let mut lines = String::new();
    let mut decoder = GzDecoder::new(std::fs::File::open(&path).unwrap());
    decoder.read_to_string(&mut lines).unwrap();
    lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

pub(crate) fn policy() -> Policy {
    let path = env::var_os("KUMA_WORKLOAD_POLICY_WASM").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../annotated-policy.wasm"),
        PathBuf::from,
    );
    assert!(
        path.exists(),
        "{} is missing: run `make test`, which builds it",
        path.display()
    );
    Policy::load(&path).unwrap()
}

pub(crate) fn request(
    operation: &str,
    namespace: &str,
    pod: &Value,
    old_pod: Option<&Value>,
) -> AdmissionRequest {
    serde_json::from_value(json!({
        "uid": "00000000-0000-4000-8000-000000000000",
        "kind": {"group": "", "version": "v1", "kind": "Pod"},
        "resource": {"group": "", "version": "v1", "resource": "pods"},
        "name": pod["metadata"]["name"],
        "namespace": namespace,
        "operation": operation,
        "userInfo": {"username": "jane"},
        "object": pod,
        "oldObject": old_pod,
    }))
    .unwrap()
}

//! `policy-webhook` as a program beside the servers.

use std::env;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use crate::{Error, Program, Testbed, User};

/// Starts the webhook with the built policy and these ClusterAdmissionPolicies, and has the API server
/// ask it; that takes effect within a moment. `program` is `policy-webhook`.
///
/// # Errors
/// When the policy was not built, or the program does not start.
pub fn start(testbed: &Testbed, program: &Path, policies: &[PathBuf]) -> Result<Program, Error> {
    let policy = env::var_os("KUMA_WORKLOAD_POLICY_WASM")
        .map_or_else(|| root().join("annotated-policy.wasm"), PathBuf::from);
    if !policy.is_file() {
        return Err(Error::new(format!(
            "{} is missing; run `make annotated-policy.wasm`",
            policy.display()
        )));
    }
    let mut command = Command::new(program);
    command
        .arg("--policy")
        .arg(policy)
        .arg("--kubeconfig")
        .arg(testbed.kubeconfig(User::PolicyServer))
        .arg("--register")
        .arg(testbed.kubeconfig(User::Admin))
        .args(policies);
    testbed.spawn("policy-webhook", &mut command)
}

/// The folder of the policies as they are shipped.
#[must_use]
pub fn examples() -> PathBuf {
    root().join("examples/policies")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

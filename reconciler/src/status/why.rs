//! `status --why`: why a Workload is there or not. The running reconciler knows best; without one, the
//! cluster is read.

mod cluster;
mod page;

use std::net::SocketAddr;

use clap::Args;
use kuma_workload_plan::output::yaml;

use super::format::StatusFormat;
use crate::{
    arguments,
    client::{Connection, Failure},
    explain::{Answer, Target, WHY_ADDRESS, loopback},
};

/// The flags of `--why`.
#[derive(Debug, Args)]
pub(super) struct WhyFlags {
    /// Say why this Workload is not there, or is as it is: the decision and its rule, when it is looked at
    /// next, the last failure, and who holds the Lease.
    #[arg(
        long = "why",
        value_name = "NS/NAME",
        conflicts_with_all = ["from", "watch", "namespace", "all_namespaces"]
    )]
    pub(super) target: Option<Target>,
    /// With --why: the address of a running reconciler. Default: 127.0.0.1:8081.
    #[arg(long, env = "KUMA_WORKLOAD_WHY_ADDR", value_name = "ADDRESS", value_parser = loopback)]
    why_addr: Option<SocketAddr>,
    /// With --why: the namespace of the Lease kuma-workload. Default: that of the kubeconfig's context,
    /// or that of the Pod.
    #[arg(
        long,
        env = "KUMA_WORKLOAD_LEASE_NAMESPACE",
        value_name = "NAMESPACE",
        value_parser = arguments::namespace
    )]
    lease_namespace: Option<String>,
}

/// Explains a Workload in this format.
///
/// # Errors
/// When neither a reconciler nor the cluster can be asked.
pub(super) async fn explain(
    flags: &WhyFlags,
    target: &Target,
    output: StatusFormat,
    connection: &Connection,
) -> Result<String, Failure> {
    let format = match output {
        StatusFormat::Table | StatusFormat::Wide => Answer::Text,
        StatusFormat::Json | StatusFormat::Yaml => Answer::Json,
    };
    let address = flags.why_addr.unwrap_or(WHY_ADDRESS);
    let answer = match page::ask(address, target, format).await {
        Ok(answer) => answer,
        Err(silence) => {
            let namespace = flags.lease_namespace.as_deref();
            let explained = cluster::explain(connection, target, namespace).await;
            let mut explanation =
                explained.map_err(|failure| Failure::new(format!("{silence}, and {failure}")))?;
            if let Some(note) = &mut explanation.note {
                *note = format!("{silence}: {note}");
            }
            format.of(&explanation).map_err(unwritten)?
        }
    };
    match output {
        StatusFormat::Yaml => in_yaml(&answer),
        _ => Ok(answer),
    }
}

fn in_yaml(json: &str) -> Result<String, Failure> {
    let value: serde_json::Value = serde_json::from_str(json).map_err(unwritten)?;
    let mut text = Vec::new();
    yaml::write(&value, &mut text).map_err(unwritten)?;
    String::from_utf8(text).map_err(unwritten)
}

fn unwritten(error: impl std::error::Error) -> Failure {
    Failure::new(format!("the answer cannot be written: {error}"))
}

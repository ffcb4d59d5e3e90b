//! The kubelet's part with probes.

use std::time::Duration;

use k8s_openapi::api::core::v1::{Container, Probe};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kuma_workload_testbed::{Error, page};
use tokio::time::timeout;

use crate::container::Container as Running;

/// Asks a probe once.
pub(crate) async fn asked(
    probe: &Probe,
    container: &Container,
    running: &Running,
) -> Result<(), Error> {
    running.runs()?;
    let Some(get) = &probe.http_get else {
        return Err(Error::new(
            "a probe is not of the kind httpGet, and this test asks no other",
        ));
    };
    let path = get.path.as_deref().unwrap_or("/");
    let address = (running.address, port(&get.port, container)?).into();
    let patience = Duration::from_secs(
        probe
            .timeout_seconds
            .and_then(|seconds| seconds.try_into().ok())
            .unwrap_or(1),
    );
    match timeout(patience, page::get(address, path)).await {
        Ok(Ok((200..400, _))) => Ok(()),
        Ok(Ok((status, body))) => Err(Error::new(format!(
            "http://{address}{path} answers {status}: {body}"
        ))),
        Ok(Err(error)) => Err(error),
        Err(_) => Err(Error::new(format!(
            "http://{address}{path} does not answer within {} s",
            patience.as_secs()
        ))),
    }
}

/// A port of a container, by its number or its name.
pub(crate) fn port(port: &IntOrString, container: &Container) -> Result<u16, Error> {
    let named = |name: &String| {
        let mut ports = container.ports.iter().flatten();
        ports
            .find(|port| port.name.as_ref() == Some(name))
            .map(|port| port.container_port)
    };
    let number = match port {
        IntOrString::Int(number) => Some(*number),
        IntOrString::String(name) => named(name),
    };
    number
        .and_then(|number| u16::try_from(number).ok())
        .ok_or_else(|| Error::new(format!("container {} has no port {port:?}", container.name)))
}

//! Which of the replicas leads, by the live Lease and by what each says of itself.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::{Api, ResourceExt};
use kuma_workload_testbed::eventually::within;
use kuma_workload_testbed::{Error, Testbed, User, page};

use crate::container::Container;
use crate::node::Node;
use crate::probe;
use crate::told::seen;

/// Whoever makes the Lease leads 15 seconds later.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until one Pod leads, holds the Lease, and no other leads.
pub(crate) async fn one_leads(testbed: &Testbed, node: &Node<'_>, name: &str) -> Result<(), Error> {
    let leases: Api<Lease> = Api::namespaced(testbed.client(User::Admin).await?, name);
    let leads = within(PATIENCE, "one Pod leads", async || {
        let mut leaders = Vec::new();
        for (pod, running) in node.running() {
            let leads = says_so(pod, running).await;
            if leads.map_err(|error| error.to_string())? {
                leaders.push(pod.name_any());
            }
        }
        let lease = leases.get(name).await.map_err(|error| error.to_string())?;
        let holder = lease.spec.and_then(|spec| spec.holder_identity);
        let holder = holder.unwrap_or_default();
        match leaders.as_slice() {
            [leader] if holder.starts_with(&format!("{leader}_")) => Ok(holder),
            _ => Err(format!(
                "the Lease is held by {holder:?}, and these lead: {leaders:?}"
            )),
        }
    });
    let holder = leads.await.map_err(|error| node.explained(&error))?;
    seen(&format!(
        "Lease {name} is held by {holder}, which leads alone"
    ));
    Ok(())
}

/// Whether a Pod leads, by its own metrics.
async fn says_so(pod: &Pod, running: &Container) -> Result<bool, Error> {
    let container = pod.spec.iter().flat_map(|spec| &spec.containers).next();
    let nothing = || Error::new(format!("Pod {} has no container", pod.name_any()));
    let http = IntOrString::String("http".to_owned());
    let port = probe::port(&http, container.ok_or_else(nothing)?)?;
    let (_, metrics) = page::get((running.address, port).into(), "/metrics").await?;
    Ok(metrics.lines().any(|line| line == "kuma_workload_leader 1"))
}

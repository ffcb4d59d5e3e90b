//! Which of the replicas leads, by the live Lease.

use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Pod;
use kube::{Api, ResourceExt};
use kuma_workload_testbed::{Error, Testbed, User, eventually};

use crate::node::Node;
use crate::told::seen;

/// One of the Pods holds the Lease.
pub(crate) async fn one_leads(testbed: &Testbed, node: &Node<'_>, name: &str) -> Result<(), Error> {
    let leases: Api<Lease> = Api::namespaced(testbed.client(User::Admin).await?, name);
    let holder = eventually(&format!("a Pod holds Lease {name}"), async || {
        let lease = leases.get(name).await.map_err(|error| error.to_string())?;
        let holder = lease
            .spec
            .and_then(|spec| spec.holder_identity)
            .unwrap_or_default();
        let is_it = |pod: &Pod| holder.starts_with(&format!("{}_", pod.name_any()));
        match node.running().any(|(pod, _)| is_it(pod)) {
            true => Ok(holder),
            false => Err(format!("its holder is {holder:?}\n{}", node.logs())),
        }
    })
    .await?;
    seen(&format!("Lease {name} is held by {holder}"));
    Ok(())
}

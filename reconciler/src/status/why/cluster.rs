//! Explains a Workload by what the cluster shows, as `run` decides with its defaults.

use k8s_openapi::api::core::v1::Namespace;
use kube::{Api, Client};
use kuma_workload_rulebook::roster::{Key, Mode};

use crate::{
    client::{Connection, Failure},
    explain::{
        Explanation, Facts, KnownWorkload, LeaseState, NamespaceState, Target, by_mesh, command,
    },
    kinds::WorkloadRecord,
    run::read_lease,
    status::{live::WatchedCluster, observed::ObservedCluster},
};

/// The default of `run --lease-name`.
const LEASE: &str = "kuma-workload";
/// How many other workloads of a namespace are named.
const OTHERS: usize = 10;

/// Explains a Workload.
///
/// # Errors
/// When the cluster cannot be asked.
pub(super) async fn explain(
    connection: &Connection,
    target: &Target,
    lease_namespace: Option<&str>,
) -> Result<Explanation, Failure> {
    let client = connection.client().await?;
    let key = target.key();
    let mut cluster = WatchedCluster::new(client.clone(), Some(&key.namespace));
    cluster.list().await?;
    let namespace = namespace(&client, &key.namespace).await;
    let facts = facts(cluster.observed(), key, namespace);
    let is_unknown = facts.workload.is_none() && facts.dataplanes.is_empty();
    let mut explanation = Explanation::of(facts);
    if is_unknown {
        let names = cluster.observed().roster().keys().map(|key| key.workload);
        let mut names: Vec<_> = names.collect();
        names.sort_unstable();
        names.truncate(OTHERS);
        explanation.other_workloads = names;
    }
    let lease_namespace = lease_namespace.unwrap_or_else(|| client.default_namespace());
    let lease = lease(&client, lease_namespace).await;
    let ask = command(lease_namespace, lease.holder.as_deref(), key);
    explanation.lease = Some(lease);
    explanation.note = Some(format!(
        "its mode, when it looks at the Workload next, the last failure and the fence are known only to the running reconciler; ask it: {ask}"
    ));
    Ok(explanation)
}

fn facts(observed: &ObservedCluster, key: &Key, namespace: NamespaceState) -> Facts {
    let roster = observed.roster();
    let existing = observed.existing(key);
    let existing_facts = existing.map(WorkloadRecord::facts);
    Facts {
        key: key.clone(),
        decision: roster.decide(key, existing_facts.as_ref(), Mode::Manage),
        workload: existing
            .zip(existing_facts)
            .map(|(workload, facts)| KnownWorkload {
                mesh: facts.mesh.map(str::to_owned),
                manager: facts.managed_by.map(str::to_owned),
                reported: workload.reported,
                is_being_deleted: workload.metadata.deletion_timestamp.is_some(),
            }),
        dataplanes: by_mesh(roster.references(key)),
        // They were named as warnings.
        unreadable: Vec::new(),
        namespace,
        mode: Mode::Manage,
        waiting_for: Vec::new(),
        obstacle: None,
    }
}

/// The state of a namespace. Who may not read it knows no better than that it is there.
async fn namespace(client: &Client, name: &str) -> NamespaceState {
    let namespaces: Api<Namespace> = Api::all(client.clone());
    match namespaces.get_opt(name).await {
        Ok(None) => NamespaceState::Missing,
        Ok(Some(namespace)) if namespace.metadata.deletion_timestamp.is_some() => {
            NamespaceState::Terminating
        }
        _ => NamespaceState::Present,
    }
}

async fn lease(client: &Client, namespace: &str) -> LeaseState {
    let mut state = LeaseState {
        namespace: namespace.to_owned(),
        name: LEASE.to_owned(),
        holder: None,
        renewed: None,
        unknown: None,
    };
    match read_lease(client, namespace, LEASE).await {
        Ok(None) => {
            state.unknown = Some(
                "there is no such Lease; --lease-namespace names the namespace of the reconciler"
                    .to_owned(),
            );
        }
        Ok(Some(lease)) => {
            let spec = lease.spec.unwrap_or_default();
            state.holder = spec.holder_identity.filter(|holder| !holder.is_empty());
            state.renewed = spec.renew_time.map(|renewed| renewed.0.to_string());
        }
        Err(error) => {
            let failure = Failure::of("get leases.coordination.k8s.io", &error);
            state.unknown = Some(failure.to_string());
        }
    }
    state
}

//! Two replicas, as the Pods of the Deployment would run them: with its arguments, and with tokens of its
//! account. The chart's grants are enough: nothing is refused.

use k8s_openapi::api::coordination::v1::Lease;
use kube::{Api, ResourceExt};
use kuma_workload_testbed::{Error, Reconciler, Team, eventually};

use crate::cluster::{self, Cluster};
use crate::helm::Release;
use crate::release::{Done, arguments, pods};
use crate::{account, scenario};

/// Where it is told to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Everywhere.
    Cluster,
    /// In two namespaces.
    Namespaces,
}

/// The other scope would look after the namespaces of other tests, too: `definition` has a cluster for it.
#[tokio::test]
async fn grants_in_two_namespaces_are_enough() -> Done {
    grants_are_enough(cluster::shared().await?, Scope::Namespaces).await
}

/// Installs a release, and has it do all that it does.
pub(crate) async fn grants_are_enough(cluster: &Cluster<'_>, scope: Scope) -> Done {
    let team = Team::new(cluster.testbed, "reconciled").await?;
    let name = &team.space.name;
    cluster.namespace(&format!("{name}-b")).await?;
    let release = Release::new(cluster, &format!("{name}-r"), &format!("{name}-home"));
    let namespaces = match scope {
        Scope::Cluster => "reconciler.namespaces=null".to_owned(),
        Scope::Namespaces => format!("reconciler.namespaces={{{name},{name}-b}}"),
    };
    let times = "reconciler.extraArgs={--lease-duration=3s,--lease-renew-deadline=2s,--lease-retry-period=500ms,--status-interval=1s}";
    let flags = ["--wait", "--set", "enforcement=none,reconciler.mode=manage"];
    release
        .install(&[&flags[..], &["--set", &namespaces, "--set", times]].concat())
        .await?;
    has_roles(&release, scope).await?;

    scenario::prepare(&team).await?;
    let mut replicas = replicas(&release).await?;
    for (_, replica) in &replicas {
        replica.ready().await?;
    }
    scenario::is_done(&team).await?;
    scenario::conflict_again(&team).await?;
    scenario::is_continued(&team).await?;

    // The one that leads ends, and the other goes on.
    let holder = holder(&release, &replicas).await?;
    let (_, mut first) = replicas.swap_remove(holder);
    first.signal("TERM").await?;
    assert_eq!(first.ended().await?.code(), Some(0), "{}", first.log());
    team.dataplane("cart-2", "cart", "default").await?;
    team.counts("cart", "default", 2).await?;
    let (_, second) = &replicas[0];
    second.shows("leader", 1.0).await?;
    for log in [first.log(), second.log()] {
        assert!(
            !log.contains("forbidden") && !log.contains("the grant is missing"),
            "{log}"
        );
    }
    if scope == Scope::Namespaces {
        waits_for_the_other(&release, &format!("{name}-b")).await?;
    }
    release.uninstall().await.map(drop)
}

/// A grant that is missing in one of the namespaces keeps a replica from being ready, and it names it.
async fn waits_for_the_other(release: &Release<'_>, namespace: &str) -> Done {
    let binding = [
        "delete",
        "rolebinding",
        "-n",
        namespace,
        &release.full_name(),
    ];
    release.cluster.kubectl(&binding).await?;
    let (_, late) = replicas(release).await?.swap_remove(0);
    let sentence = "cannot list dataplanes.kuma.io: the grant is missing";
    eventually("what it waits for is named", async || {
        match late.page("/readyz").await {
            Ok((503, said)) if said.contains(sentence) && said.contains(namespace) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await
}

/// What it may do beyond its own namespace is granted in the whole cluster, or in these namespaces alone.
async fn has_roles(release: &Release<'_>, scope: Scope) -> Done {
    let label = format!("app.kubernetes.io/instance={}", release.name);
    let get = |kind| ["get", kind, "-A", "-o", "name", "-l", &label];
    let wide = release.cluster.kubectl(&get("clusterroles")).await?;
    let narrow = release.cluster.kubectl(&get("roles")).await?;
    let counted = (wide.lines().count(), narrow.lines().count());
    match scope {
        Scope::Cluster => assert_eq!(counted, (1, 1)),
        Scope::Namespaces => assert_eq!(counted, (0, 3)),
    }
    Ok(())
}

/// The program for each Pod, by its name.
async fn replicas(release: &Release<'_>) -> Result<Vec<(String, Reconciler)>, Error> {
    let cluster: &Cluster<'_> = release.cluster;
    let arguments = arguments(release).await?;
    assert_eq!(arguments[0], "run");
    let mut replicas = Vec::new();
    for pod in pods(release).await? {
        let kubeconfig = account::kubeconfig(cluster, &pod).await?;
        // In a Pod, its host has its name.
        let identity = format!("--lease-identity={}", pod.name_any());
        let flags = arguments[1..].iter().chain([&identity]);
        let flags: Vec<_> = flags.map(String::as_str).collect();
        let replica = Reconciler::begin(cluster.testbed, &kubeconfig, &flags)?;
        replicas.push((pod.name_any(), replica));
    }
    assert_eq!(replicas.len(), 2);
    Ok(replicas)
}

/// Which of them holds the Lease, which has the release's name.
async fn holder(release: &Release<'_>, replicas: &[(String, Reconciler)]) -> Result<usize, Error> {
    let client = release.cluster.client().await?;
    let leases: Api<Lease> = Api::namespaced(client, &release.namespace);
    eventually("a replica holds the Lease", async || {
        let lease = leases.get(&release.full_name()).await;
        let lease = lease.map_err(|error| error.to_string())?;
        let holder = lease
            .spec
            .unwrap_or_default()
            .holder_identity
            .unwrap_or_default();
        let is_holder = |(name, _): &(String, Reconciler)| holder.starts_with(&format!("{name}_"));
        replicas.iter().position(is_holder).ok_or(holder)
    })
    .await
}

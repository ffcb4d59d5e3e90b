//! Each verb that the chart grants the reconciler, taken away: what it says, and that nothing else is
//! refused. Given again, all goes on.

use std::collections::BTreeSet;

use futures::{StreamExt, stream};
use k8s_openapi::api::rbac::v1::{ClusterRole, PolicyRule, Role};
use kube::Api;
use kube::api::PostParams;
use kuma_workload_testbed::{Error, Proxy, Replica, Team, eventually};

use crate::cluster::{self, Cluster};
use crate::helm::Release;
use crate::release::{Done, arguments};
use crate::scenario;

/// How many are tried at the same time: most of it is waiting.
const AT_A_TIME: usize = 4;

/// When it is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Need {
    /// From the beginning, or as soon as there is something to do.
    Always,
    /// Where an event is continued.
    ConflictAgain,
    /// Where a write is refused as stale.
    StaleWrite,
    /// The same as `Always`, but the reconciler does without: it does not try it again soon.
    Optional,
}

use Need::{Always, ConflictAgain, Optional, StaleWrite};

/// Each grant, and when it is needed.
const GRANTS: [(&str, &str, Need); 24] = [
    ("list", "dataplanes.kuma.io", Always),
    ("watch", "dataplanes.kuma.io", Always),
    ("list", "dataplaneinsights.kuma.io", Always),
    ("watch", "dataplaneinsights.kuma.io", Always),
    ("list", "workloads.kuma.io", Always),
    ("watch", "workloads.kuma.io", Always),
    ("get", "workloads.kuma.io", StaleWrite),
    ("create", "workloads.kuma.io", Always),
    ("patch", "workloads.kuma.io", Always),
    ("delete", "workloads.kuma.io", Always),
    ("patch", "workloads/status.kuma.io", Always),
    ("list", "meshes.kuma.io", Optional),
    ("watch", "meshes.kuma.io", Always),
    ("list", "namespaces", Always),
    ("watch", "namespaces", Always),
    ("list", "pods", Always),
    ("watch", "pods", Always),
    ("list", "events.events.k8s.io", Optional),
    ("get", "events.events.k8s.io", ConflictAgain),
    ("create", "events.events.k8s.io", Always),
    ("patch", "events.events.k8s.io", ConflictAgain),
    ("get", "leases.coordination.k8s.io", Always),
    ("create", "leases.coordination.k8s.io", Always),
    ("update", "leases.coordination.k8s.io", Always),
];

/// What the reconciler says without it.
fn sentence(verb: &str, resource: &str) -> String {
    match resource {
        "workloads/status.kuma.io" => {
            "cannot patch the status of workloads.kuma.io: the grant is missing".to_owned()
        }
        _ => format!("cannot {verb} {resource}: the grant is missing"),
    }
}

/// Installs a release whose reconciler looks after this namespace alone, with grants of the whole cluster.
async fn release<'a>(cluster: &'a Cluster<'a>, team: &Team<'_>) -> Result<Release<'a>, Error> {
    let name = &team.space.name;
    let release = Release::new(cluster, name, name);
    let values = format!(
        "enforcement=none,reconciler.mode=manage,reconciler.identifiers=pods,reconciler.namespaceSelector=team={name},\
         reconciler.extraArgs={{--lease-duration=3s,--lease-renew-deadline=2s,--lease-retry-period=500ms,--status-interval=1s}}"
    );
    release
        .install(&["--set", &values.replace("team=", "team\\=")])
        .await?;
    Ok(release)
}

#[tokio::test]
async fn each_that_is_missing_has_a_sentence() -> Done {
    let cluster = cluster::shared().await?;
    let tried = stream::iter(GRANTS).map(async |(verb, resource, need)| {
        let tried = without(cluster, verb, resource, need).await;
        tried.map_err(|error| Error::new(format!("{verb} {resource}: {error}")))
    });
    let tried: Vec<_> = tried.buffer_unordered(AT_A_TIME).collect().await;
    let failed: Vec<_> = tried.into_iter().filter_map(Result::err).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    Ok(())
}

/// The chart grants these, and nothing else.
#[tokio::test]
async fn these_are_all_that_the_chart_grants() -> Done {
    let cluster = cluster::shared().await?;
    let team = Team::new(cluster.testbed, "granted").await?;
    let release = release(cluster, &team).await?;
    let (role, lease) = roles(&release).await?;
    let rules = role.rules.into_iter().chain(lease.rules).flatten();
    let live: BTreeSet<_> = rules.flat_map(|rule| grants(&rule)).collect();
    let all = GRANTS
        .into_iter()
        .map(|(verb, resource, _)| (verb.to_owned(), resource.to_owned()));
    assert_eq!(live, all.collect());
    release.uninstall().await.map(drop)
}

/// The grants of a rule, as sentences name them.
fn grants(rule: &PolicyRule) -> Vec<(String, String)> {
    let groups = rule.api_groups.iter().flatten();
    let resources = rule.resources.iter().flatten();
    groups
        .flat_map(|group| resources.clone().map(move |resource| name(group, resource)))
        .flat_map(|resource| {
            rule.verbs
                .iter()
                .map(move |verb| (verb.clone(), resource.clone()))
        })
        .collect()
}

fn name(group: &str, resource: &str) -> String {
    match group {
        "" => resource.to_owned(),
        _ => format!("{resource}.{group}"),
    }
}

async fn roles(release: &Release<'_>) -> Result<(ClusterRole, Role), Error> {
    let client = release.cluster.client().await?;
    let roles: Api<ClusterRole> = Api::all(client.clone());
    let leases: Api<Role> = Api::namespaced(client, &release.namespace);
    let name = release.full_name();
    Ok((
        roles.get(&name).await?,
        leases.get(&format!("{name}-lease")).await?,
    ))
}

/// Puts these rules in the place of those that are there.
async fn put(release: &Release<'_>, rules: &(ClusterRole, Role)) -> Done {
    let client = release.cluster.client().await?;
    let (mut role, mut lease) = roles(release).await?;
    let name = release.full_name();
    (role.rules, lease.rules) = (rules.0.rules.clone(), rules.1.rules.clone());
    let roles: Api<ClusterRole> = Api::all(client.clone());
    roles.replace(&name, &PostParams::default(), &role).await?;
    let leases: Api<Role> = Api::namespaced(client, &release.namespace);
    leases
        .replace(&format!("{name}-lease"), &PostParams::default(), &lease)
        .await?;
    Ok(())
}

/// A rule without a verb on a resource: one for each resource that it had.
fn split(rule: &PolicyRule, verb: &str, resource: &str) -> Vec<PolicyRule> {
    let group = rule.api_groups.iter().flatten().next().unwrap();
    let resources = rule.resources.iter().flatten();
    let of_resource = |of: &String| {
        let mut rule = rule.clone();
        rule.resources = Some(vec![of.clone()]);
        rule.verbs
            .retain(|own| name(group, of) != resource || own != verb);
        rule
    };
    resources
        .map(of_resource)
        .filter(|rule| !rule.verbs.is_empty())
        .collect()
}

async fn without(cluster: &Cluster<'_>, verb: &str, resource: &str, need: Need) -> Done {
    let team = Team::new(cluster.testbed, "grants").await?;
    let release = release(cluster, &team).await?;
    let whole = roles(&release).await?;
    let mut taken = whole.clone();
    for rules in [&mut taken.0.rules, &mut taken.1.rules] {
        let rules = rules.as_mut().unwrap();
        *rules = rules
            .iter()
            .flat_map(|rule| split(rule, verb, resource))
            .collect();
    }
    assert_ne!(taken, whole, "the chart does not grant it");
    put(&release, &taken).await?;

    scenario::prepare(&team).await?;
    let account = format!(
        "system:serviceaccount:{}:{}",
        release.namespace,
        release.full_name()
    );
    let proxy = Proxy::of_account(cluster.testbed, &account).await?;
    let mut flags = arguments(&release).await?.split_off(1);
    flags.push(format!("--lease-namespace={}", release.namespace));
    let flags: Vec<_> = flags.iter().map(String::as_str).collect();
    let replica = Replica::start(cluster.testbed, proxy, &flags)?;
    match need {
        Always | Optional => (),
        ConflictAgain => scenario::conflict_again(&team).await?,
        StaleWrite => scenario::stale_write(&team, &replica).await?,
    }
    says_so(&replica, verb, resource).await?;

    if need != Optional {
        put(&release, &whole).await?;
    }
    replica.reconciler.ready().await?;
    match need {
        Always | Optional => scenario::is_done(&team).await?,
        ConflictAgain => scenario::is_continued(&team).await?,
        StaleWrite => team.counts("cart", "default", 2).await.map(drop)?,
    }
    release.uninstall().await.map(drop)
}

/// It says once that this grant is missing, and nothing else is.
async fn says_so(replica: &Replica, verb: &str, resource: &str) -> Done {
    let sentence = sentence(verb, resource);
    replica.reconciler.says(&sentence).await?;
    let resource = resource.split('.').next().unwrap();
    let refused = format!("{verb} {resource}");
    eventually("it is refused", async || {
        let asked = replica.proxy.asked_to(&refused);
        match asked.iter().any(|asked| asked.answer == Some(403)) {
            true => Ok(()),
            false => Err(format!("{asked:?}")),
        }
    })
    .await?;
    let others: Vec<_> = replica
        .proxy
        .asked()
        .into_iter()
        .filter(|asked| asked.answer == Some(403) && !asked.is(&refused))
        .collect();
    let said = replica.reconciler.said("the grant is missing");
    let once = said.len() == 1 && said[0].contains(&sentence);
    match once && others.is_empty() {
        true => Ok(()),
        false => Err(Error::new(format!("{said:#?}, and refused: {others:?}"))),
    }
}

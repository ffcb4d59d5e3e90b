//! Every way from one mode, policy server and setting to another, and back. Kubewarden refuses the way
//! from protect to monitor, and any change of `policyServer`, and the testbed's definition does, too.

use std::collections::BTreeSet;

use kube::api::{ApiResource, DynamicObject, GroupVersionKind, ListParams, Patch, PatchParams};
use kube::{Api, ResourceExt};
use kuma_workload_testbed::Error;
use rstest::rstest;
use serde_json::json;

use crate::cluster::{self, Cluster};
use crate::helm::Release;
use crate::release::Done;

/// What a release is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct State {
    mode: &'static str,
    server: &'static str,
    action: &'static str,
}

/// All of them.
fn states() -> impl Iterator<Item = State> {
    let modes = ["monitor", "protect"].into_iter();
    modes.flat_map(|mode| {
        ["one", "other"].into_iter().flat_map(move |server| {
            ["deny", "warn"].into_iter().map(move |action| State {
                mode,
                server,
                action,
            })
        })
    })
}

/// To each of the others with an upgrade, and back with a rollback. Each case has policy servers of its
/// own, since the policies' names are not the release's.
#[rstest]
#[case::monitor_one_deny("monitor", "one", "deny")]
#[case::monitor_one_warn("monitor", "one", "warn")]
#[case::monitor_other_deny("monitor", "other", "deny")]
#[case::monitor_other_warn("monitor", "other", "warn")]
#[case::protect_one_deny("protect", "one", "deny")]
#[case::protect_one_warn("protect", "one", "warn")]
#[case::protect_other_deny("protect", "other", "deny")]
#[case::protect_other_warn("protect", "other", "warn")]
#[tokio::test]
async fn to_all_others_and_back(
    #[case] mode: &'static str,
    #[case] server: &'static str,
    #[case] action: &'static str,
) -> Done {
    let cluster = cluster::shared().await?;
    let from = State {
        mode,
        server,
        action,
    };
    let name = format!("{mode}-{server}-{action}");
    let release = Release::new(cluster, &name, &name);
    let flags = |state: State| {
        let State {
            mode,
            server,
            action,
        } = state;
        format!(
            "reconciler.enabled=false,policyServer.rbac.create=false,mode={mode},settings.action={action},policyServer.name={name}-{server}"
        )
    };
    release.install(&["--set", &flags(from)]).await?;
    has(&release, from).await?;
    for to in states().filter(|state| *state != from) {
        release.upgrade(&["--set", &flags(to)]).await?;
        has(&release, to).await?;
        release.rollback(&[]).await?;
        has(&release, from).await?;
    }
    release.uninstall().await?;
    assert_eq!(policies(&release).await?, BTreeSet::new());
    Ok(())
}

/// The release has exactly the five policies of this state.
async fn has(release: &Release<'_>, state: State) -> Done {
    let State {
        mode,
        server,
        action,
    } = state;
    let server = format!("{}-{server}", release.name);
    let expected = ["namespaces", "pods", "strays", "templates", "workloads"].map(|policy| {
        let action = match policy {
            "workloads" => "",
            _ => action,
        };
        [
            format!("kuma-workload-{policy}-{mode}-{server}"),
            mode.to_owned(),
            server.clone(),
            action.to_owned(),
        ]
    });
    assert_eq!(policies(release).await?, expected.into());
    Ok(())
}

/// Name, mode, policy server and action of each policy of a release.
async fn policies(release: &Release<'_>) -> Result<BTreeSet<[String; 4]>, Error> {
    let of_release = format!("app.kubernetes.io/instance={}", release.name);
    let list = api(release.cluster)
        .await?
        .list(&ListParams::default().labels(&of_release))
        .await?;
    let of_policy = |policy: DynamicObject| {
        let spec = &policy.data["spec"];
        let fields = [
            &spec["mode"],
            &spec["policyServer"],
            &spec["settings"]["action"],
        ];
        let [mode, server, action] =
            fields.map(|field| field.as_str().unwrap_or_default().to_owned());
        [policy.name_any(), mode, server, action]
    };
    Ok(list.items.into_iter().map(of_policy).collect())
}

async fn api(cluster: &Cluster<'_>) -> Result<Api<DynamicObject>, Error> {
    let kind = GroupVersionKind::gvk("policies.kubewarden.io", "v1", "ClusterAdmissionPolicy");
    let resource = ApiResource::from_gvk_with_plural(&kind, "clusteradmissionpolicies");
    Ok(Api::all_with(cluster.client().await?, &resource))
}

/// Without this, nothing above would show anything.
#[rstest]
#[case::from_protect_to_monitor(json!({"mode": "monitor"}), "field cannot transition from protect to monitor")]
#[case::to_another_policy_server(json!({"policyServer": "another"}), "the field is immutable")]
#[tokio::test]
async fn a_policy_itself_cannot_change(
    #[case] change: serde_json::Value,
    #[case] sentence: &str,
) -> Done {
    let cluster = cluster::shared().await?;
    let name = cluster.testbed.unique("policy");
    let policies = api(cluster).await?;
    let policy = json!({
        "apiVersion": "policies.kubewarden.io/v1", "kind": "ClusterAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {
            "module": "registry://example.com/policy:v1", "mode": "protect", "mutating": false,
            "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": ["CREATE"]}],
        },
    });
    let ours = PatchParams::apply("test");
    policies.patch(&name, &ours, &Patch::Apply(&policy)).await?;
    let change = Patch::Merge(json!({"spec": change}));
    let refused = policies
        .patch(&name, &PatchParams::default(), &change)
        .await;
    policies
        .delete(&name, &kube::api::DeleteParams::default())
        .await?;
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains(sentence), "{refused}");
    Ok(())
}

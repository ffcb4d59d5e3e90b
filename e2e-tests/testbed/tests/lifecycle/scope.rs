//! Which namespaces are looked after: `--namespace` with grants in it alone, `--namespace-selector`.

use std::fs;
use std::path::PathBuf;

use kuma_workload_testbed::space::{dataplane, ours, workload};
use kuma_workload_testbed::{Error, Kind, Reconciler, Space, Testbed, User};
use serde_json::json;

use crate::{BY, Done, alone};

/// The kubeconfig of a user who has no rights but those of a Role: the administrator impersonates it.
fn impersonated(testbed: &Testbed, user: &str) -> Result<PathBuf, Error> {
    let admin = testbed.kubeconfig(User::Admin);
    let failed = |error: std::io::Error| Error::new(format!("{}: {error}", admin.display()));
    let kubeconfig = fs::read_to_string(&admin).map_err(failed)?;
    let impersonating = kubeconfig.replace("user: {token:", &format!("user: {{as: {user}, token:"));
    assert_ne!(impersonating, kubeconfig);
    let path = admin.with_file_name(format!("{user}.kubeconfig"));
    fs::write(&path, impersonating).map_err(failed)?;
    Ok(path)
}

/// What `--namespace` needs there, and the Lease.
fn grants(namespace: &str, user: &str) -> String {
    format!(
        r#"
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {{name: kuma-workload, namespace: {namespace}}}
rules:
  - {{apiGroups: [kuma.io], resources: [dataplanes, dataplaneinsights, workloads], verbs: [get, list, watch]}}
  - {{apiGroups: [kuma.io], resources: [workloads], verbs: [create, patch, update, delete]}}
  - {{apiGroups: [kuma.io], resources: [workloads/status], verbs: [patch, update]}}
  - {{apiGroups: [events.k8s.io], resources: [events], verbs: [get, list, create, patch]}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{name: kuma-workload, namespace: {namespace}}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: kuma-workload}}
subjects: [{{apiGroup: rbac.authorization.k8s.io, kind: User, name: {user}}}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{name: {user}, namespace: kuma-workload}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: kuma-workload}}
subjects: [{{apiGroup: rbac.authorization.k8s.io, kind: User, name: {user}}}]
"#
    )
}

#[tokio::test]
async fn grants_in_one_namespace_are_enough_for_it() -> Done {
    let testbed = Testbed::shared()?;
    testbed.install_kuma().await?;
    let (inside, outside) = (
        Space::new(testbed, &[]).await?,
        Space::new(testbed, &[]).await?,
    );
    let user = testbed.unique("tenant");
    testbed.apply(&grants(&inside.name, &user)).await?;
    outside.proxy("web-1", "default", "web").await?;
    inside.proxy("web-1", "default", "web").await?;
    let flags = ["--mode", "manage", "--namespace", &inside.name];
    let kubeconfig = impersonated(testbed, &user)?;
    let reconciler = Reconciler::start_as(testbed, &kubeconfig, &flags).await?;

    inside.made("web", "default").await?;
    inside.proxy("both-1", "default", "both").await?;
    inside.proxy("both-2", "mesh-2", "both").await?;
    inside.wait_for_events("MultipleMeshesDetected", 1).await?;
    // A mesh that changes: Meshes cannot be read, so no owner can be added.
    inside.proxy("web-1", "mesh-2", "web").await?;
    inside.made("web", "mesh-2").await?;
    inside.settled().await?;
    assert_eq!(outside.workloads().await?, [].into());
    // Nothing was asked for that is not granted, but for the Workloads outside, which are only counted.
    reconciler
        .shows("api_requests_total{verb=\"list\",code=\"403\"}", 1.0)
        .await?;
    assert!(
        !reconciler.log().contains("forbidden"),
        "{}",
        reconciler.log()
    );
    Ok(())
}

#[tokio::test]
async fn a_namespace_that_is_deleted_is_no_trouble_where_namespaces_are_not_watched() -> Done {
    let testbed = Testbed::shared()?;
    testbed.install_kuma().await?;
    let (going, staying) = (
        Space::new(testbed, &[]).await?,
        Space::new(testbed, &[]).await?,
    );
    let mut web = dataplane("web-1", "default", "web");
    web["metadata"]["finalizers"] = json!(["example.com/held"]);
    going.put(Kind::Dataplane, web).await?;
    let list = format!("{},{}", going.name, staying.name);
    // With the grants of the whole cluster, since a Role would go with its namespace.
    let flags = ["--mode", "manage", "--namespace", &list];
    let reconciler = Reconciler::start(testbed, &flags).await?;
    going.made("web", "default").await?;
    let delete = ["delete", "namespace", &going.name, "--wait=false"];
    testbed.kubectl(User::Admin, &delete, "").await?.ok()?;
    // It is tried a few times, each after twice as long, and nobody is told that something is wrong.
    let tried = "reconcile_total{result=\"no_namespace\"}";
    reconciler.reaches(tried, 1.0).await?;
    staying.settled().await?;
    reconciler.shows("workqueue_depth", 0.0).await?;
    let tried = reconciler.metric(tried).await?;
    assert!(tried <= 8.0, "{tried} times");
    assert_eq!(reconciler.said("is tried again"), [""; 0]);
    going.proxy("web-1", "default", "web").await
}

#[tokio::test]
async fn a_namespace_is_looked_after_while_it_has_the_label() -> Done {
    let (reconciler, team) = alone(&["--mode", "manage"], async |_| Ok(())).await?;
    let other = Space::new(team.testbed, &[]).await?;
    other.proxy("web-1", "default", "web").await?;
    other.proxy("both-1", "default", "both").await?;
    other.proxy("both-2", "mesh-2", "both").await?;
    team.settled().await?;
    assert_eq!(other.workloads().await?, [].into());
    reconciler.shows("mesh_conflicts", 0.0).await?;

    let by = namespace_label(&team).await?;
    other.label(&[(BY, &by)]).await?;
    other.made("web", "default").await?;
    other.wait_for_events("MultipleMeshesDetected", 1).await?;
    reconciler.shows("mesh_conflicts", 1.0).await?;
    // What is in it stays as it is when it loses the label, and nothing is said to be over.
    other.label(&[]).await?;
    reconciler.shows("mesh_conflicts", 0.0).await?;
    other.delete(Kind::Dataplane, "web-1").await?;
    other.proxy("cart-1", "default", "cart").await?;
    other.put(Kind::Workload, workload("cart", &[])).await?;
    team.settled().await?;
    team.proxy("both-1", "default", "both").await?;
    team.proxy("both-2", "mesh-2", "both").await?;
    team.wait_for_events("MultipleMeshesDetected", 1).await?;
    let labels = other.workloads().await?;
    assert_eq!(labels["cart"], [].into());
    assert_eq!(labels["web"], ours("default"));
    assert_eq!(other.events("MultipleMeshesResolved").await?, []);
    // Back again, all is made up for.
    other.label(&[(BY, &by)]).await?;
    other.gone("web").await?;
    other.made("cart", "default").await?;
    Ok(())
}

/// The value of the label by which its reconciler selects this namespace.
async fn namespace_label(space: &Space<'_>) -> Result<String, Error> {
    let path = format!("jsonpath={{.metadata.labels.{BY}}}");
    let get = ["get", "namespace", &space.name, "-o", &path];
    space.testbed.kubectl(User::Admin, &get, "").await?.ok()
}

//! Workload objects: written by their managers.

use kuma_workload_testbed::{Testbed, User};
use rstest::rstest;

use crate::cluster::{self, alice, denied, namespace};

async fn create(testbed: &Testbed, user: User, namespace: &str) -> kuma_workload_testbed::Output {
    let workload = "apiVersion: kuma.io/v1alpha1\nkind: Workload\nmetadata: {name: web}\nspec: {}";
    let args = ["create", "-n", namespace, "-f", "-"];
    testbed.kubectl(user, &args, workload).await.unwrap()
}

#[tokio::test]
async fn p1_made_by_hand() {
    let testbed = cluster::shared().await;
    let team = namespace(testbed).await;
    let output = create(testbed, User::Alice, &team).await;
    let sentence = denied(
        "workloads",
        "Workload \"web\" is managed automatically; \"alice\" may not create it",
    );
    assert_eq!(
        output.stderr,
        format!("Error from server: error when creating \"STDIN\": {sentence}\n")
    );
}

#[rstest]
#[case::the_control_plane(User::ControlPlane)]
#[case::the_reconciler(User::Reconciler)]
#[tokio::test]
async fn p1_made_by_a_manager(#[case] manager: User) {
    let testbed = cluster::shared().await;
    let team = namespace(testbed).await;
    let output = create(testbed, manager, &team).await;
    assert_eq!(output.stdout, "workload.kuma.io/web created\n");

    for (args, verb) in [
        (["label", "workload", "web", "mine=yes"], "change"),
        (["delete", "workload", "web", "--wait=false"], "delete"),
    ] {
        let output = alice(testbed, &[&args[..], &["-n", &team]].concat()).await;
        let sentence = format!("\"alice\" may not {verb} it");
        assert!(output.stderr.contains(&sentence), "{output:?}");
    }
    let delete = ["delete", "workload", "web", "-n", &team];
    testbed
        .kubectl(manager, &delete, "")
        .await
        .unwrap()
        .ok()
        .unwrap();
}

/// A collection is judged item by item.
#[tokio::test]
async fn p1_deleted_all_at_once() {
    let testbed = cluster::shared().await;
    let team = namespace(testbed).await;
    create(testbed, User::ControlPlane, &team)
        .await
        .ok()
        .unwrap();
    let raw = format!("/apis/kuma.io/v1alpha1/namespaces/{team}/workloads");
    let output = alice(testbed, &["delete", "--raw", &raw]).await;
    assert!(
        output.stderr.contains("\"alice\" may not delete it"),
        "{output:?}"
    );
}

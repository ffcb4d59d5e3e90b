//! What the chart renders for each file of example values is accepted by the API server, field by field.

use std::path::PathBuf;

use rstest::rstest;

use crate::cluster;
use crate::helm::Release;
use crate::release::Done;

const DRY_RUN: [&str; 6] = [
    "apply",
    "--dry-run=server",
    "--server-side",
    "--validate=strict",
    "-f",
    "-",
];

#[rstest]
#[tokio::test]
async fn all_is_accepted(
    #[files("../../charts/kuma-workload/ci/*-values.yaml")] file: PathBuf,
) -> Done {
    let cluster = cluster::shared().await?;
    for namespace in ["values", "team-a", "team-b"] {
        cluster.namespace(namespace).await?;
    }
    let release = Release::new(cluster, "values", "values");
    let manifests = release
        .template(&["--values", &file.to_string_lossy()])
        .await?;
    let accepted = cluster.kubectl_with(&DRY_RUN, &manifests).await?;
    let objects = manifests
        .lines()
        .filter(|line| line.starts_with("kind: "))
        .count();
    assert_eq!(accepted.lines().count(), objects, "{accepted}");
    Ok(())
}

#[rstest]
#[case::a_mode("mode: monitor", "mode: monitr", "Unsupported value: \"monitr\"")]
#[case::a_field("policyServer:", "policyServers:", "policyServers")]
#[tokio::test]
async fn what_is_misspelt_is_refused(
    #[case] text: &str,
    #[case] misspelt: &str,
    #[case] sentence: &str,
) -> Done {
    let cluster = cluster::shared().await?;
    cluster.namespace("values").await?;
    let release = Release::new(cluster, "values", "values");
    let manifests = release
        .template(&["--set", "reconciler.enabled=false"])
        .await?;
    let manifests = manifests.replacen(text, misspelt, 1);
    let refused = cluster
        .kubectl_with(&DRY_RUN, &manifests)
        .await
        .unwrap_err();
    assert!(refused.to_string().contains(sentence), "{refused}");
    Ok(())
}

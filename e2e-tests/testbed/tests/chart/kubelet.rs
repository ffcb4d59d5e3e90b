//! What a kubelet does for the Pods of Jobs: KWOK only says that they run.

use std::collections::BTreeSet;

use futures::StreamExt;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Patch, PatchParams};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, ResourceExt};
use kuma_workload_testbed::{Error, reconciler};
use serde_json::json;
use tokio::process::Command;

use crate::account;
use crate::cluster::Cluster;

/// Does something while the Pods of Jobs in a namespace are run: the program that is tested, with their
/// arguments and as their account. Gives what they have printed, too.
pub(crate) async fn during<T>(
    cluster: &Cluster<'_>,
    namespace: &str,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<(T, Vec<String>), Error> {
    let mut printed = Vec::new();
    let done = tokio::select! {
        done = work => done?,
        failed = run_all(cluster, namespace, &mut printed) => return Err(failed),
    };
    Ok((done, printed))
}

/// Ends only when something fails.
async fn run_all(cluster: &Cluster<'_>, namespace: &str, printed: &mut Vec<String>) -> Error {
    let client = match cluster.client().await {
        Ok(client) => client,
        Err(error) => return error,
    };
    let pods: Api<Pod> = Api::namespaced(client, namespace);
    let of_jobs = watcher::Config::default().labels("batch.kubernetes.io/job-name");
    let mut begun = BTreeSet::new();
    let mut changes = std::pin::pin!(watcher(pods.clone(), of_jobs).applied_objects());
    while let Some(change) = changes.next().await {
        let Ok(pod) = change else { continue };
        let status = pod.status.as_ref();
        let runs = status.and_then(|status| status.phase.as_deref()) == Some("Running");
        if runs && begun.insert(pod.uid()) {
            match run(cluster, &pods, &pod).await {
                Ok(said) => printed.push(said),
                Err(error) => return error,
            }
        }
    }
    Error::new("the watch of Pods has ended")
}

/// Runs a Pod's container, and writes down what has come of it.
async fn run(cluster: &Cluster<'_>, pods: &Api<Pod>, pod: &Pod) -> Result<String, Error> {
    let [container] = &pod.spec.as_ref().unwrap().containers[..] else {
        panic!("{} has several containers", pod.name_any());
    };
    assert_eq!(container.command, None, "the image's own program is meant");
    let output = Command::new(reconciler::program()?)
        .args(container.args.iter().flatten())
        .env_clear()
        .env("HOSTNAME", pod.name_any())
        .env("KUBECONFIG", account::kubeconfig(cluster, pod).await?)
        .output()
        .await
        .map_err(|error| Error::new(error.to_string()))?;
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    let phase = match output.status.success() {
        true => "Succeeded",
        false => "Failed",
    };
    let status = json!({"status": {
        "phase": phase,
        "containerStatuses": [{
            "name": container.name, "image": container.image, "imageID": "",
            "ready": false, "restartCount": 0,
            "state": {"terminated": {"exitCode": output.status.code(), "message": said}},
        }],
    }});
    let (name, patch) = (pod.name_any(), Patch::Merge(&status));
    pods.patch_status(&name, &PatchParams::default(), &patch)
        .await?;
    Ok(said)
}

//! A ServiceAccount's kubeconfig, with a token as the kubelet asks for it.

use std::fs;
use std::path::PathBuf;

use k8s_openapi::api::authentication::v1::{BoundObjectReference, TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::{Pod, ServiceAccount};
use kube::api::PostParams;
use kube::{Api, ResourceExt};
use kuma_workload_testbed::{Error, User};
use serde_json::{Value, json};

use crate::cluster::Cluster;

/// Writes what a Pod would find mounted: its account's token, which is good for as long as the Pod is
/// there, and its namespace.
pub(crate) async fn kubeconfig(cluster: &Cluster<'_>, pod: &Pod) -> Result<PathBuf, Error> {
    let spec = pod.spec.as_ref().unwrap();
    let (namespace, name) = (pod.namespace().unwrap(), pod.name_any());
    assert_eq!(
        spec.automount_service_account_token,
        Some(true),
        "Pod {name} would have no token"
    );
    let account = spec.service_account_name.as_deref().unwrap();
    let accounts: Api<ServiceAccount> = Api::namespaced(cluster.client().await?, &namespace);
    let request = TokenRequest {
        spec: Some(TokenRequestSpec {
            bound_object_ref: Some(BoundObjectReference {
                api_version: Some("v1".to_owned()),
                kind: Some("Pod".to_owned()),
                name: Some(name.clone()),
                uid: pod.uid(),
            }),
            ..TokenRequestSpec::default()
        }),
        ..TokenRequest::default()
    };
    let granted = accounts
        .create_token_request(account, &PostParams::default(), &request)
        .await?;

    let path = cluster.testbed.kubeconfig(User::Admin);
    let text = fs::read_to_string(&path).unwrap();
    let mut kubeconfig: Value = serde_saphyr::from_str(&text).unwrap();
    kubeconfig["contexts"][0]["context"]["namespace"] = namespace.clone().into();
    kubeconfig["users"][0]["user"] = json!({"token": granted.status.unwrap().token});
    // Beside the administrator's, since the path of the certificate is relative.
    let own = path.with_file_name(format!("pod-{namespace}-{name}.kubeconfig"));
    fs::write(&own, kubeconfig.to_string()).unwrap();
    Ok(own)
}

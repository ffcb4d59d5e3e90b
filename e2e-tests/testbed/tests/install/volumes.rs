//! The kubelet's part with volumes: what a projected volume of the Pod has in it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use k8s_openapi::api::authentication::v1::{BoundObjectReference, TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::{
    ConfigMap, ConfigMapProjection, Pod, ServiceAccount, ServiceAccountTokenProjection, Volume,
    VolumeProjection,
};
use kube::api::PostParams;
use kube::{Api, Client, ResourceExt};
use kuma_workload_testbed::{Error, eventually};
use serde_json::Value;

/// Writes the volumes of a Pod into this folder: where each is, by its name.
pub(crate) async fn write(
    client: &Client,
    pod: &Pod,
    folder: &Path,
) -> Result<BTreeMap<String, PathBuf>, Error> {
    let mut written = BTreeMap::new();
    for volume in pod
        .spec
        .iter()
        .flat_map(|spec| spec.volumes.iter().flatten())
    {
        let path = folder.join(&volume.name);
        for (name, content) in files(client, pod, volume).await? {
            let file = path.join(name);
            let failed = |error: std::io::Error| Error::new(format!("{}: {error}", file.display()));
            fs::create_dir_all(&path).map_err(failed)?;
            fs::write(&file, content).map_err(failed)?;
        }
        written.insert(volume.name.clone(), path);
    }
    Ok(written)
}

async fn files(
    client: &Client,
    pod: &Pod,
    volume: &Volume,
) -> Result<BTreeMap<String, String>, Error> {
    let Some(projected) = &volume.projected else {
        return Err(unknown(pod, &volume.name));
    };
    let mut files = BTreeMap::new();
    for source in projected.sources.iter().flatten() {
        files.extend(match source {
            VolumeProjection {
                service_account_token: Some(token),
                ..
            } => self::token(client, pod, token).await?,
            VolumeProjection {
                config_map: Some(map),
                ..
            } => config_map(client, pod, map).await?,
            VolumeProjection {
                downward_api: Some(downward),
                ..
            } => {
                let items = downward.items.iter().flatten();
                let of_item = |item: &k8s_openapi::api::core::v1::DownwardAPIVolumeFile| {
                    let field = item
                        .field_ref
                        .as_ref()
                        .map(|field| field.field_path.as_str());
                    Ok((
                        item.path.clone(),
                        self::field(pod, field.unwrap_or_default())?,
                    ))
                };
                items.map(of_item).collect::<Result<_, Error>>()?
            }
            _ => return Err(unknown(pod, &volume.name)),
        });
    }
    Ok(files)
}

/// A token that ends with the Pod.
async fn token(
    client: &Client,
    pod: &Pod,
    wanted: &ServiceAccountTokenProjection,
) -> Result<BTreeMap<String, String>, Error> {
    let account = pod
        .spec
        .as_ref()
        .and_then(|spec| spec.service_account_name.clone())
        .unwrap_or_default();
    let accounts: Api<ServiceAccount> =
        Api::namespaced(client.clone(), &pod.namespace().unwrap_or_default());
    let request = TokenRequest {
        spec: Some(TokenRequestSpec {
            audiences: wanted.audience.clone().map(|audience| vec![audience]),
            expiration_seconds: wanted.expiration_seconds,
            bound_object_ref: Some(BoundObjectReference {
                api_version: Some("v1".to_owned()),
                kind: Some("Pod".to_owned()),
                name: Some(pod.name_any()),
                uid: pod.uid(),
            }),
        }),
        ..TokenRequest::default()
    };
    let answer = accounts
        .create_token_request(&account, &PostParams::default(), &request)
        .await?;
    let token = answer
        .status
        .and_then(|status| status.token)
        .unwrap_or_default();
    Ok([(wanted.path.clone(), token)].into())
}

async fn config_map(
    client: &Client,
    pod: &Pod,
    wanted: &ConfigMapProjection,
) -> Result<BTreeMap<String, String>, Error> {
    let maps: Api<ConfigMap> =
        Api::namespaced(client.clone(), &pod.namespace().unwrap_or_default());
    // That of a new namespace is made a moment later.
    let what = format!("ConfigMap {} of Pod {}", wanted.name, pod.name_any());
    let map = eventually(&what, async || {
        let map = maps.get(&wanted.name).await;
        map.map_err(|error| error.to_string())
    });
    let data = map.await?.data.unwrap_or_default();
    let Some(items) = &wanted.items else {
        return Ok(data);
    };
    let of_item = |item: &k8s_openapi::api::core::v1::KeyToPath| {
        Some((item.path.clone(), data.get(&item.key)?.clone()))
    };
    Ok(items.iter().filter_map(of_item).collect())
}

/// A field of the Pod, as the downward API names it.
pub(crate) fn field(pod: &Pod, path: &str) -> Result<String, Error> {
    let object = serde_json::to_value(pod).map_err(|error| Error::new(error.to_string()))?;
    let (fields, key) = match path.split_once("['") {
        Some((fields, key)) => (fields, Some(key.trim_end_matches("']"))),
        None => (path, None),
    };
    let value = fields
        .split('.')
        .chain(key)
        .fold(&object, |value, name| &value[name]);
    match value {
        Value::String(text) => Ok(text.clone()),
        // A label or annotation that is not there is empty.
        Value::Null if key.is_some() => Ok(String::new()),
        _ => Err(Error::new(format!(
            "Pod {} has no field {path}: {value}",
            pod.name_any()
        ))),
    }
}

fn unknown(pod: &Pod, volume: &str) -> Error {
    Error::new(format!(
        "Pod {} has volume {volume} of a kind that this test cannot make; teach it to e2e-tests/testbed/tests/install/volumes.rs",
        pod.name_any()
    ))
}

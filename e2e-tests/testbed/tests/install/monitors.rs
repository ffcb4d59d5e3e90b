//! The Prometheus operator's part: from the live ServiceMonitor and PrometheusRule to what Prometheus reads.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use k8s_openapi::api::core::v1::{Pod, Service};
use kube::api::{ApiResource, DynamicObject, GroupVersionKind, ListParams};
use kube::{Api, Client, ResourceExt};
use kuma_workload_testbed::Error;
use serde_json::{Value, json};

use crate::node::Node;
use crate::probe;
use crate::told::seen;

/// A scrape job for each endpoint of each ServiceMonitor, with the labels that the operator gives.
pub(crate) async fn jobs(
    client: &Client,
    node: &Node<'_>,
    namespace: &str,
) -> Result<Vec<Value>, Error> {
    let services: Api<Service> = Api::namespaced(client.clone(), namespace);
    let mut jobs = Vec::new();
    for monitor in objects(client, namespace, "ServiceMonitor").await? {
        let spec = &monitor.data["spec"];
        let selector = selector(&spec["selector"]["matchLabels"])?;
        let selected = services
            .list(&ListParams::default().labels(&selector))
            .await?
            .items;
        for (number, endpoint) in spec["endpoints"]
            .as_array()
            .into_iter()
            .flatten()
            .enumerate()
        {
            let mut targets = Vec::new();
            for service in &selected {
                targets.extend(self::targets(service, endpoint, node)?);
            }
            jobs.push(json!({
                "job_name": format!("serviceMonitor/{namespace}/{}/{number}", monitor.name_any()),
                "honor_labels": endpoint["honorLabels"],
                "scrape_interval": endpoint["interval"],
                "scrape_timeout": endpoint["interval"],
                "static_configs": targets,
            }));
        }
    }
    Ok(jobs)
}

/// The Pods that a Service selects, at the port that an endpoint names.
fn targets(service: &Service, endpoint: &Value, node: &Node<'_>) -> Result<Vec<Value>, Error> {
    let spec = service.spec.clone().unwrap_or_default();
    let wanted = spec.selector.unwrap_or_default();
    let ports = spec.ports.unwrap_or_default();
    let port = ports
        .iter()
        .find(|port| endpoint["port"] == port.name.clone().unwrap_or_default());
    let port = port.and_then(|port| port.target_port.clone());
    let port = port.ok_or_else(|| {
        Error::new(format!(
            "Service {} has no port {}",
            service.name_any(),
            endpoint["port"]
        ))
    })?;
    let is_selected = |pod: &Pod| {
        wanted
            .iter()
            .all(|(key, value)| pod.labels().get(key) == Some(value))
    };
    let mut targets = Vec::new();
    for (pod, running) in node.running().filter(|(pod, _)| is_selected(pod)) {
        for container in pod.spec.iter().flat_map(|spec| &spec.containers) {
            let labels = json!({
                "namespace": service.namespace(), "job": service.name_any(), "service": service.name_any(),
                "endpoint": endpoint["port"], "pod": pod.name_any(), "container": container.name,
            });
            let address = SocketAddr::new(running.address, probe::port(&port, container)?);
            targets.push(json!({"targets": [address], "labels": labels}));
        }
    }
    Ok(targets)
}

/// The rules of each PrometheusRule. Their `for` is taken out, and nothing else: it is as long as nobody wants
/// to wait here.
pub(crate) async fn rules(client: &Client, namespace: &str) -> Result<Value, Error> {
    let mut groups = Vec::new();
    for object in objects(client, namespace, "PrometheusRule").await? {
        groups.extend(
            object.data["spec"]["groups"]
                .as_array()
                .cloned()
                .unwrap_or_default(),
        );
    }
    for group in &mut groups {
        for rule in group["rules"].as_array_mut().into_iter().flatten() {
            if let Some(waits) = rule.as_object_mut().and_then(|rule| rule.remove("for")) {
                seen(&format!("{} without its for: {waits}", rule["alert"]));
            }
        }
    }
    Ok(json!({"groups": groups}))
}

async fn objects(
    client: &Client,
    namespace: &str,
    kind: &str,
) -> Result<Vec<DynamicObject>, Error> {
    let resource =
        ApiResource::from_gvk(&GroupVersionKind::gvk("monitoring.coreos.com", "v1", kind));
    let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), namespace, &resource);
    let objects = api.list(&ListParams::default()).await?.items;
    match objects.is_empty() {
        true => Err(Error::new(format!(
            "there is no {kind} in namespace {namespace}"
        ))),
        false => Ok(objects),
    }
}

fn selector(labels: &Value) -> Result<String, Error> {
    let labels: BTreeMap<String, String> = serde_json::from_value(labels.clone())
        .map_err(|error| Error::new(format!("{labels}: {error}")))?;
    Ok(labels
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect::<Vec<_>>()
        .join(","))
}

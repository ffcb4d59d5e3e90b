//! The Prometheus operator's part: a Prometheus that scrapes what the live ServiceMonitor selects, and has
//! the rules of the live PrometheusRule.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;

use k8s_openapi::api::core::v1::{Pod, Service};
use kube::api::{ApiResource, DynamicObject, GroupVersionKind, ListParams};
use kube::{Api, Client, ResourceExt};
use kuma_workload_testbed::reconciler::free_address;
use kuma_workload_testbed::{Error, Program, Testbed, User, eventually, page};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::node::{self, Node};
use crate::told::{end_of, seen};

/// A Prometheus that runs. It ends when this is dropped.
pub(crate) struct Prometheus {
    address: SocketAddr,
    program: Program,
}

impl Prometheus {
    /// Starts one for the monitors of this namespace.
    pub(crate) async fn start(
        testbed: &Testbed,
        node: &Node<'_>,
        namespace: &str,
    ) -> Result<Self, Error> {
        let client = testbed.client(User::Admin).await?;
        let folder = testbed.folder().join("prometheus");
        let failed = |error: std::io::Error| Error::new(format!("{}: {error}", folder.display()));
        fs::create_dir_all(&folder).map_err(failed)?;
        let config = json!({
            "global": {"evaluation_interval": "1s"},
            "rule_files": [folder.join("rules.yaml")],
            "scrape_configs": jobs(&client, node, namespace).await?,
        });
        fs::write(folder.join("prometheus.yaml"), config.to_string()).map_err(failed)?;
        fs::write(
            folder.join("rules.yaml"),
            rules(&client, namespace).await?.to_string(),
        )
        .map_err(failed)?;
        let address = free_address()?;
        let mut command = Command::new("prometheus");
        command
            .arg(format!(
                "--config.file={}",
                folder.join("prometheus.yaml").display()
            ))
            .arg(format!(
                "--storage.tsdb.path={}",
                folder.join("data").display()
            ))
            .arg(format!("--web.listen-address={address}"));
        let program = testbed.spawn("prometheus", &mut command)?;
        let prometheus = Self { address, program };
        eventually("Prometheus is ready", async || {
            match page::get(address, "/-/ready").await {
                Ok((200, _)) => Ok(()),
                other => Err(format!("{other:?}\n{}", end_of(&prometheus.program.log()))),
            }
        })
        .await?;
        Ok(prometheus)
    }

    /// Waits until so many targets are scraped, and there are no others.
    pub(crate) async fn scrapes(&self, count: usize) -> Result<(), Error> {
        eventually(&format!("{count} targets are scraped"), async || {
            let answer = self.ask("/api/v1/targets?state=active").await?;
            let targets = answer["data"]["activeTargets"]
                .as_array()
                .cloned()
                .unwrap_or_default();
            match targets.len() == count && targets.iter().all(|target| target["health"] == "up") {
                true => Ok(()),
                false => Err(Value::from(targets).to_string()),
            }
        })
        .await?;
        seen(&format!("{count} targets are up"));
        Ok(())
    }

    /// Waits until an expression, which has no space in it, has this value.
    pub(crate) async fn shows(&self, expression: &str, value: f64) -> Result<(), Error> {
        eventually(&format!("{expression} is {value}"), async || {
            let answer = self
                .ask(&format!("/api/v1/query?query={expression}"))
                .await?;
            match answer["data"]["result"][0]["value"][1].as_str() {
                Some(seen) if seen.parse() == Ok(value) => Ok(()),
                _ => Err(answer.to_string()),
            }
        })
        .await?;
        seen(&format!("{expression} is {value}"));
        Ok(())
    }

    /// The rule of this alert has been evaluated, and it does not fire.
    pub(crate) async fn is_silent(&self, alert: &str) -> Result<(), Error> {
        let rule = eventually(&format!("{alert} is evaluated"), async || {
            match self.rule(alert).await? {
                Some(rule) if rule["health"] == "ok" => Ok(rule),
                other => Err(format!("{other:?}")),
            }
        })
        .await?;
        match rule["state"] == "inactive" {
            true => Ok(seen(&format!("{alert} is inactive"))),
            false => Err(Error::new(format!("{alert} is not to fire yet: {rule}"))),
        }
    }

    /// Waits until this alert fires.
    pub(crate) async fn fires(&self, alert: &str) -> Result<(), Error> {
        let rule = eventually(&format!("{alert} fires"), async || {
            match self.rule(alert).await? {
                Some(rule) if rule["state"] == "firing" => Ok(rule),
                other => Err(format!("{other:?}")),
            }
        })
        .await?;
        let alert_fired = &rule["alerts"][0];
        seen(&format!(
            "{alert} fires: {} {}",
            alert_fired["labels"], alert_fired["annotations"]["description"]
        ));
        Ok(())
    }

    async fn rule(&self, alert: &str) -> Result<Option<Value>, String> {
        let answer = self.ask("/api/v1/rules?type=alert").await?;
        let groups = answer["data"]["groups"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let mut rules = groups
            .iter()
            .filter_map(|group| group["rules"].as_array())
            .flatten();
        Ok(rules.find(|rule| rule["name"] == alert).cloned())
    }

    async fn ask(&self, path: &str) -> Result<Value, String> {
        let (_, body) = page::get(self.address, path)
            .await
            .map_err(|error| error.to_string())?;
        serde_json::from_str(&body).map_err(|error| format!("{path}: {error}: {body}"))
    }
}

/// A scrape job for each endpoint of each ServiceMonitor, with the labels that the operator gives.
async fn jobs(client: &Client, node: &Node<'_>, namespace: &str) -> Result<Vec<Value>, Error> {
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
            let address = SocketAddr::new(running.address, node::port(&port, container)?);
            targets.push(json!({"targets": [address], "labels": labels}));
        }
    }
    Ok(targets)
}

/// The rules of each PrometheusRule. Their `for` is taken out, and nothing else: it is as long as nobody wants
/// to wait here.
async fn rules(client: &Client, namespace: &str) -> Result<Value, Error> {
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

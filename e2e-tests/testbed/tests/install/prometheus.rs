//! A real Prometheus.

use std::fs;
use std::net::SocketAddr;

use kuma_workload_testbed::reconciler::free_address;
use kuma_workload_testbed::{Error, Program, Testbed, User, eventually, page};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::monitors;
use crate::node::Node;
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
            "scrape_configs": monitors::jobs(&client, node, namespace).await?,
        });
        fs::write(folder.join("prometheus.yaml"), config.to_string()).map_err(failed)?;
        fs::write(
            folder.join("rules.yaml"),
            monitors::rules(&client, namespace).await?.to_string(),
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
                other => Err(other.unwrap_or_default().to_string()),
            }
        })
        .await?;
        if rule["state"] != "inactive" {
            return Err(Error::new(format!("{alert} is not to fire yet: {rule}")));
        }
        seen(&format!("{alert} is inactive"));
        Ok(())
    }

    /// Waits until this alert fires.
    pub(crate) async fn fires(&self, alert: &str) -> Result<(), Error> {
        let rule = eventually(&format!("{alert} fires"), async || {
            match self.rule(alert).await? {
                Some(rule) if rule["state"] == "firing" => Ok(rule),
                other => Err(other.unwrap_or_default().to_string()),
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

//! `record-exchanges`: runs the script of exchanges on a real API server, with etcd behind it.
#![forbid(unsafe_code)]

use std::{error::Error, path::PathBuf, process::Command, time::Duration};

use axum::body::{self, Body};
use clap::Parser;
use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};
use kuma_workload_simulation::exchanges::{
    Action, Exchange, Kept, Normaliser, Step, events, request, steps,
};

/// Records the exchanges of a script, and prints them, one a line.
#[derive(Debug, Parser)]
struct CommandLine {
    /// The folder of a testbed: `e2e-tests/testbed/start` makes one.
    testbed: PathBuf,
    /// The script.
    script: PathBuf,
}

type Failure = Box<dyn Error>;

struct Recorder {
    client: Client,
    testbed: PathBuf,
    kept: Kept,
    normaliser: Normaliser,
}

fn main() -> Result<(), Failure> {
    let line = CommandLine::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut recorder = Recorder::connect(line.testbed).await?;
        for step in steps(&std::fs::read_to_string(&line.script)?)? {
            if let Some(exchange) = recorder.step(&step).await? {
                println!("{}", serde_json::to_string(&exchange)?);
            }
        }
        Ok(())
    })
}

impl Recorder {
    async fn connect(testbed: PathBuf) -> Result<Self, Failure> {
        let kubeconfig = Kubeconfig::read_from(testbed.join("admin.kubeconfig"))?;
        let options = KubeConfigOptions::default();
        let mut config = Config::from_custom_kubeconfig(kubeconfig, &options).await?;
        // A refusal is an answer.
        config.default_retry = false;
        Ok(Self {
            client: Client::try_from(config)?,
            testbed,
            kept: Kept::default(),
            normaliser: Normaliser::default(),
        })
    }

    async fn step(&mut self, step: &Step) -> Result<Option<Exchange>, Failure> {
        match &step.action {
            Action::Compact => self.compact().await?,
            Action::Subresource => self.add_subresource().await?,
            Action::Terminating => tokio::time::sleep(Duration::from_secs(3)).await,
            Action::Gone => self.until_gone(&step.path).await?,
            Action::Request { .. } | Action::Watch => return self.exchange(step).await.map(Some),
        }
        Ok(None)
    }

    async fn ask(
        &self,
        request: http::Request<Vec<u8>>,
    ) -> Result<(http::response::Parts, String), Failure> {
        let request = request.map(kube::client::Body::from);
        let (parts, body) = self.client.send(request).await?.into_parts();
        let body = body::to_bytes(Body::new(body), usize::MAX).await?;
        Ok((parts, String::from_utf8(body.to_vec())?))
    }

    async fn exchange(&mut self, step: &Step) -> Result<Exchange, Failure> {
        let (parts, text) = self.ask(request(step, &self.kept)?).await?;
        if let Some(name) = &step.name {
            self.kept.keep(name, &text);
        }
        let header = |name: &str| {
            let value = parts.headers.get(name);
            value
                .and_then(|value| value.to_str().ok())
                .map(str::to_owned)
        };
        let is_watch = step.action == Action::Watch && parts.status.is_success();
        Ok(Exchange {
            step: step.line.clone(),
            code: parts.status.as_u16(),
            content_type: header("content-type").unwrap_or_default(),
            retry_after: header("retry-after"),
            body: match is_watch {
                true => self.normaliser.value(events(&text)),
                false => self.normaliser.body(&text),
            },
        })
    }

    async fn get(&self, path: &str) -> Result<(u16, String), Failure> {
        let (parts, body) = self.ask(http::Request::get(path).body(Vec::new())?).await?;
        Ok((parts.status.as_u16(), body))
    }

    async fn until_gone(&self, path: &str) -> Result<(), Failure> {
        while self.get(path).await?.0 != 404 {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        Ok(())
    }

    /// Through etcd's gateway for JSON: the API server offers no such thing.
    async fn compact(&self) -> Result<(), Failure> {
        let ports = std::fs::read_to_string(self.testbed.join("ports"))?;
        let port = ports
            .lines()
            .find_map(|line| line.strip_prefix("etcd_port="));
        let port = port.ok_or("the testbed names no port of etcd")?;
        let list = self.get("/api/v1/namespaces?limit=1").await?.1;
        let list: serde_json::Value = serde_json::from_str(&list)?;
        let revision = &list["metadata"]["resourceVersion"];
        let url = format!("http://127.0.0.1:{port}/v3/kv/compaction");
        let body = format!(r#"{{"revision":{revision},"physical":true}}"#);
        let status = Command::new("curl")
            .args(["-sSf", "-o", "/dev/null", "-d", &body, &url])
            .status()?;
        status
            .success()
            .then_some(())
            .ok_or("etcd was not compacted")?;
        Ok(())
    }

    async fn add_subresource(&self) -> Result<(), Failure> {
        let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/workloads.kuma.io";
        let patch =
            r#"[{"op":"add","path":"/spec/versions/0/subresources","value":{"status":{}}}]"#;
        let request =
            http::Request::patch(path).header("content-type", "application/json-patch+json");
        self.ask(request.body(patch.as_bytes().to_vec())?).await?;
        while !self
            .get("/apis/kuma.io/v1alpha1")
            .await?
            .1
            .contains("workloads/status")
        {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        // The handler is replaced a moment later than discovery says so.
        tokio::time::sleep(Duration::from_secs(2)).await;
        Ok(())
    }
}

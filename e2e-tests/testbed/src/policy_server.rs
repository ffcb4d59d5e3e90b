//! Several policies behind HTTPS, in programs of their own, registered with the API server: the real
//! policy-server where `POLICY_SERVER` names its program, else this package's `policy-webhook`.
//!
//! What measures them asks them as the API server does, by AdmissionReviews.

use std::collections::BTreeMap;
use std::env;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use http::Request;
use k8s_openapi::api::admissionregistration::v1::ValidatingWebhookConfiguration;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;

use crate::certificate::Certificate;
use crate::registration::{self, ClusterAdmissionPolicy};
use crate::{Error, Program, Testbed, User, eventually};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A policy to be hosted.
#[derive(Clone, Debug)]
pub struct Hosted {
    /// Its module.
    pub module: PathBuf,
    /// Its ClusterAdmissionPolicy.
    pub manifest: Value,
}

impl Hosted {
    /// The policy of `examples/policies/pods.yaml` under another name, with these settings over its own.
    ///
    /// # Errors
    /// When the example is no policy.
    pub fn pods(module: &Path, name: &str, settings: Value) -> Result<Self, Error> {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../examples/policies/pods.yaml"
        );
        let failed = |error: &dyn std::error::Error| Error::new(format!("{path}: {error}"));
        let text = fs::read_to_string(path).map_err(|error| failed(&error))?;
        let mut manifest: Value = serde_saphyr::from_str(&text).map_err(|error| failed(&error))?;
        manifest["metadata"]["name"] = name.into();
        if let Value::Object(settings) = settings {
            for (setting, value) in settings {
                manifest["spec"]["settings"][setting] = value;
            }
        }
        Ok(Self {
            module: module.to_owned(),
            manifest,
        })
    }
}

/// Policies, hosted and registered. They end when this is dropped.
#[derive(Debug)]
pub struct PolicyServer {
    programs: Vec<Program>,
    is_real: bool,
    kubeconfigs: BTreeMap<String, Value>,
}

/// One of the policies, to be asked.
#[derive(Clone)]
pub struct Reviewer {
    client: Client,
    path: String,
}

impl PolicyServer {
    /// Hosts these policies, by `POLICY_SERVER` or by this `policy-webhook`, and registers them.
    ///
    /// # Errors
    /// When a policy cannot be hosted, or the API server says something against it.
    pub async fn start(
        testbed: &Testbed,
        policy_webhook: &Path,
        policies: &[Hosted],
    ) -> Result<Self, Error> {
        let real = env::var_os("POLICY_SERVER").map(PathBuf::from);
        let programs = match &real {
            Some(program) => vec![real_one(testbed, program, policies).await?],
            None => own_ones(testbed, policy_webhook, policies).await?,
        };
        Ok(Self {
            programs,
            is_real: real.is_some(),
            kubeconfigs: addresses(testbed).await?,
        })
    }

    /// Whether it is the real policy-server.
    #[must_use]
    pub fn is_real(&self) -> bool {
        self.is_real
    }

    /// Somebody who asks the policy of this name.
    ///
    /// # Errors
    /// When there is no such policy.
    pub async fn reviewer(&self, policy: &str) -> Result<Reviewer, Error> {
        let id = format!("clusterwide-{policy}");
        let unknown = || Error::new(format!("no policy {policy} is registered"));
        let kubeconfig = self.kubeconfigs.get(&id).ok_or_else(unknown)?.clone();
        let failed = |error: String| Error::new(format!("policy {policy}: {error}"));
        let kubeconfig: Kubeconfig =
            serde_json::from_value(kubeconfig).map_err(|error| failed(error.to_string()))?;
        let options = KubeConfigOptions::default();
        let config = Config::from_custom_kubeconfig(kubeconfig, &options).await;
        Ok(Reviewer {
            client: Client::try_from(config.map_err(|error| failed(error.to_string()))?)?,
            path: format!("/validate/{id}"),
        })
    }

    /// How much has been logged so far.
    ///
    /// # Errors
    /// When a log cannot be read.
    pub fn logged(&self) -> Result<Vec<u64>, Error> {
        let sizes = self.programs.iter().map(|program| {
            let file = fs::metadata(program.log_file());
            file.map(|file| file.len())
                .map_err(|error| unreadable(program, &error))
        });
        sizes.collect()
    }

    /// The lines of level ERROR that have been logged since.
    ///
    /// # Errors
    /// When a log cannot be read.
    pub fn errors_since(&self, logged: &[u64]) -> Result<Vec<String>, Error> {
        let mut errors = Vec::new();
        for (program, &from) in self.programs.iter().zip(logged) {
            let failed = |error: std::io::Error| unreadable(program, &error);
            let mut log = File::open(program.log_file()).map_err(failed)?;
            log.seek(SeekFrom::Start(from)).map_err(failed)?;
            for line in BufReader::new(log).lines() {
                let line = line.map_err(failed)?;
                if line.contains("ERROR") {
                    errors.push(line);
                }
            }
        }
        Ok(errors)
    }
}

impl Reviewer {
    /// Asks, with the bytes of an AdmissionReview, and gives the answer's.
    ///
    /// # Errors
    /// When the answer is none.
    pub async fn review(&self, review: Vec<u8>) -> Result<String, Error> {
        let request = Request::post(&self.path)
            .header("content-type", "application/json")
            .body(review)
            .map_err(|error| Error::new(error.to_string()))?;
        Ok(self.client.request_text(request).await?)
    }
}

fn unreadable(program: &Program, error: &std::io::Error) -> Error {
    Error::new(format!("{}: {error}", program.log_file().display()))
}

/// policy-server: one program, whatever modules there are.
async fn real_one(
    testbed: &Testbed,
    program: &Path,
    policies: &[Hosted],
) -> Result<Program, Error> {
    let folder = testbed.folder().join("policy-server");
    let failed = |error: std::io::Error| Error::new(format!("{}: {error}", folder.display()));
    fs::create_dir_all(&folder).map_err(failed)?;
    let mut listed = serde_json::Map::new();
    let mut registered = Vec::new();
    for (number, policy) in policies.iter().enumerate() {
        let read = manifest(&folder, number, std::slice::from_ref(&policy.manifest))?;
        let spec = &policy.manifest["spec"];
        for read in registration::load(&read)? {
            let entry = json!({
                "module": format!("file://{}", absolute(&policy.module)?.display()),
                "settings": spec["settings"],
                "contextAwareResources": spec["contextAwareResources"],
                // What Kubewarden's controller writes for policies of the whole cluster.
                "hostCapabilities": ["*"],
            });
            listed.insert(read.id(), entry);
            registered.push(read);
        }
    }
    let certificate = Certificate::new(HERE)?;
    let file = |name: &str, text: &str| -> Result<PathBuf, Error> {
        let path = folder.join(name);
        fs::write(&path, text).map_err(failed)?;
        Ok(path)
    };
    let (port, readiness) = (free_port().await?, free_port().await?);
    let mut command = Command::new(program);
    command
        .current_dir(&folder)
        .env("KUBECONFIG", testbed.kubeconfig(User::PolicyServer))
        // Of this variable it takes `true` only.
        .env_remove("NO_COLOR")
        .args(["--addr", &HERE.to_string(), "--port", &port.to_string()])
        .args(["--readiness-probe-port", &readiness.to_string()])
        .arg("--policies")
        .arg(file("policies.yml", &Value::from(listed).to_string())?)
        .arg("--cert-file")
        .arg(file("certificate.pem", &certificate.pem)?)
        .arg("--key-file")
        .arg(file("key.pem", &certificate.key_pem)?);
    let mut program = testbed.spawn("policy-server", &mut command)?;
    listens(&mut program, SocketAddr::new(HERE, port)).await?;
    let address = format!("https://{HERE}:{port}");
    let configurations = registered
        .iter()
        .map(|policy: &ClusterAdmissionPolicy| policy.webhook(&address, &certificate.pem));
    let admin = testbed.client(User::Admin).await?;
    registration::register(&admin, configurations.collect()).await?;
    Ok(program)
}

/// policy-webhook: one program for each module.
async fn own_ones(
    testbed: &Testbed,
    policy_webhook: &Path,
    policies: &[Hosted],
) -> Result<Vec<Program>, Error> {
    let mut by_module: BTreeMap<&Path, Vec<Value>> = BTreeMap::new();
    for policy in policies {
        let manifests = by_module.entry(&policy.module).or_default();
        manifests.push(policy.manifest.clone());
    }
    let mut programs = Vec::new();
    for (number, (module, manifests)) in by_module.into_iter().enumerate() {
        let mut command = Command::new(policy_webhook);
        command
            .arg("--policy")
            .arg(module)
            .arg("--kubeconfig")
            .arg(testbed.kubeconfig(User::PolicyServer))
            .arg("--register")
            .arg(testbed.kubeconfig(User::Admin))
            .arg(manifest(testbed.folder(), number, &manifests)?);
        let program = testbed.spawn("policy-webhook", &mut command)?;
        // It registers its policies before it says so.
        eventually("policy-webhook listens", async || {
            let log = program.log();
            match log.contains("listening on https://") {
                true => Ok(()),
                false => Err(log),
            }
        })
        .await?;
        programs.push(program);
    }
    Ok(programs)
}

/// Writes ClusterAdmissionPolicies to a file.
fn manifest(folder: &Path, number: usize, manifests: &[Value]) -> Result<PathBuf, Error> {
    let path = folder.join(format!("policies-{number}.yaml"));
    let documents: Vec<String> = manifests.iter().map(Value::to_string).collect();
    fs::write(&path, documents.join("\n---\n"))
        .map_err(|error| Error::new(format!("{}: {error}", path.display())))?;
    Ok(path)
}

fn absolute(path: &Path) -> Result<PathBuf, Error> {
    fs::canonicalize(path).map_err(|error| Error::new(format!("{}: {error}", path.display())))
}

async fn free_port() -> Result<u16, Error> {
    let failed = |error: std::io::Error| Error::new(format!("no port is free: {error}"));
    let listener = TcpListener::bind((HERE, 0)).await.map_err(failed)?;
    Ok(listener.local_addr().map_err(failed)?.port())
}

/// Waits until a program listens there: policy-server does once it has compiled its policies.
async fn listens(program: &mut Program, address: SocketAddr) -> Result<(), Error> {
    let listening = eventually("policy-server listens", async || {
        let connected = TcpStream::connect(address).await;
        connected.map(drop).map_err(|error| error.to_string())
    });
    listening
        .await
        .map_err(|error| Error::new(format!("{error}\n{}", program.log())))
}

/// How each registered policy is reached, as a kubeconfig, by its name among all policies.
async fn addresses(testbed: &Testbed) -> Result<BTreeMap<String, Value>, Error> {
    let api: Api<ValidatingWebhookConfiguration> = Api::all(testbed.client(User::Admin).await?);
    let configurations = api.list(&Default::default()).await?;
    let mut addresses = BTreeMap::new();
    for configuration in configurations {
        let name = configuration.metadata.name.unwrap_or_default();
        for webhook in configuration.webhooks.into_iter().flatten() {
            let url = webhook.client_config.url.unwrap_or_default();
            let server = url.split("/validate/").next().unwrap_or_default();
            let authority = json!(webhook.client_config.ca_bundle);
            addresses.insert(
                name.clone(),
                json!({
                    "current-context": "policy",
                    "clusters": [{"name": "policy", "cluster": {
                        "server": server, "certificate-authority-data": authority}}],
                    "contexts": [{"name": "policy", "context": {"cluster": "policy"}}],
                }),
            );
        }
    }
    Ok(addresses)
}

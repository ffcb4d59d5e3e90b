//! `policy-webhook`: the policy behind HTTPS, for an API server on this machine.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use kuma_workload_host::Policy;
use kuma_workload_host::cluster::Handler;
use kuma_workload_host::policy::TIME_LIMIT;
use kuma_workload_testbed::live::LiveCluster;
use kuma_workload_testbed::webhook::Webhook;
use kuma_workload_testbed::{Error, registration};
use tokio::runtime::Handle;
use tokio::signal::unix::{SignalKind, signal};

/// Serves the policy to an API server on this machine, as Kubewarden's policy-server would.
///
/// What a policy in mode monitor would have answered is printed, and everything is accepted.
///
/// Without --register it prints the ValidatingWebhookConfigurations, for you to apply.
#[derive(Parser)]
#[command(version, max_term_width = 100)]
struct Options {
    /// The annotated policy.
    #[arg(long, value_name = "WASM", env = "KUMA_WORKLOAD_POLICY_WASM")]
    policy: PathBuf,
    /// As whom it asks the cluster: policy-server's own kubeconfig.
    #[arg(long, value_name = "FILE", env = "KUBECONFIG")]
    kubeconfig: PathBuf,
    /// Register the policies with this kubeconfig, an administrator's.
    #[arg(long, value_name = "FILE")]
    register: Option<PathBuf>,
    /// Where to listen.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// ClusterAdmissionPolicies: files or folders, such as examples/policies.
    #[arg(required = true)]
    policies: Vec<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

async fn run(options: Options) -> Result<(), Error> {
    let policy = Policy::load(&options.policy).map_err(|error| Error::new(error.to_string()))?;
    let mut policies = Vec::new();
    for path in &options.policies {
        policies.extend(registration::load(path)?);
    }
    let live = LiveCluster::new(
        client(&options.kubeconfig).await?,
        Handle::current(),
        TIME_LIMIT,
    );
    let cluster = Arc::new(Handler::new(live));
    let mut terminate = signal(SignalKind::terminate())
        .map_err(|error| Error::new(format!("no signals can be had: {error}")))?;
    let webhook = Webhook::serve(options.listen, &policy, policies, cluster).await?;
    match &options.register {
        Some(kubeconfig) => webhook.register(&client(kubeconfig).await?).await?,
        None => {
            for configuration in webhook.configurations() {
                let text = serde_saphyr::to_string(&configuration)
                    .map_err(|error| Error::new(error.to_string()))?;
                println!("---\n{text}");
            }
        }
    }
    eprintln!("policy-webhook: listening on https://{}", webhook.address());
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    webhook.shut_down().await
}

async fn client(path: &PathBuf) -> Result<Client, Error> {
    let unreadable =
        |error: kube::config::KubeconfigError| Error::new(format!("{}: {error}", path.display()));
    let kubeconfig = Kubeconfig::read_from(path).map_err(unreadable)?;
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
        .await
        .map_err(unreadable)?;
    Ok(Client::try_from(config)?)
}

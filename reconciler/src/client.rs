//! The way to the API server, and its errors in words.

mod kubeconfig;
mod manners;

use std::{path::PathBuf, time::Duration};

use clap::Args;
use kube::{Client, Config, client::ClientBuilder, config::KubeConfigOptions};

use self::manners::Manners;
use crate::run::metrics::CountRequests;

/// No answer within this time is an error. Watches are not meant: they last.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);

/// What kube calls its own client underneath.
type GenericService = tower::util::BoxService<
    http::Request<kube::client::Body>,
    http::Response<Box<kube::client::DynBody>>,
    tower::BoxError,
>;

/// Where the API server is, and who asks.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Connection")]
pub struct Connection {
    /// The kubeconfig file; without it, KUBECONFIG, ~/.kube/config, or the Pod's own ServiceAccount.
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig, if not the current one.
    #[arg(long, env = "KUMA_WORKLOAD_CONTEXT", value_name = "NAME")]
    pub context: Option<String>,
}

impl Connection {
    /// The configuration of a client.
    ///
    /// # Errors
    /// When the kubeconfig cannot be read or does not have the context, or there is none at all.
    pub async fn config(&self) -> Result<Config, Failure> {
        let mut config = self.given().await?;
        // Retries are ours: the client's own go on for long, and unseen.
        config.default_retry = false;
        config.connect_timeout = Some(REQUEST_TIMEOUT);
        Ok(config)
    }

    async fn given(&self) -> Result<Config, Failure> {
        let options = KubeConfigOptions {
            context: self.context.clone(),
            ..KubeConfigOptions::default()
        };
        let config = match &self.kubeconfig {
            Some(path) => kubeconfig::of_file(path, &options).await,
            None => kubeconfig::of_environment(&options).await,
        };
        config.map_err(Failure)
    }

    /// A client.
    ///
    /// # Errors
    /// As [`config`](Self::config), and when its certificates cannot be used.
    pub async fn client(&self) -> Result<Client, Failure> {
        let builder = self.builder().await?;
        Ok(builder.with_layer(&Manners::default()).build())
    }

    /// A client that shows its requests to a metric.
    ///
    /// # Errors
    /// As [`client`](Self::client).
    pub async fn counted_client(&self, counter: &CountRequests) -> Result<Client, Failure> {
        let builder = self.builder().await?.with_layer(counter);
        Ok(builder.with_layer(&Manners::default()).build())
    }

    async fn builder(&self) -> Result<ClientBuilder<GenericService>, Failure> {
        let config = self.config().await?;
        ClientBuilder::try_from(config).map_err(|error| {
            Failure::new(format!(
                "the kubeconfig cannot be used: {}",
                innermost(&error)
            ))
        })
    }
}

/// An error, as one sentence for a person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Failure(String);

impl Failure {
    /// This sentence.
    pub fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }

    /// Why a request failed: `what` is the verb and the resource, `list dataplanes.kuma.io`.
    pub fn of(what: &str, error: &kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => Self::of_status(what, status),
            error => Self(format!("cannot {what}: {}", innermost(error))),
        }
    }

    /// The same, where the API server has answered with a status.
    pub fn of_status(what: &str, status: &kube::core::Status) -> Self {
        Self(match status.code {
            // Others than the authorizer answer 403 too: webhooks, quotas.
            403 if status.message.contains("is forbidden: User ") => {
                format!("cannot {what}: the grant is missing ({})", status.message)
            }
            404 if is_unserved(status) => format!(
                "cannot {what}: the API server does not know this kind; is its CustomResourceDefinition installed?"
            ),
            code => format!(
                "cannot {what}: the API server answered {code} {}: {}",
                status.reason, status.message
            ),
        })
    }
}

/// Whether a 404 means the path and not an object.
pub fn is_unserved(status: &kube::core::Status) -> bool {
    status.code == 404
        && status
            .details
            .as_ref()
            .is_none_or(|details| details.name.is_empty())
}

/// How long the API server asks to be left alone.
pub fn retry_after(status: &kube::core::Status) -> Option<Duration> {
    let seconds = status.details.as_ref()?.retry_after_seconds;
    (seconds > 0).then(|| Duration::from_secs(seconds.into()))
}

/// Whether it is refused because its namespace is being deleted: nothing can be created there.
pub fn is_of_dying_namespace(status: &kube::core::Status) -> bool {
    let mut causes = status.details.iter().flat_map(|details| &details.causes);
    status.code == 403 && causes.any(|cause| cause.reason == "NamespaceTerminating")
}

/// The innermost cause: "Connection refused", not the layers of a client around it, nor the number
/// that the operating system has for it.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    let cause = cause.to_string();
    match cause.split_once(" (os error ") {
        Some((cause, _)) => cause.to_owned(),
        None => cause,
    }
}

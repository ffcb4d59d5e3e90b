//! Builds a client from the command line, a kubeconfig, or the Pod's own ServiceAccount.

use std::path::PathBuf;

use clap::Args;
use kube::{Client, Config, client::ClientBuilder, config::KubeConfigOptions};

use super::{
    failure::{Failure, innermost},
    kubeconfig,
    limits::{LimitRequests, REQUEST_TIMEOUT},
    requests::CountRequests,
};

/// The type of a client's service while layers are still added to it.
type GenericService = tower::util::BoxService<
    http::Request<kube::client::Body>,
    http::Response<Box<kube::client::DynBody>>,
    tower::BoxError,
>;

/// How to reach the API server.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct Connection {
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
    /// When the kubeconfig cannot be read or does not have the context, when there is none at all, and
    /// when the API server is to be reached through a proxy.
    async fn config(&self) -> Result<Config, Failure> {
        let mut config = self.find_config().await?;
        // This program retries by itself. The client would silently retry for a long time.
        config.default_retry = false;
        config.connect_timeout = Some(REQUEST_TIMEOUT);
        Ok(config)
    }

    async fn find_config(&self) -> Result<Config, Failure> {
        let options = KubeConfigOptions {
            context: self.context.clone(),
            ..KubeConfigOptions::default()
        };
        let config = match &self.kubeconfig {
            Some(path) => kubeconfig::of_file(path, &options).await,
            None => kubeconfig::of_environment(&options).await,
        };
        config.map_err(Failure::new)
    }

    /// A client for the API server.
    ///
    /// # Errors
    /// When the kubeconfig cannot be read or does not have the context, when there is none at all,
    /// and when its certificates cannot be used.
    pub(crate) async fn client(&self) -> Result<Client, Failure> {
        let builder = self.builder().await?;
        Ok(builder.with_layer(&LimitRequests::default()).build())
    }

    /// The same, with its requests counted.
    ///
    /// # Errors
    /// As [`client`](Self::client).
    pub(crate) async fn counted_client(&self, counter: &CountRequests) -> Result<Client, Failure> {
        let builder = self.builder().await?.with_layer(counter);
        Ok(builder.with_layer(&LimitRequests::default()).build())
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

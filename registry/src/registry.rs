//! Push and pull.

use std::time::Duration;

use http::HeaderValue;
use oci_client::{
    Client,
    client::{ClientConfig, ClientProtocol},
    errors::OciDistributionError,
    manifest::{OCI_IMAGE_MEDIA_TYPE, OciDescriptor, OciImageManifest, WASM_LAYER_MEDIA_TYPE},
};

use crate::{
    Action, Address, Artifact, Error, artifact,
    credentials::Credentials,
    failure::{Circumstances, innermost},
    output::Output,
};

/// All names and addresses, as `NO_PROXY` writes them.
const EVERYTHING: &str = "*,0.0.0.0/0,::/0";

/// How the registry is asked.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Without TLS, although it is another machine.
    pub plain_http: bool,
    /// How long it may be silent.
    pub timeout: Duration,
}

/// A registry, asked about one artifact.
pub struct Registry {
    client: Client,
    address: Address,
    credentials: Credentials,
    timeout: Duration,
}

impl Registry {
    /// Makes ready to ask; nothing is sent yet.
    ///
    /// # Errors
    ///
    /// When Docker's configuration cannot be used, or this machine knows no root certificates.
    pub fn new(address: Address, options: Options) -> Result<Self, Error> {
        let credentials = Credentials::of_environment(address.host())?;
        // An error would say that there is one already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let is_loopback = address.is_loopback();
        let protocol = if options.plain_http || is_loopback {
            ClientProtocol::Http
        } else {
            ClientProtocol::Https
        };
        let config = ClientConfig {
            protocol,
            // What is for this machine itself never leaves it: a proxy that is named here, and used for
            // nothing, takes the place of the environment's.
            http_proxy: is_loopback.then(|| "http://localhost".to_owned()),
            no_proxy: is_loopback.then(|| EVERYTHING.to_owned()),
            connect_timeout: Some(options.timeout),
            read_timeout: Some(options.timeout),
            user_agent: concat!("policy-registry/", env!("CARGO_PKG_VERSION")),
            // A policy is for every platform.
            platform_resolver: None,
            ..ClientConfig::default()
        };
        let client = Client::try_from(config).map_err(|error| Error::NoClient {
            why: innermost(&error).replace("unexpected error: ", ""),
        })?;
        Ok(Self {
            client,
            address,
            credentials,
            timeout: options.timeout,
        })
    }

    /// Pushes an artifact, and says which digest it has there. The manifest goes last: until the
    /// registry has all of it, the tag is where it was.
    ///
    /// # Errors
    ///
    /// When the registry refuses or fails.
    pub async fn push(&self, artifact: &Artifact) -> Result<String, Error> {
        let circumstances = self.circumstances(Action::Push);
        let pushed = self.send(artifact).await;
        let (digest, stored) = pushed.map_err(|error| circumstances.explain(&error))?;
        match stored {
            Some(stored) if stored != digest => Err(circumstances.digest(&digest, &stored)),
            _ => Ok(digest),
        }
    }

    /// Pulls a policy into a file, and says which digest it has. Manifest and layer are compared with
    /// their digests.
    ///
    /// # Errors
    ///
    /// When the registry refuses or fails, has something else than a policy, or the file cannot be
    /// written.
    pub async fn pull(&self, output: &Output) -> Result<String, Error> {
        let circumstances = self.circumstances(Action::Pull);
        let reference = self.address.reference();
        let auth = self.credentials.auth();
        let pulled = self.client.pull_image_manifest(reference, &auth).await;
        let (manifest, digest) = pulled.map_err(|error| circumstances.explain(&error))?;
        let layer = layer(&manifest).map_err(|why| Error::NoPolicy {
            artifact: self.address.to_string(),
            why,
        })?;
        let file = output.handle()?;
        let pulled = self.client.pull_blob(reference, layer, file).await;
        pulled.map_err(|error| match error {
            OciDistributionError::IoError(error) => output.failed(&error),
            error => circumstances.explain(&error),
        })?;
        Ok(digest)
    }

    /// Sends all of it; gives the manifest's digest, and the one that the registry names, if it does.
    async fn send(
        &self,
        artifact: &Artifact,
    ) -> Result<(String, Option<String>), OciDistributionError> {
        let (client, reference) = (&self.client, self.address.reference());
        client
            .store_auth_if_needed(reference.resolve_registry(), &self.credentials.auth())
            .await;
        let layer = artifact.layer.sha256_digest();
        let config = artifact.config.sha256_digest();
        let manifest = artifact.manifest()?;
        let digest = artifact::digest(&manifest);
        client
            .push_blob(reference, artifact.layer.data.clone(), &layer)
            .await?;
        client
            .push_blob(reference, artifact.config.data.clone(), &config)
            .await?;
        let media_type = HeaderValue::from_static(OCI_IMAGE_MEDIA_TYPE);
        let url = client
            .push_manifest_raw(reference, manifest, media_type)
            .await?;
        Ok((digest, digest_in(&url)))
    }

    fn circumstances(&self, action: Action) -> Circumstances<'_> {
        Circumstances {
            action,
            address: &self.address,
            user: self.credentials.user(),
            credentials: self.credentials.file.clone(),
            timeout: self.timeout,
        }
    }
}

/// The digest at the end of the URL of a manifest; some registries name the tag there.
fn digest_in(url: &str) -> Option<String> {
    let (_, last) = url.rsplit_once('/')?;
    let last = last.split('?').next()?.replace("%3A", ":");
    last.starts_with("sha256:").then_some(last)
}

/// The only layer, where it is the module of a policy.
fn layer(manifest: &OciImageManifest) -> Result<&OciDescriptor, String> {
    match manifest.layers.as_slice() {
        [layer] if layer.media_type == WASM_LAYER_MEDIA_TYPE => Ok(layer),
        [_] => Err(format!(
            "its layer is not of the type {WASM_LAYER_MEDIA_TYPE}"
        )),
        layers => Err(format!(
            "it has {} layers, and a policy has one",
            layers.len()
        )),
    }
}

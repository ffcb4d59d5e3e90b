//! kube-proxy's part: whoever calls the API server by the address of its Service gets through to it.

use std::net::SocketAddr;

use k8s_openapi::api::core::v1::Service;
use kube::{Api, Client};
use kuma_workload_testbed::{Error, Testbed, User};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::told::seen;

/// The Service `kubernetes`, served until this is dropped.
pub(crate) struct ApiServer {
    /// What a kubelet tells every container about it.
    pub(crate) environment: Vec<String>,
    server: JoinHandle<()>,
}

impl ApiServer {
    pub(crate) async fn serve(testbed: &Testbed, client: &Client) -> Result<Self, Error> {
        let services: Api<Service> = Api::namespaced(client.clone(), "default");
        let spec = services.get("kubernetes").await?.spec.unwrap_or_default();
        let host = spec.cluster_ip.unwrap_or_default();
        let port = spec
            .ports
            .unwrap_or_default()
            .first()
            .map_or(0, |port| port.port);
        let listener = TcpListener::bind(format!("{host}:{port}"))
            .await
            .map_err(|error| Error::new(format!("nobody can listen at {host}:{port}, the address of Service kubernetes: {error}; run it with e2e-tests/testbed/apart")))?;
        let url = testbed.config(User::Admin).await?.cluster_url;
        let behind = url.authority().map(ToString::to_string).unwrap_or_default();
        let behind: SocketAddr = behind
            .parse()
            .map_err(|error| Error::new(format!("the API server is at {url}: {error}")))?;
        seen(&format!(
            "Service kubernetes at {host}:{port} leads to {behind}"
        ));
        Ok(Self {
            environment: vec![
                format!("KUBERNETES_SERVICE_HOST={host}"),
                format!("KUBERNETES_SERVICE_PORT={port}"),
                format!("KUBERNETES_SERVICE_PORT_HTTPS={port}"),
            ],
            server: tokio::spawn(forward(listener, behind)),
        })
    }
}

impl Drop for ApiServer {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn forward(listener: TcpListener, to: SocketAddr) {
    while let Ok((mut here, _)) = listener.accept().await {
        tokio::spawn(async move {
            if let Ok(mut there) = TcpStream::connect(to).await {
                // Either side may end it.
                let _ = copy_bidirectional(&mut here, &mut there).await;
            }
        });
    }
}

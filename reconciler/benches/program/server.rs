//! A fake API server, with TLS, in this process: lists in pages, watches that stay open, and what the
//! program writes.

mod answer;
mod asked;
mod cluster;
mod list;
mod template;
mod watches;
mod write;

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use axum::Router;
use axum_server::{Handle, tls_rustls::RustlsConfig};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivatePkcs8KeyDer},
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::watch;

pub(crate) use self::{
    asked::{Asked, Verb, most_in_a_second},
    cluster::Cluster,
};

/// The namespace of the Lease.
pub(crate) const LEASE_NAMESPACE: &str = "kuma-workload";

/// The server. It can be away for a while.
pub(crate) struct FakeApiServer {
    shared: Arc<Shared>,
    tls: RustlsConfig,
    address: SocketAddr,
    handle: Option<Handle<SocketAddr>>,
    folder: TempDir,
}

/// What all requests share.
struct Shared {
    cluster: Mutex<Cluster>,
    /// The resourceVersion, for watches that wait for the next one.
    version: watch::Sender<u64>,
    /// The Lease, which nobody holds at first: so the program leads at once.
    lease: Mutex<Value>,
    asked: Mutex<Vec<Asked>>,
    /// Whether kinds with namespaces may be listed in the whole cluster.
    grants_cluster: AtomicBool,
    has_status_subresource: AtomicBool,
}

impl FakeApiServer {
    /// Starts it.
    pub(crate) fn start(cluster: Cluster) -> Self {
        let (tls, authority) = certificate();
        let folder = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        fs::write(folder.path().join("ca.pem"), authority).unwrap();
        fs::write(folder.path().join("config"), kubeconfig(address)).unwrap();
        let shared = Shared {
            version: watch::Sender::new(0),
            cluster: Mutex::new(cluster),
            lease: Mutex::new(lease()),
            asked: Mutex::default(),
            grants_cluster: AtomicBool::new(true),
            has_status_subresource: AtomicBool::new(true),
        };
        let mut server = Self {
            shared: Arc::new(shared),
            tls,
            address,
            handle: None,
            folder,
        };
        server.come_back();
        server
    }

    /// Nothing listens any more, and all connections are cut.
    pub(crate) fn go_away(&mut self) {
        if let Some(handle) = self.handle.take() {
            handle.shutdown();
        }
    }

    /// It listens again, at the same address.
    pub(crate) fn come_back(&mut self) {
        let listener = TcpListener::bind(self.address).unwrap();
        listener.set_nonblocking(true).unwrap();
        let handle = Handle::new();
        let router = Router::new()
            .fallback(answer::answer)
            .with_state(self.shared.clone());
        let server = axum_server::from_tcp_rustls(listener, self.tls.clone())
            .unwrap()
            .handle(handle.clone())
            .serve(router.into_make_service());
        tokio::spawn(server);
        self.handle = Some(handle);
    }

    /// Kinds with namespaces may be listed in single namespaces only.
    pub(crate) fn without_cluster_grant(self) -> Self {
        self.shared.grants_cluster.store(false, Ordering::Relaxed);
        self
    }

    /// As with Kuma's own definition of Workload, which has no status subresource.
    pub(crate) fn without_status_subresource(self) -> Self {
        let has = &self.shared.has_status_subresource;
        has.store(false, Ordering::Relaxed);
        self
    }

    /// A kubeconfig that leads here.
    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("config")
    }

    /// A file for the log of a program.
    pub(crate) fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// Reads or changes the objects.
    pub(crate) fn cluster<T>(&self, act: impl FnOnce(&mut Cluster) -> T) -> T {
        self.shared.cluster(act)
    }

    /// What was asked since then.
    pub(crate) fn asked_since(&self, since: Instant) -> Vec<Asked> {
        let asked = self.shared.asked.lock().unwrap();
        let later = asked.iter().filter(|asked| asked.at >= since);
        later.cloned().collect()
    }
}

impl Shared {
    fn cluster<T>(&self, act: impl FnOnce(&mut Cluster) -> T) -> T {
        let mut cluster = self.cluster.lock().unwrap();
        let result = act(&mut cluster);
        let version = cluster.version();
        self.version.send_if_modified(|known| {
            let before = std::mem::replace(known, version);
            before != version
        });
        result
    }
}

/// A fresh certificate, and the same as PEM, for who is to trust it.
fn certificate() -> (RustlsConfig, String) {
    let made = rcgen::generate_simple_self_signed([Ipv4Addr::LOCALHOST.to_string()]).unwrap();
    let der: CertificateDer<'static> = made.cert.der().clone();
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![der], key.into())
        .unwrap();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    (RustlsConfig::from_config(Arc::new(config)), made.cert.pem())
}

fn kubeconfig(address: SocketAddr) -> String {
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "bench",
        "contexts": [{ "name": "bench", "context": { "cluster": "bench", "user": "bench" } }],
        "users": [{ "name": "bench", "user": { "token": "bench" } }],
        "clusters": [{
            "name": "bench",
            "cluster": { "server": format!("https://{address}"), "certificate-authority": "ca.pem" },
        }],
    })
    .to_string()
}

fn lease() -> Value {
    json!({
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {
            "name": "kuma-workload", "namespace": LEASE_NAMESPACE,
            "uid": "00000000-0000-4000-8000-000000000001", "resourceVersion": "1",
        },
        "spec": { "holderIdentity": "", "leaseDurationSeconds": 1 },
    })
}

//! With TLS and without.

use std::{
    io,
    net::TcpStream,
    sync::{Arc, Mutex},
};

use rcgen::{CertificateParams, CertifiedKey, DnType, KeyPair, generate_simple_self_signed};
use rstest::rstest;
use rustls::{ServerConfig, ServerConnection, StreamOwned, pki_types::PrivateKeyDer};

use crate::{
    desk::{Desk, said},
    memory::{Memory, Registry, handler},
    policy,
    server::{Request, Server},
};

/// A name of this machine that is no loopback's for the program, so that it speaks TLS: Linux takes it
/// for 127.0.0.1.
const ANY: &str = "0.0.0.0";

/// A registry with a certificate of its own making, in PEM.
fn registry(ip: &str, subject: &str) -> (Registry, String) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed([subject.to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key);
    let config = Arc::new(config.unwrap());
    let wrap = move |stream: TcpStream| {
        let connection = ServerConnection::new(Arc::clone(&config)).map_err(io::Error::other)?;
        Ok(StreamOwned::new(connection, stream))
    };
    let memory = Arc::new(Mutex::new(Memory::default()));
    let server = Server::over(ip, handler(&memory, |_: &Request| None), wrap).unwrap();
    (Registry { server, memory }, cert.pem())
}

fn another_root() -> String {
    let mut root = CertificateParams::new(["example.com".to_owned()]).unwrap();
    root.distinguished_name
        .push(DnType::CommonName, "another root");
    let key = KeyPair::generate().unwrap();
    root.self_signed(&key).unwrap().pem()
}

#[rstest]
#[case::trusted(ANY, true, None)]
#[case::unknown(
    ANY,
    false,
    Some(
        "HOST cannot be trusted: invalid peer certificate: UnknownIssuer; if its certificates are your own, name the file with their root in SSL_CERT_FILE"
    )
)]
#[case::of_another_host(
    "192.0.2.1",
    true,
    Some(
        "HOST cannot be trusted: invalid peer certificate: certificate not valid for name \"0.0.0.0\"; certificate is only valid for IpAddress(192.0.2.1); if its certificates are your own, name the file with their root in SSL_CERT_FILE"
    )
)]
fn a_certificate(#[case] subject: &str, #[case] trusted: bool, #[case] refusal: Option<&str>) {
    let (registry, pem) = registry(ANY, subject);
    let roots = if trusted { pem } else { another_root() };
    let desk = Desk::new()
        .with("p.wasm", policy::annotated())
        .with("roots.pem", roots);
    let place = format!("{}/p:v1", registry.host());
    let mut command = desk.command(&["push", "p.wasm", &place]);
    command
        .env("SSL_CERT_FILE", desk.path("roots.pem"))
        .env_remove("SSL_CERT_DIR");
    let said = said(&mut command, &desk.path(""));
    match refusal {
        None => drop(said.line()),
        Some(refusal) => assert_eq!(said.sentence(1, registry.host()), refusal),
    }
}

#[test]
fn tls_to_a_registry_without() {
    let memory = Arc::new(Mutex::new(Memory::default()));
    let server = Server::at(ANY, handler(&memory, |_: &Request| None)).unwrap();
    let desk = Desk::new().with("p.wasm", policy::annotated());
    let place = format!("{}/p:v1", server.host);
    assert_eq!(
        desk.run(&["push", "p.wasm", &place])
            .sentence(1, &server.host),
        "HOST does not speak TLS; if it is a registry over plain HTTP and you trust the way to it, add \
         --plain-http"
    );
    assert!(
        server
            .asked()
            .iter()
            .all(|one| !one.method.starts_with("POST"))
    );
    desk.run(&["push", "--plain-http", "p.wasm", &place]).line();
}

#[rstest]
#[case::by_flag(ANY)]
#[case::to_this_machine("127.0.0.1")]
fn no_tls_to_a_registry_with_it(#[case] ip: &str) {
    let (registry, _) = registry(ip, ip);
    let desk = Desk::new().with("p.wasm", policy::annotated());
    let place = format!("{}/p:v1", registry.host());
    assert_eq!(
        desk.run(&["push", "--plain-http", "p.wasm", &place])
            .sentence(1, registry.host()),
        "HOST does not speak plain HTTP, which is spoken to this machine itself and with --plain-http; \
         name the registry by the host of its certificate, without that flag"
    );
}

#[test]
fn no_root_certificates() {
    let registry = Registry::start();
    let desk = Desk::new().with("p.wasm", policy::annotated());
    let place = format!("{}/p:v1", registry.host());
    let mut command = desk.command(&["push", "p.wasm", &place]);
    command
        .env("SSL_CERT_FILE", "/none")
        .env("SSL_CERT_DIR", "/none");
    assert_eq!(
        said(&mut command, &desk.path("")).sentence(2, registry.host()),
        "no registry can be asked from here: No CA certificates were loaded from the system; if it is the \
         root certificates, install them (Debian: ca-certificates), or name a file of them in SSL_CERT_FILE"
    );
}

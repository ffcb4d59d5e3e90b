//! Certificates for what listens here.

use std::net::IpAddr;
use std::sync::Arc;

use axum_server::tls_rustls::RustlsConfig;
use rustls::ServerConfig;
use rustls::pki_types::PrivatePkcs8KeyDer;

use crate::Error;

/// A fresh certificate for this address, which is its own authority: for the server, and for those
/// who are to trust it.
pub(crate) fn certificate(address: IpAddr) -> Result<(RustlsConfig, String), Error> {
    let failed = |error: String| Error::new(format!("no certificate can be made: {error}"));
    let made = rcgen::generate_simple_self_signed([address.to_string()])
        .map_err(|error| failed(error.to_string()))?;
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(error.to_string()))?
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key.into())
        .map_err(|error| failed(error.to_string()))?;
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok((RustlsConfig::from_config(Arc::new(tls)), made.cert.pem()))
}

//! Certificates for what listens here.

use std::net::IpAddr;
use std::sync::Arc;

use axum_server::tls_rustls::RustlsConfig;
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};

use crate::Error;

/// A fresh certificate for this address, which is its own authority.
pub(crate) struct Certificate {
    der: CertificateDer<'static>,
    key: PrivatePkcs8KeyDer<'static>,
    /// The certificate, as PEM: for those who are to trust it.
    pub(crate) pem: String,
    /// Its private key, as PEM.
    pub(crate) key_pem: String,
}

impl Certificate {
    pub(crate) fn new(address: IpAddr) -> Result<Self, Error> {
        let made = rcgen::generate_simple_self_signed([address.to_string()])
            .map_err(|error| failed(&error))?;
        Ok(Self {
            der: made.cert.der().clone(),
            key: PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()),
            pem: made.cert.pem(),
            key_pem: made.signing_key.serialize_pem(),
        })
    }

    /// How a server of ours presents it.
    pub(crate) fn server(self) -> Result<RustlsConfig, Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut tls = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| failed(&error))?
            .with_no_client_auth()
            .with_single_cert(vec![self.der], self.key.into())
            .map_err(|error| failed(&error))?;
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(RustlsConfig::from_config(Arc::new(tls)))
    }
}

fn failed(error: &dyn std::error::Error) -> Error {
    Error::new(format!("no certificate can be made: {error}"))
}

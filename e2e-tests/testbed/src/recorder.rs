//! A webhook that accepts everything and remembers what it was asked, so that the policy can be asked
//! the same.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use http::StatusCode;
use kuma_workload_host::AdmissionRequest;
use kuma_workload_host::admission::AdmissionReview;
use serde_json::{Value, json};

use crate::Error;
use crate::certificate::Certificate;

/// More than an API server sends of the largest objects.
const BODY_LIMIT: usize = 16 * 1024 * 1024;

/// Requests by the `fieldManager` that each was sent with or, where it has none (a DELETE), by
/// `NAMESPACE/NAME` of the object.
type Requests = Arc<Mutex<HashMap<String, AdmissionRequest>>>;

/// A webhook that listens for as long as the process lives.
#[derive(Debug)]
pub struct Recorder {
    address: SocketAddr,
    authority: String,
    requests: Requests,
}

impl Recorder {
    /// Listens on a free port.
    ///
    /// # Errors
    /// When nothing can listen there.
    pub fn start() -> Result<Self, Error> {
        let failed = |error: std::io::Error| Error::new(format!("the recorder: {error}"));
        let ip = Ipv4Addr::LOCALHOST.into();
        let certificate = Certificate::new(ip)?;
        let authority = certificate.pem.clone();
        let tls = certificate.server()?;
        let listener = TcpListener::bind((ip, 0)).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let requests = Requests::default();
        let service = Router::new()
            .route("/", post(record))
            .layer(DefaultBodyLimit::max(BODY_LIMIT))
            .with_state(requests.clone())
            .into_make_service();
        let server = axum_server::from_tcp_rustls(listener, tls).map_err(failed)?;
        tokio::spawn(server.serve(service));
        Ok(Self {
            address,
            authority,
            requests,
        })
    }

    /// A ValidatingWebhookConfiguration of this name by which the API server asks it about requests
    /// that these rules and this `objectSelector` select.
    #[must_use]
    pub fn configuration(&self, name: &str, rules: &Value, selector: &Value) -> Value {
        let authority = k8s_openapi::ByteString(self.authority.as_bytes().to_vec());
        json!({
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": name},
            "webhooks": [{
                "name": "recorder.example.com",
                "admissionReviewVersions": ["v1"],
                "sideEffects": "None",
                "failurePolicy": "Fail",
                "rules": rules,
                "objectSelector": selector,
                "clientConfig": {"url": format!("https://{}/", self.address), "caBundle": authority},
            }],
        })
    }

    /// What it was asked by this name, and forgets.
    #[must_use]
    pub fn take(&self, name: &str) -> Option<AdmissionRequest> {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        requests.remove(name)
    }
}

async fn record(State(requests): State<Requests>, body: Bytes) -> Response {
    let request = match serde_json::from_slice::<AdmissionReview>(&body) {
        Ok(review) => review.request,
        Err(error) => return (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    };
    let name = name(&request);
    let response = json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "response": {"uid": request.uid, "allowed": true},
    });
    let mut requests = requests.lock().unwrap_or_else(PoisonError::into_inner);
    requests.insert(name, request);
    Json(response).into_response()
}

fn name(request: &AdmissionRequest) -> String {
    let options = request.options.as_ref();
    let manager = options.and_then(|options| options["fieldManager"].as_str());
    let namespace = request.namespace.as_deref();
    let name = request.name.as_deref().filter(|name| !name.is_empty());
    // Of an object that is deleted with its collection, only the object itself tells the name.
    let old = request.old_object.as_ref();
    let name = name.or_else(|| old?["metadata"]["name"].as_str());
    let path = || {
        format!(
            "{}/{}",
            namespace.unwrap_or_default(),
            name.unwrap_or_default()
        )
    };
    manager.map_or_else(path, str::to_owned)
}

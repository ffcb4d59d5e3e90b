//! The policy behind HTTPS, asked by an API server and asking it in turn, as policy-server does:
//! several ClusterAdmissionPolicies of one module, each with its own settings, its own gate and its own
//! mode.

use std::collections::HashMap;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use axum_server::Handle;
use http::StatusCode;
use k8s_openapi::api::admissionregistration::v1::ValidatingWebhookConfiguration;
use kube::Client;
use kuma_workload_host::admission::AdmissionReview;
use kuma_workload_host::callback::Grants;
use kuma_workload_host::capability::Capabilities;
use kuma_workload_host::{AdmissionRequest, AdmissionResponse, Backend, Policy, Settings};
use serde_json::json;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::Error;
use crate::certificate::Certificate;
use crate::registration::{self, ClusterAdmissionPolicy, Mode};

/// What policy-server reads of a request at most: to more it answers 413.
const BODY_LIMIT: usize = 2 * 1024 * 1024;

/// How long requests may take that are under way when the webhook shuts down.
const GRACE: Duration = Duration::from_secs(10);

/// A webhook that listens.
#[derive(Debug)]
pub struct Webhook {
    address: SocketAddr,
    authority: String,
    policies: Vec<ClusterAdmissionPolicy>,
    handle: Handle<SocketAddr>,
    server: JoinHandle<std::io::Result<()>>,
}

/// A policy as it is asked.
struct Asked {
    policy: Policy,
    settings: Settings,
    mode: Mode,
}

struct Policies {
    asked: HashMap<String, Asked>,
    cluster: Arc<dyn Backend>,
}

impl Webhook {
    /// Listens, with a certificate of its own. Port 0 is any that is free.
    ///
    /// # Errors
    /// When the guest refuses a policy's settings, or nothing can listen there.
    pub async fn serve(
        listen: SocketAddr,
        module: &Policy,
        policies: Vec<ClusterAdmissionPolicy>,
        cluster: Arc<dyn Backend>,
    ) -> Result<Self, Error> {
        let asked = policies.iter().map(|policy| {
            let hosted = Asked {
                // Policies of the whole cluster have every host capability.
                policy: module.sibling(Grants {
                    capabilities: Capabilities::all(),
                    resources: policy.resources.clone(),
                }),
                settings: policy.settings.clone(),
                mode: policy.mode,
            };
            let accepted = hosted.policy.accept(&hosted.settings);
            accepted.map_err(|error| Error::new(format!("policy {}: {error}", policy.name)))?;
            Ok((policy.id(), hosted))
        });
        let asked: Result<HashMap<_, _>, Error> = asked.collect();
        let service = Router::new()
            .route("/validate/{policy}", post(validate))
            .layer(DefaultBodyLimit::max(BODY_LIMIT))
            .with_state(Arc::new(Policies {
                asked: asked?,
                cluster,
            }))
            .into_make_service();

        let certificate = Certificate::new(listen.ip())?;
        let authority = certificate.pem.clone();
        let tls = certificate.server()?;
        let failed = |error: std::io::Error| Error::new(format!("listening on {listen}: {error}"));
        let listener = TcpListener::bind(listen).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let handle = Handle::new();
        let server = axum_server::from_tcp_rustls(listener, tls)
            .map_err(failed)?
            .handle(handle.clone())
            .serve(service);
        Ok(Self {
            address,
            authority,
            policies,
            handle,
            server: tokio::spawn(server),
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What tells an API server to ask it.
    #[must_use]
    pub fn configurations(&self) -> Vec<ValidatingWebhookConfiguration> {
        let address = format!("https://{}", self.address);
        let policies = self.policies.iter();
        policies
            .map(|policy| policy.webhook(&address, &self.authority))
            .collect()
    }

    /// Tells an API server to ask it; that takes effect within a moment.
    ///
    /// # Errors
    /// What the API server says against it.
    pub async fn register(&self, client: &Client) -> Result<(), Error> {
        registration::register(client, self.configurations()).await
    }

    /// Answers what is under way, and ends.
    ///
    /// # Errors
    /// When the server failed.
    pub async fn shut_down(self) -> Result<(), Error> {
        self.handle.graceful_shutdown(Some(GRACE));
        let failed = |error: String| Error::new(format!("the webhook failed: {error}"));
        let ended = self
            .server
            .await
            .map_err(|error| failed(error.to_string()))?;
        ended.map_err(|error| failed(error.to_string()))
    }
}

async fn validate(
    State(policies): State<Arc<Policies>>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response {
    let review: AdmissionReview = match serde_json::from_slice(&body) {
        Ok(review) => review,
        Err(error) => return (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    };
    if !policies.asked.contains_key(&id) {
        return (StatusCode::NOT_FOUND, format!("there is no policy {id}")).into_response();
    }
    // The guest runs, and waits for its answers, on a thread that may.
    let response = spawn_blocking(move || policies.evaluate(&id, &review)).await;
    match response {
        Ok(response) => Json(response.review()).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

impl Policies {
    fn evaluate(&self, id: &str, review: &AdmissionReview) -> AdmissionResponse {
        let request = &review.request;
        let Some(asked) = self.asked.get(id) else {
            return AdmissionResponse::internal_error(&request.uid, "no such policy");
        };
        let evaluated =
            asked
                .policy
                .evaluate_unchecked(request, &asked.settings, self.cluster.clone());
        let response = evaluated.map_or_else(
            |error| AdmissionResponse::internal_error(&request.uid, &error.to_string()),
            |evaluation| evaluation.response,
        );
        match asked.mode {
            Mode::Protect => response,
            Mode::Monitor => monitored(id, request, response),
        }
    }
}

/// Logs what the answer would have been, and accepts. Warnings and audit annotations stay, as they do
/// with policy-server.
fn monitored(
    id: &str,
    request: &AdmissionRequest,
    response: AdmissionResponse,
) -> AdmissionResponse {
    let verdict = json!({
        "policy_id": id,
        "operation": request.operation,
        "kind": request.kind.kind,
        "namespace": request.namespace,
        "name": request.name,
        "response": response,
    });
    eprintln!("policy evaluation (monitor mode) {verdict}");
    AdmissionResponse {
        allowed: true,
        status: None,
        ..response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_monitored_refusal_is_accepted_with_its_warnings() {
        let request = json!({
            "uid": "1", "operation": "CREATE", "userInfo": {},
            "kind": {"group": "", "version": "v1", "kind": "Pod"},
            "resource": {"group": "", "version": "v1", "resource": "pods"},
        });
        let request: AdmissionRequest = serde_json::from_value(request).unwrap();
        let refused = AdmissionResponse {
            warnings: Some(vec!["mind".to_owned()]),
            ..AdmissionResponse::internal_error("1", "no")
        };
        let answer = monitored("clusterwide-pods", &request, refused);
        assert!(answer.allowed);
        assert_eq!(answer.status, None);
        assert_eq!(answer.warnings, Some(vec!["mind".to_owned()]));
    }
}

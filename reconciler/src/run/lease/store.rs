//! The Lease's way to the API server.

use std::future::Future;

use k8s_openapi::api::coordination::v1::Lease;
use kube::{Api, Client, Error, api::PostParams};

use crate::client::Failure;

/// Why the Lease was not read or written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// It is not as it was read: read it again.
    Stale,
    /// Anything else.
    Failed(Failure),
}

/// Where the Lease is.
pub trait Store: Send + Sync + 'static {
    /// Reads it; none if it is not there.
    fn read(&self) -> impl Future<Output = Result<Option<Lease>, Fault>> + Send;

    /// Creates it; [`Fault::Stale`] if it is there.
    fn create(&self, lease: &Lease) -> impl Future<Output = Result<Lease, Fault>> + Send;

    /// Replaces the version that it carries; [`Fault::Stale`] if it is another or gone.
    fn replace(&self, lease: &Lease) -> impl Future<Output = Result<Lease, Fault>> + Send;
}

/// A Lease of an API server.
#[derive(Debug, Clone)]
pub struct ApiStore {
    leases: Api<Lease>,
    name: String,
}

impl ApiStore {
    /// The Lease of this name.
    pub fn new(client: Client, namespace: &str, name: &str) -> Self {
        Self {
            leases: Api::namespaced(client, namespace),
            name: name.to_owned(),
        }
    }
}

impl Store for ApiStore {
    async fn read(&self) -> Result<Option<Lease>, Fault> {
        let lease = self.leases.get_opt(&self.name).await;
        lease.map_err(|error| failed("get", &error))
    }

    async fn create(&self, lease: &Lease) -> Result<Lease, Fault> {
        let mut lease = lease.clone();
        lease.metadata.name = Some(self.name.clone());
        match self.leases.create(&PostParams::default(), &lease).await {
            Err(Error::Api(status)) if status.code == 409 => Err(Fault::Stale),
            answer => answer.map_err(|error| failed("create", &error)),
        }
    }

    async fn replace(&self, lease: &Lease) -> Result<Lease, Fault> {
        let answer = self
            .leases
            .replace(&self.name, &PostParams::default(), lease)
            .await;
        match answer {
            Err(Error::Api(status)) if matches!(status.code, 404 | 409) => Err(Fault::Stale),
            answer => answer.map_err(|error| failed("update", &error)),
        }
    }
}

fn failed(verb: &str, error: &Error) -> Fault {
    Fault::Failed(Failure::of(
        &format!("{verb} leases.coordination.k8s.io"),
        error,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{Request, Response};
    use kube::client::Body;
    use rstest::rstest;
    use serde_json::json;
    use tower::{BoxError, service_fn};

    /// An API server that answers all with this code.
    fn store(code: u16, reason: &'static str) -> ApiStore {
        let service = service_fn(move |_: Request<Body>| async move {
            let status = json!({
                "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
                "code": code, "reason": reason, "message": "no",
            });
            let body = Body::from(serde_json::to_vec(&status)?);
            Ok::<_, BoxError>(Response::builder().status(code).body(body)?)
        });
        ApiStore::new(Client::new(service, "default"), "mesh", "kuma-workload")
    }

    fn refused(verb: &str) -> Fault {
        let sentence =
            format!("cannot {verb} leases.coordination.k8s.io: the grant is missing (no)");
        Fault::Failed(Failure::new(sentence))
    }

    #[rstest]
    #[case::not_there(404, "NotFound", Ok(None))]
    #[case::not_granted(403, "Forbidden", Err(refused("get")))]
    #[tokio::test]
    async fn reads(
        #[case] code: u16,
        #[case] reason: &'static str,
        #[case] expected: Result<Option<Lease>, Fault>,
    ) {
        assert_eq!(store(code, reason).read().await, expected);
    }

    #[rstest]
    #[case::there_already(409, "AlreadyExists", Fault::Stale)]
    #[case::not_granted(403, "Forbidden", refused("create"))]
    #[tokio::test]
    async fn creates(#[case] code: u16, #[case] reason: &'static str, #[case] expected: Fault) {
        let answer = store(code, reason).create(&Lease::default()).await;
        assert_eq!(answer, Err(expected));
    }

    #[tokio::test]
    async fn without_its_namespace_it_is_not_created() {
        let answer = store(404, "NotFound").create(&Lease::default()).await;
        assert!(matches!(answer, Err(Fault::Failed(_))), "{answer:?}");
    }

    #[rstest]
    #[case::another_version(409, "Conflict", Fault::Stale)]
    #[case::gone(404, "NotFound", Fault::Stale)]
    #[case::not_granted(403, "Forbidden", refused("update"))]
    #[tokio::test]
    async fn replaces(#[case] code: u16, #[case] reason: &'static str, #[case] expected: Fault) {
        let answer = store(code, reason).replace(&Lease::default()).await;
        assert_eq!(answer, Err(expected));
    }
}

//! Reads and writes the Lease.

use std::future::Future;

use k8s_openapi::api::coordination::v1::Lease;
use kube::{Client, Error, api::PostParams, core::request};

use super::lax::{LaxLease, read_lease, requests};
use crate::client::Failure;

/// Why the Lease could not be read or written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LeaseError {
    /// It has changed since it was read. It must be read again.
    Stale,
    /// Any other failure.
    Failed(Failure),
}

/// Where the Lease is stored.
pub(crate) trait LeaseStore: Send + Sync + 'static {
    /// Reads it. None if it does not exist.
    fn read(&self) -> impl Future<Output = Result<Option<Lease>, LeaseError>> + Send;

    /// Creates it. [`LeaseError::Stale`] if it exists.
    fn create(&self, lease: &Lease) -> impl Future<Output = Result<Lease, LeaseError>> + Send;

    /// Replaces the version whose resourceVersion it carries. [`LeaseError::Stale`] if there is another
    /// version, or none.
    fn replace(&self, lease: &Lease) -> impl Future<Output = Result<Lease, LeaseError>> + Send;
}

/// A Lease on the API server.
#[derive(Clone)]
pub(crate) struct ApiLeaseStore {
    client: Client,
    namespace: String,
    name: String,
}

impl ApiLeaseStore {
    /// The Lease of this name.
    pub(crate) fn new(client: Client, namespace: &str, name: &str) -> Self {
        Self {
            client,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        }
    }

    /// Sends a write, whose answer is read as laxly as what is read.
    async fn write(
        &self,
        request: Result<http::Request<Vec<u8>>, request::Error>,
    ) -> Result<Lease, Error> {
        let request = request.map_err(Error::BuildRequest)?;
        let lease = self.client.request::<LaxLease>(request).await?;
        Ok(lease.0)
    }
}

impl LeaseStore for ApiLeaseStore {
    async fn read(&self) -> Result<Option<Lease>, LeaseError> {
        let lease = read_lease(&self.client, &self.namespace, &self.name).await;
        lease.map_err(|error| failed("get", &error))
    }

    async fn create(&self, lease: &Lease) -> Result<Lease, LeaseError> {
        let mut lease = lease.clone();
        lease.metadata.name = Some(self.name.clone());
        let body = body("create", &lease)?;
        let request = requests(&self.namespace).create(&PostParams::default(), body);
        match self.write(request).await {
            Err(Error::Api(status)) if status.code == 409 => Err(LeaseError::Stale),
            answer => answer.map_err(|error| failed("create", &error)),
        }
    }

    async fn replace(&self, lease: &Lease) -> Result<Lease, LeaseError> {
        let body = body("update", lease)?;
        let request = requests(&self.namespace).replace(&self.name, &PostParams::default(), body);
        match self.write(request).await {
            Err(Error::Api(status)) if matches!(status.code, 404 | 409) => Err(LeaseError::Stale),
            answer => answer.map_err(|error| failed("update", &error)),
        }
    }
}

fn body(verb: &str, lease: &Lease) -> Result<Vec<u8>, LeaseError> {
    let body = serde_json::to_vec(lease).map_err(Error::SerdeError);
    body.map_err(|error| failed(verb, &error))
}

fn failed(verb: &str, error: &Error) -> LeaseError {
    LeaseError::Failed(Failure::of(
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

    const MESSAGE: &str = "leases is forbidden: User \"eve\" cannot do that";

    /// An API server that answers every request with this code.
    fn store(code: u16, reason: &'static str) -> ApiLeaseStore {
        let service = service_fn(move |_: Request<Body>| async move {
            let status = json!({
                "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
                "code": code, "reason": reason, "message": MESSAGE,
            });
            let body = Body::from(serde_json::to_vec(&status)?);
            Ok::<_, BoxError>(Response::builder().status(code).body(body)?)
        });
        ApiLeaseStore::new(Client::new(service, "default"), "mesh", "kuma-workload")
    }

    /// Whatever somebody has written into it, it is read and written.
    #[rstest]
    #[case::time_beyond_the_calendar(json!({ "renewTime": "9999-12-31T23:59:59.999999Z" }))]
    #[case::no_time(json!({ "acquireTime": "yesterday" }))]
    #[case::too_long(json!({ "leaseDurationSeconds": 1e20 }))]
    #[tokio::test]
    async fn an_odd_lease_is_read(#[case] mut spec: serde_json::Value) {
        spec["holderIdentity"] = json!("me");
        let service = service_fn(move |_: Request<Body>| {
            let lease = json!({
                "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
                "metadata": { "resourceVersion": "7" }, "spec": spec,
            });
            async move { Ok::<_, BoxError>(Response::new(Body::from(serde_json::to_vec(&lease)?))) }
        });
        let store = ApiLeaseStore::new(Client::new(service, "default"), "mesh", "kuma-workload");
        let mut expected = Lease::default();
        expected.metadata.resource_version = Some("7".to_owned());
        expected.spec.get_or_insert_default().holder_identity = Some("me".to_owned());
        assert_eq!(store.read().await, Ok(Some(expected.clone())));
        assert_eq!(store.create(&Lease::default()).await, Ok(expected.clone()));
        assert_eq!(store.replace(&Lease::default()).await, Ok(expected));
    }

    fn refused(verb: &str) -> LeaseError {
        let sentence =
            format!("cannot {verb} leases.coordination.k8s.io: the grant is missing ({MESSAGE})");
        LeaseError::Failed(Failure::new(sentence))
    }

    #[rstest]
    #[case::not_there(404, "NotFound", Ok(None))]
    #[case::not_granted(403, "Forbidden", Err(refused("get")))]
    #[tokio::test]
    async fn reads(
        #[case] code: u16,
        #[case] reason: &'static str,
        #[case] expected: Result<Option<Lease>, LeaseError>,
    ) {
        assert_eq!(store(code, reason).read().await, expected);
    }

    #[rstest]
    #[case::there_already(409, "AlreadyExists", LeaseError::Stale)]
    #[case::not_granted(403, "Forbidden", refused("create"))]
    #[tokio::test]
    async fn creates(
        #[case] code: u16,
        #[case] reason: &'static str,
        #[case] expected: LeaseError,
    ) {
        let answer = store(code, reason).create(&Lease::default()).await;
        assert_eq!(answer, Err(expected));
    }

    #[tokio::test]
    async fn without_its_namespace_it_is_not_created() {
        let answer = store(404, "NotFound").create(&Lease::default()).await;
        assert!(matches!(answer, Err(LeaseError::Failed(_))), "{answer:?}");
    }

    #[rstest]
    #[case::another_version(409, "Conflict", LeaseError::Stale)]
    #[case::gone(404, "NotFound", LeaseError::Stale)]
    #[case::not_granted(403, "Forbidden", refused("update"))]
    #[tokio::test]
    async fn replaces(
        #[case] code: u16,
        #[case] reason: &'static str,
        #[case] expected: LeaseError,
    ) {
        let answer = store(code, reason).replace(&Lease::default()).await;
        assert_eq!(answer, Err(expected));
    }
}

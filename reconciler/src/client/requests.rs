//! Counts the requests of a client by verb and response.

use std::{
    borrow::Cow,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use http::{Method, Request, Response, StatusCode, Uri};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
};
use tower::{Layer, Service};

/// How many requests were sent, by verb and response.
pub(crate) type RequestCounter = Family<RequestLabels, Counter>;

/// What a request is counted under.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct RequestLabels {
    /// The verb, as RBAC calls it.
    pub verb: &'static str,
    /// The status code of the response, or `error` where none came.
    pub code: Cow<'static, str>,
}

/// The layer of a client that counts its requests.
#[derive(Debug, Clone)]
pub(crate) struct CountRequests(RequestCounter);

impl CountRequests {
    /// Counts with this counter.
    pub(crate) fn new(counter: RequestCounter) -> Self {
        Self(counter)
    }
}

impl<S> Layer<S> for CountRequests {
    type Service = Counted<S>;

    fn layer(&self, inner: S) -> Counted<S> {
        Counted {
            inner,
            requests: self.0.clone(),
        }
    }
}

/// A service whose requests are counted.
#[derive(Debug, Clone)]
pub(crate) struct Counted<S> {
    inner: S,
    requests: RequestCounter,
}

impl<S, A, B> Service<Request<A>> for Counted<S>
where
    S: Service<Request<A>, Response = Response<B>>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<A>) -> Self::Future {
        let mut count = CountOnDrop {
            requests: self.requests.clone(),
            verb: verb(request.method(), request.uri()),
            code: None,
        };
        let response = self.inner.call(request);
        Box::pin(async move {
            let response = response.await;
            count.code = response.as_ref().ok().map(Response::status);
            drop(count);
            response
        })
    }
}

/// Counts a request when it is dropped, so that one that its caller gives up is counted too.
struct CountOnDrop {
    requests: RequestCounter,
    verb: &'static str,
    code: Option<StatusCode>,
}

impl Drop for CountOnDrop {
    fn drop(&mut self) {
        let code = self.code.map_or(Cow::Borrowed("error"), |code| {
            Cow::Owned(code.as_str().to_owned())
        });
        let verb = self.verb;
        self.requests
            .get_or_create(&RequestLabels { verb, code })
            .inc();
    }
}

/// The verb of a request, as RBAC calls it.
fn verb(method: &Method, uri: &Uri) -> &'static str {
    let many = is_collection(uri.path());
    match *method {
        Method::GET if is_watch(uri) => "watch",
        Method::GET if many => "list",
        Method::GET | Method::HEAD => "get",
        Method::POST => "create",
        Method::PUT => "update",
        Method::PATCH => "patch",
        Method::DELETE if many => "deletecollection",
        Method::DELETE => "delete",
        _ => "other",
    }
}

fn is_watch(uri: &Uri) -> bool {
    let pairs = uri.query().unwrap_or_default().split('&');
    pairs
        .filter_map(|pair| pair.split_once('='))
        .any(|(key, value)| key == "watch" && matches!(value, "true" | "1"))
}

/// Whether a path is that of a resource without an object's name.
fn is_collection(path: &str) -> bool {
    let mut segments = path.split('/').filter(|segment| !segment.is_empty());
    let versioned = match segments.next() {
        Some("api") => segments.next().is_some(),
        Some("apis") => segments.next().is_some() && segments.next().is_some(),
        _ => false,
    };
    let rest: Vec<_> = segments.collect();
    versioned && matches!(*rest, [_] | ["namespaces", _, _]) && !is_part_of_namespace(&rest)
}

fn is_part_of_namespace(rest: &[&str]) -> bool {
    matches!(rest, ["namespaces", _, "status" | "finalize"])
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use std::future::{pending, ready};
    use tower::{BoxError, ServiceExt, service_fn};

    #[rstest]
    #[case::list("GET", "/apis/kuma.io/v1alpha1/dataplanes", "list")]
    #[case::list_in_a_namespace(
        "GET",
        "/apis/kuma.io/v1alpha1/namespaces/shop/dataplanes?limit=500",
        "list"
    )]
    #[case::list_of_namespaces("GET", "/api/v1/namespaces", "list")]
    #[case::watch(
        "GET",
        "/apis/kuma.io/v1alpha1/dataplanes?&watch=true&resourceVersion=1",
        "watch"
    )]
    #[case::watch_by_number("GET", "/api/v1/namespaces/shop/pods?watch=1", "watch")]
    #[case::no_watch("GET", "/api/v1/namespaces/shop/pods?watch=false", "list")]
    #[case::get("GET", "/apis/kuma.io/v1alpha1/namespaces/shop/workloads/cart", "get")]
    #[case::get_of_a_namespace("GET", "/api/v1/namespaces/shop", "get")]
    #[case::get_of_cluster_scope("GET", "/apis/kuma.io/v1alpha1/meshes/default", "get")]
    #[case::subresource("GET", "/api/v1/namespaces/shop/status", "get")]
    #[case::discovery("GET", "/apis/kuma.io/v1alpha1", "get")]
    #[case::no_resource("GET", "/version", "get")]
    #[case::create("POST", "/apis/kuma.io/v1alpha1/namespaces/shop/workloads", "create")]
    #[case::update(
        "PUT",
        "/apis/coordination.k8s.io/v1/namespaces/shop/leases/x",
        "update"
    )]
    #[case::patch(
        "PATCH",
        "/apis/kuma.io/v1alpha1/namespaces/shop/workloads/cart/status",
        "patch"
    )]
    #[case::delete(
        "DELETE",
        "/apis/kuma.io/v1alpha1/namespaces/shop/workloads/cart",
        "delete"
    )]
    #[case::delete_many(
        "DELETE",
        "/apis/kuma.io/v1alpha1/namespaces/shop/workloads",
        "deletecollection"
    )]
    fn verbs(#[case] method: &str, #[case] uri: &str, #[case] expected: &str) {
        let (method, uri) = (method.parse().unwrap(), uri.parse().unwrap());
        assert_eq!(verb(&method, &uri), expected);
    }

    #[tokio::test]
    async fn answers_errors_and_requests_that_are_given_up_are_counted() {
        let counter = RequestCounter::default();
        let layer = CountRequests::new(counter.clone());
        let request = || Request::get("/version").body(()).unwrap();

        let answers = service_fn(|_: Request<()>| {
            let answer = Response::builder().status(403).body(()).unwrap();
            ready(Ok::<_, BoxError>(answer))
        });
        layer.layer(answers).oneshot(request()).await.unwrap();

        let fails =
            service_fn(|_: Request<()>| ready(Err::<Response<()>, BoxError>("refused".into())));
        layer.layer(fails).oneshot(request()).await.unwrap_err();

        let silent = service_fn(|_: Request<()>| pending::<Result<Response<()>, BoxError>>());
        drop(layer.layer(silent).call(request()));

        let count = |code: &'static str| {
            let (verb, code) = ("get", code.into());
            counter.get_or_create(&RequestLabels { verb, code }).get()
        };
        assert_eq!([count("403"), count("error"), count("200")], [1, 2, 0]);
    }
}

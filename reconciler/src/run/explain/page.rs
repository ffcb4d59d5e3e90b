//! The page `/why/NS/NAME`. It is for this machine alone: it names objects and errors.

use std::{net::IpAddr, sync::Arc};

use axum::{
    Router,
    extract::{Path, Request, State},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use http::{HeaderMap, HeaderValue, StatusCode, Uri, header, uri::Authority};
use kuma_workload_rulebook::roster::Key;

use crate::explain::{Answer, Explanation, SERVER, Target};

const USAGE: &str = "\
Why is there no Workload? Ask for /why/NAMESPACE/NAME.
Add ?output=json, or the header Accept: application/json, for a program.
`kuma-workload status --why NAMESPACE/NAME` asks this page.
";

/// The page.
#[derive(Clone)]
pub(in crate::run) struct WhyPage(Arc<dyn Fn(&Key) -> Explanation + Send + Sync>);

impl WhyPage {
    /// The page with these explanations.
    pub(in crate::run) fn new(
        explain: impl Fn(&Key) -> Explanation + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(explain))
    }

    /// Its paths.
    pub(in crate::run) fn router(self) -> Router {
        Router::new()
            .route("/", get(async || USAGE))
            .route("/why/{namespace}/{*name}", get(why))
            .fallback(async || (StatusCode::NOT_FOUND, USAGE))
            .layer(middleware::from_fn(guard))
            .with_state(self)
    }
}

async fn why(
    State(page): State<WhyPage>,
    Path((namespace, name)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let said = |sentence: String| (StatusCode::BAD_REQUEST, sentence + "\n").into_response();
    let target: Target = match format!("{namespace}/{name}").parse() {
        Ok(target) => target,
        Err(error) => return said(error),
    };
    let Some(format) = format(&uri, &headers) else {
        return said("output must be json or text".to_owned());
    };
    match format.of(&(page.0)(target.key())) {
        Ok(answer) => ([(header::CONTENT_TYPE, format.content_type())], answer).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// The format that a request asks for; none if there is no such format.
fn format(uri: &Uri, headers: &HeaderMap) -> Option<Answer> {
    let query = uri.query().unwrap_or_default();
    let output = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("output="));
    let accepted = headers.get(header::ACCEPT).and_then(|it| it.to_str().ok());
    match output {
        Some("json") => Some(Answer::Json),
        Some("text") => Some(Answer::Text),
        Some(_) => None,
        None => match accepted.is_some_and(|it| it.contains("application/json")) {
            true => Some(Answer::Json),
            false => Some(Answer::Text),
        },
    }
}

/// Answers only who has asked for this machine by its name. A web page that a browser on this machine
/// shows could otherwise ask, under a name of its own that it lets point here.
async fn guard(request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST);
    let host = host.and_then(|host| host.to_str().ok());
    let mut answer = match host.is_none_or(is_local) {
        true => next.run(request).await,
        false => (
            StatusCode::FORBIDDEN,
            "ask for localhost, or for a loopback address\n",
        )
            .into_response(),
    };
    let server = HeaderValue::from_static(SERVER);
    answer.headers_mut().insert(header::SERVER, server);
    answer
}

fn is_local(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else {
        return false;
    };
    let name = authority
        .host()
        .trim_start_matches('[')
        .trim_end_matches(']');
    let address: Option<IpAddr> = name.parse().ok();
    name == "localhost" || address.is_some_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests;

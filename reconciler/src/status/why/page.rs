//! Asks the page of a running reconciler.

use std::{net::SocketAddr, time::Duration};

use http::{Request, StatusCode, Uri, header};
use kube::{Client, Config, client::Body};
use kuma_workload_rulebook::roster::Key;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::time::timeout;

use crate::{
    client::innermost,
    explain::{Answer, SERVER, Target},
};

/// It is on this machine, or at the end of a port-forward.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What the reconciler at this address says.
///
/// # Errors
/// Why none does, as a clause.
pub(super) async fn ask(
    address: SocketAddr,
    target: &Target,
    format: Answer,
) -> Result<String, String> {
    let silence = |why: &str| format!("no reconciler answers at {address} ({why})");
    match timeout(TIMEOUT, request(address, target.key(), format)).await {
        Err(_) => Err(silence(&format!("nothing came within {TIMEOUT:?}"))),
        Ok(Err(error)) => Err(silence(&innermost(&error).to_string())),
        Ok(Ok(Some(answer))) => Ok(answer),
        Ok(Ok(None)) => Err(silence("another program does")),
    }
}

/// None if another program has answered.
async fn request(
    address: SocketAddr,
    key: &Key,
    format: Answer,
) -> Result<Option<String>, kube::Error> {
    let server = Uri::builder()
        .scheme("http")
        .authority(address.to_string())
        .path_and_query("/");
    let client = Client::try_from(Config::new(server.build().map_err(kube::Error::HttpError)?))?;
    let name = utf8_percent_encode(&key.workload, NON_ALPHANUMERIC);
    let request = Request::get(format!("/why/{}/{name}", key.namespace))
        .header(header::ACCEPT, format.content_type())
        .body(Body::empty())
        .map_err(kube::Error::HttpError)?;
    let answer = client.send(request).await?;
    let server = answer.headers().get(header::SERVER);
    let program = SERVER.split('/').next().unwrap_or_default();
    let is_ours = server
        .and_then(|server| server.to_str().ok())
        .and_then(|server| server.split_once('/'))
        .is_some_and(|(name, _)| name == program);
    if !is_ours || answer.status() != StatusCode::OK {
        return Ok(None);
    }
    let body = answer.into_body().collect_bytes().await?;
    Ok(Some(String::from_utf8_lossy(&body).into_owned()))
}

//! Pages that programs serve over plain HTTP: probes, metrics, Prometheus' answers.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::Error;

/// A page: status and text.
///
/// # Errors
/// When nobody answers.
pub async fn get(address: SocketAddr, path: &str) -> Result<(u16, String), Error> {
    let failed = |error: std::io::Error| {
        Error::new(format!("http://{address}{path} does not answer: {error}"))
    };
    let mut stream = TcpStream::connect(address).await.map_err(failed)?;
    let request = format!("GET {path} HTTP/1.0\r\n\r\n");
    stream.write_all(request.as_bytes()).await.map_err(failed)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.map_err(failed)?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    Ok((status.unwrap_or_default(), body.to_owned()))
}

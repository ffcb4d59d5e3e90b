//! The kubeconfig that leads to a proxy.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::{Error, Testbed, User};

/// Writes it, and its certificate beside it: a user's own with another address; with a name, it
/// speaks for an account of that name.
pub(super) fn write(
    testbed: &Testbed,
    user: User,
    name: Option<&str>,
    stem: &Path,
    address: SocketAddr,
    authority: &str,
) -> Result<PathBuf, Error> {
    let path = testbed.kubeconfig(user);
    let failed = |error: String| Error::new(format!("{}: {error}", path.display()));
    let text = fs::read_to_string(&path).map_err(|error| failed(error.to_string()))?;
    let mut kubeconfig: Value =
        serde_saphyr::from_str(&text).map_err(|error| failed(error.to_string()))?;

    let certificate = stem.with_extension("crt");
    let cluster = &mut kubeconfig["clusters"][0]["cluster"];
    cluster["server"] = format!("https://{address}").into();
    cluster["certificate-authority"] = certificate.display().to_string().into();
    if let Some(cluster) = cluster.as_object_mut() {
        cluster.remove("certificate-authority-data");
    }
    if let Some(name) = name {
        kubeconfig["users"][0]["user"]["as"] = name.into();
    }

    let written = stem.with_extension("kubeconfig");
    fs::write(&certificate, authority).map_err(|error| failed(error.to_string()))?;
    fs::write(&written, kubeconfig.to_string()).map_err(|error| failed(error.to_string()))?;
    Ok(written)
}

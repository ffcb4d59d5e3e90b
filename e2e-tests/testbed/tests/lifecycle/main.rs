//! The life of Workloads (DOMAIN §7) with the real reconciler on a real API server.
#![cfg(feature = "cluster")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod events;
mod modes;
mod names;
mod pods;
mod scope;
mod table;

use kuma_workload_testbed::{Error, Reconciler, Space, Testbed};
use tokio::sync::OnceCell;

/// How a test ends.
type Done = Result<(), Error>;

/// The label by which each reconciler here has namespaces of its own.
const BY: &str = "reconciled-by";

/// A namespace of the reconciler that most tests share: mode `manage`.
async fn managed() -> Result<Space<'static>, Error> {
    static SHARED: OnceCell<Reconciler> = OnceCell::const_new();
    let testbed = Testbed::shared()?;
    testbed.install_kuma().await?;
    let start = async || {
        let flags = [
            "--mode",
            "manage",
            "--namespace-selector",
            "reconciled-by=shared",
        ];
        Reconciler::start(testbed, &flags).await
    };
    SHARED.get_or_try_init(start).await?;
    Space::new(testbed, &[(BY, "shared")]).await
}

/// A namespace with a reconciler of its own, once `before` has been done in it.
async fn alone(
    flags: &[&str],
    before: impl AsyncFnOnce(&Space<'static>) -> Done,
) -> Result<(Reconciler, Space<'static>), Error> {
    let testbed = Testbed::shared()?;
    testbed.install_kuma().await?;
    let by = testbed.unique("own");
    let space = Space::new(testbed, &[(BY, &by)]).await?;
    before(&space).await?;
    let selector = format!("{BY}={by}");
    let flags = [&["--namespace-selector", &selector], flags].concat();
    Ok((Reconciler::start(testbed, &flags).await?, space))
}

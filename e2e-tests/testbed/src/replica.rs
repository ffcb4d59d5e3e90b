//! A reconciler behind a proxy of its own.

use crate::{Error, Proxy, Reconciler, Testbed};

/// A replica that runs. It is killed when this is dropped.
#[derive(Debug)]
pub struct Replica {
    /// What is between it and the API server.
    pub proxy: Proxy,
    /// The program.
    pub reconciler: Reconciler,
}

impl Replica {
    /// Runs `kuma-workload run` behind this proxy, with these flags, and waits for nothing.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(testbed: &Testbed, proxy: Proxy, flags: &[&str]) -> Result<Self, Error> {
        Ok(Self {
            reconciler: Reconciler::begin(testbed, proxy.kubeconfig(), flags)?,
            proxy,
        })
    }
}

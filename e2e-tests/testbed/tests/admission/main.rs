//! The policy in a cluster: a real API server asks it as README installs it, and kubectl shows what
//! people see.
#![cfg(feature = "cluster")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cluster;
mod look;
mod missing_grants;
mod namespaces;
mod outages;
mod pods;
mod strays;
mod templates;
mod way_out;
mod workloads;

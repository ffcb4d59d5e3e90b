//! The policy in a cluster: a real API server asks it as README installs it, and kubectl shows what
//! people see.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bad_days;
mod cluster;
mod namespaces;
mod pods;
mod templates;
mod workloads;

//! The program, run as it is: against a registry of our own, whose every answer a test can replace, and,
//! with the feature `docker-registry`, against Debian's.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "this is a test"
)]

mod breaks;
mod credentials;
mod desk;
#[cfg(feature = "docker-registry")]
mod docker_registry;
mod golden;
mod input;
mod memory;
mod policy;
mod refusals;
mod server;
mod success;
// A loopback address that is none to the program, and where root certificates are: both are Linux's.
#[cfg(target_os = "linux")]
mod tls;

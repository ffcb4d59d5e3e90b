//! `kuma-workload vap` on a real API server (A22): its ValidatingAdmissionPolicies answer as the built
//! policy does.
#![cfg(feature = "cluster")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod answers;
mod api;
mod commands;
mod equality;
mod fixtures;
mod generated;
mod largest;
mod objects;
mod policies;

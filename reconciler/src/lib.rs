//! `kuma-workload`: Kuma's Workloads made, counted and deleted, planned offline, and looked at.
//!
//! The rules are the rulebook's; this crate brings them what is there (manifests, or an API server)
//! and carries out what they say.
//!
//! | module | job |
//! |---|---|
//! | [`cli`] | the subcommands |
//! | [`run`] | the controller |
//! | [`plan`] | what would be done and refused, from manifests or a cluster |
//! | [`status`] | the numbers as Kuma reports them and as they are |
//! | [`crds`] | prints our CustomResourceDefinition of Workload, [`crd`] |
//! | [`client`] | the way to the API server, and its errors in words |
//! | [`kinds`] | Kuma's objects, as far as they are read here |
#![forbid(unsafe_code)]

mod arguments;
pub mod cli;
pub mod client;
pub mod crd;
pub mod crds;
pub mod kinds;
pub mod plan;
pub mod run;
pub mod status;
mod terminal;
mod version;

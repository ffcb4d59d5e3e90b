//! `kuma-workload`: creates, counts and deletes Kuma's Workloads, plans them offline, and shows them.
//!
//! The rules are in the rulebook. This crate reads what they need, from manifests or an API server, and
//! carries out what they say.
//!
//! | module | job |
//! |---|---|
//! | [`cli`] | the subcommands |
//! | [`run`] | the controller |
//! | [`plan`] | what would be done and rejected, from manifests or a cluster |
//! | [`status`] | the numbers of Workloads, as reported and as they are |
//! | [`vap`] | prints ValidatingAdmissionPolicies, the same rules in the API server |
//! | [`lookup`] | says what the name of a rule or finding means |
//! | [`completion`] | prints a shell's completions |
//! | [`man`] | prints or writes the manual |
//! | `explain` | why a Workload is there or not, in words, for `run` and `status` |
//! | [`crds`] | prints the CustomResourceDefinition of Workload, which `crd` defines |
//! | `client` | the client of the API server, and its errors in words |
//! | [`kinds`] | records of the objects that are read |
#![forbid(unsafe_code)]

mod arguments;
pub mod cli;
mod client;
pub mod completion;
mod crd;
pub mod crds;
mod explain;
pub mod kinds;
pub mod lookup;
pub mod man;
pub mod plan;
pub mod run;
pub mod status;
mod terminal;
pub mod vap;
mod version;

//! The reconciler in virtual time, against an API server in memory, with faults drawn from a seed.
//!
//! | module | job |
//! |---|---|
//! | [`scenario`] | what is drawn from a seed before anything happens |
//! | [`simulation`] | replicas, servers, network, world and faults, in one order of time |
//! | [`process`], [`wire`] | a replica with a clock that is moved, and what it sends |
//! | [`server`] | the API server |
//! | [`model`], [`expected`] | what the Workloads should be, from the rules alone |
//! | [`managers`] | who manages Workloads |
//! | [`checks`] | what must hold at each instant |
//! | [`fault`] | what can go wrong, and how often it did |
//! | [`exchanges`] | the server compared with a real one |
//! | [`campaign`] | many seeds |
//! | [`agenda`], [`clock`], [`trace`] | as their names say |
//! | [`planted`] | faults of the program, to show that they are found |
//! | [`tamper`] | faults of the program that are planted at the wire |
//! | [`version`] | replicas of the previous version |
#![forbid(unsafe_code)]

pub mod agenda;
pub mod campaign;
pub mod checks;
pub mod clock;
pub mod exchanges;
pub mod expected;
pub mod fault;
mod fields;
pub mod managers;
pub mod model;
pub mod planted;
pub mod process;
pub mod scenario;
pub mod server;
pub mod simulation;
pub mod tamper;
pub mod trace;
pub mod version;
pub mod wire;

//! Hosts the annotated policy the way Kubewarden's policy-server does: compiled once ahead of time,
//! a new instance for each request, settings validated first, the `kubewarden` binding with its two
//! gates, an evaluation time limit, and the list that hangs where its grant is missing.
//!
//! | module | job |
//! |---|---|
//! | [`policy`] | compile, instantiate, time limit, from request to response |
//! | `wapc`, `wasi` | how host and guest call each other, and what else a guest may import, over `guest_memory` |
//! | [`callback`] | the host calls: gates, error texts, a record of every call |
//! | [`question`] | what a policy can ask of the cluster |
//! | [`cluster`] | who answers: manifests, a recorded session, a script (the testbed adds a live API server) |
//! | [`admission`] | admission requests in, admission responses out |
//! | [`metadata`] | the policy's metadata: from `policy-metadata.yml` to the wasm custom section |
//! | [`case`] | the fixture format that all runners share |
//! | [`run`] | the program's subcommands |
//! | [`report`] | what a person or a program reads afterwards |
//! | [`selector`], [`field_mask`] | label and field selectors, field masks |
//! | [`capability`] | the first gate |
//! | [`document`] | JSON and YAML files |

#![forbid(unsafe_code)]

pub mod admission;
pub mod callback;
pub mod capability;
pub mod case;
pub mod cluster;
pub mod document;
pub mod field_mask;
mod guest_memory;
mod manifest;
pub mod metadata;
pub mod policy;
pub mod question;
pub mod report;
pub mod run;
pub mod selector;
mod ticker;
pub mod verdict;
mod wapc;
mod wasi;
pub mod wire;

pub use admission::{AdmissionRequest, AdmissionResponse, Settings};
pub use callback::{Call, CallOutcome};
pub use cluster::{Answer, Backend, Failure, Reply};
pub use policy::{Evaluation, GuestCall, HostError, Policy};
pub use question::Question;
pub use wapc::GuestCallError;

//! The annotated policy in an OCI registry: pushed and pulled with Kubewarden's media types.
//!
//! | module | job |
//! |---|---|
//! | [`cli`] | the command line, and what a run prints |
//! | [`address`] | where an artifact is: `HOST/REPOSITORY:TAG` |
//! | [`module`] | the annotations that an annotated module says about itself |
//! | [`artifact`] | what is pushed: config, layer, annotations, and the manifest's bytes |
//! | [`credentials`] | who asks: what Docker's configuration has for a host |
//! | [`registry`] | push and pull |
//! | [`output`] | a file that is there whole or not at all |
//! | [`error`] | what can go wrong, a sentence each, with its exit status |
//! | [`failure`] | from what the client says to these sentences |
#![forbid(unsafe_code)]

pub mod address;
pub mod artifact;
pub mod cli;
pub mod credentials;
pub mod error;
pub mod failure;
pub mod module;
pub mod output;
pub mod registry;

pub use address::Address;
pub use artifact::Artifact;
pub use error::{Action, Error};
pub use registry::Registry;

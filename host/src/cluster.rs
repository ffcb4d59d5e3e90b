//! Who answers a policy's questions about the cluster.

pub mod api;
mod backend;
pub mod cache;
mod failure;
pub mod handler;
pub(crate) mod kinds;
pub mod manifests;
pub mod object;
mod rbac;
pub mod recorder;
pub mod scripted;
pub mod session;

pub use api::{ApiError, ApiResource, ApiServer, ApiStatus};
pub use backend::{Answer, Backend, Reply};
pub use failure::Failure;
pub use handler::Handler;
pub use manifests::Manifests;
pub use recorder::Recorder;
pub use scripted::Scripted;
pub use session::ReplaySession;

/// A cluster made of manifests, behind everything that policy-server puts before a real one.
pub type ManifestCluster = Handler<Manifests>;

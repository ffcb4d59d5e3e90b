//! Shared by the tests of the rules.

mod entries;
mod fake_cluster;
mod requests;
mod verdicts;

pub(super) use fake_cluster::FakeCluster;
pub(super) use requests::{NamespaceRequest, PodRequest, TemplateRequest, WorkloadRequest};
pub(super) use verdicts::{code, message, warnings};

//! The policy and the reconciler on a real API server.
//!
//! | module | job |
//! |---|---|
//! | [`testbed`] | etcd, kube-apiserver and kube-controller-manager, for as long as a test run lasts |
//! | [`user`] | who asks: each with the rights that are shipped |
//! | [`kubectl`] | the real kubectl |
//! | [`reconciler`] | `kuma-workload run`, with the rights that are shipped |
//! | [`space`] | a namespace for one test: its objects, what is awaited of them, and a fence |
//! | [`audit`] | who asked the API server for what |
//! | [`program`] | programs of ours beside the servers: they end with the test run |
//! | [`proxy`] | puts faults between a program and the API server, and remembers what was asked |
//! | [`replica`] | the reconciler, run behind a proxy of its own |
//! | [`team`] | a namespace that is one test's own, and what is in it |
//! | [`page`] | a page over HTTP |
//! | [`eventually`] | waits for what must come about |
//! | [`live`] | the cluster as policy-server sees it: gets, and lists that a watch keeps |
//! | [`registration`] | from ClusterAdmissionPolicies to ValidatingWebhookConfigurations |
//! | [`webhook`] | the policy behind HTTPS |
//! | [`guard`] | the webhook as a program beside the servers |
//! | [`recorder`] | a webhook that accepts everything and remembers what it was asked |
//! | [`policy_server`] | several policies behind HTTPS, in programs of their own: the real policy-server, or ours |

pub mod audit;
mod certificate;
pub mod error;
pub mod eventually;
pub mod guard;
pub mod kubectl;
pub mod live;
pub mod page;
pub mod policy_server;
pub mod program;
pub mod proxy;
pub mod reconciler;
pub mod recorder;
pub mod registration;
pub mod replica;
pub mod space;
pub mod team;
pub mod testbed;
pub mod user;
pub mod webhook;

pub use error::Error;
pub use eventually::eventually;
pub use kubectl::Output;
pub use policy_server::PolicyServer;
pub use program::Program;
pub use proxy::{Asked, Break, Fault, Proxy};
pub use reconciler::Reconciler;
pub use recorder::Recorder;
pub use replica::Replica;
pub use space::{Kind, Space};
pub use team::Team;
pub use testbed::{Server, Testbed};
pub use user::User;

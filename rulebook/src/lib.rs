//! Kuma's Workload rules, and nothing else: no I/O, no clock, no client.
//!
//! The rules are numbered (`A5`, `M1`, …), and the tests of a rule cite its number.
//!
//! - [`mesh`], [`membership`] and [`identifier`] say what Kuma makes of a Pod.
//! - [`admission`] says whether the API server should accept an object.
//! - [`roster`] says which Workloads there should be on Kubernetes, and [`counts`] what their
//!   numbers are. [`universal`] says which Workloads there should be on Universal.
//! - [`spiffe`] says which identity a proxy gets from which MeshIdentity.
//!
//! The policy, the reconciler and the plan translate what they read into the facts of [`metadata`],
//! [`admission::Request`] and [`roster::RosterDataplane`], answer the questions of
//! [`admission::Cluster`], and report the result in their own way.
#![forbid(unsafe_code)]

pub mod admission;
pub mod counts;
pub mod identifier;
pub mod keys;
pub mod membership;
pub mod mesh;
pub mod metadata;
pub mod owner;
pub mod quoted;
pub mod roster;
pub mod spiffe;
pub mod universal;

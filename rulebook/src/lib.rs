//! Kuma's Workload rules, and nothing else: no I/O, no clock, no client.
//!
//! The rules are numbered (`A5`, `M1`, …) and a rule's tests cite its number. [`mesh`],
//! [`membership`] and [`identifier`] say what Kuma makes of a Pod; [`admission`] says whether the
//! API server should let it in. [`roster`] says which Workloads there should be and [`counts`] what
//! their numbers are; [`universal`] says the same of documents. Doors (the policy, the reconciler,
//! the playground) translate their world into the facts of [`metadata`], [`admission::Request`] and
//! [`roster::Dataplane`], answer the questions of [`admission::Cluster`], and put the verdict into
//! their world's words.
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

//! The Helm chart on a real API server: installed by Helm, scheduled by kube-scheduler, and run by KWOK's
//! Nodes, on which every Pod is ready at once. `make chart-cluster-test` brings Helm and KWOK.
//!
//! | part | job |
//! |---|---|
//! | `cluster` | the testbed with a scheduler, and Nodes in two zones |
//! | `helm` | Helm itself |
//! | `account` | a ServiceAccount's kubeconfig, with a token as the kubelet asks for it |
//! | `kubelet` | runs what the Pods of Jobs would run |
//! | `release` | install, upgrade, rollback, uninstall |
//! | `definition` | the definition of Workload: where there is none, and beside Kuma's |
//! | `transitions` | every way from one mode, policy server and setting to another |
//! | `values` | what the chart renders for its example values, accepted by the API server |
//! | `disruption` | evictions |
//! | `reconciling` | two replicas, with the chart's grants |
//! | `grants` | each verb of these, taken away |
//! | `scenario` | what happens in a namespace so that every grant is needed |
//! | `expressions` | what the API server counts of ValidatingAdmissionPolicies |
#![cfg(feature = "cluster")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod account;
mod cluster;
mod definition;
mod disruption;
mod expressions;
mod grants;
mod helm;
mod kubelet;
mod reconciling;
mod release;
mod scenario;
mod transitions;
mod values;

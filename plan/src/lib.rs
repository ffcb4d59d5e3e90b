//! What admission would say and what the reconciler would do, before either is enabled: documents
//! in, a [`Report`] out, and its forms as text. Pure: no file, no thread, no clock, no client.
//!
//! ```text
//! Document ─ read ─▶ nodes ─ manifest ─▶ Found ─▶ Inventory ─ pod_source ─┬─▶ admission (asks the planned cluster)
//!                                                  ▲                      ├─▶ workloads (the roster decides)
//!                    objects of a cluster ─────────┘                      ├─▶ namespaces
//!                                                                         └─▶ identities, universal
//!                                                                                └─▶ Report ─ output ─▶ text
//! ```
//!
//! Who has documents calls [`plan()`]. Who reads them on several threads, or has the objects of a
//! cluster, fills an [`Inventory`] with [`Found`] and asks for its [`report()`]. The rules are the
//! rulebook's, and so are the decisions: what is here reads, asks and tells.
#![forbid(unsafe_code)]

mod admission;
mod applications;
mod compose;
mod controller;
pub mod explain;
mod finding;
mod identities;
mod inventory;
mod kuma3;
mod left_out;
pub mod manifest;
mod namespaces;
mod options;
pub mod output;
mod planned_cluster;
mod pod_source;
pub mod read;
pub mod report;
mod settings;
mod universal;
mod why;
mod workload_writers;
mod workloads;

pub use compose::report;
pub use explain::explain;
pub use finding::{Code, FailOn, Finding, Severity};
pub use inventory::{Inventory, Unread};
pub use manifest::Found;
pub use options::{Options, Target};
pub use report::Report;
pub use settings::{DEFAULT_SETTINGS, policy_settings};
pub use why::{StepReport, Walk};

use read::Document;

/// The plan of these documents, with all that is wrong with them.
pub fn plan<'d>(
    documents: impl IntoIterator<Item = Document<'d>>,
    options: &Options<'_>,
) -> Report {
    let mut inventory = Inventory::default();
    for document in documents {
        inventory.take(Found::in_document(&document, options), options);
    }
    report(inventory, options)
}

#[cfg(test)]
mod tests;

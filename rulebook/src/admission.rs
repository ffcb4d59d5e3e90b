//! The admission rules (A and P): may this object be created, changed or deleted?
//!
//! [`scope`] says which requests are judged, and [`judge()`] judges one by all rules. Each rule that
//! a user can name has a file of its own, with its tests. It gets facts and returns nothing or an
//! [`Objection`]. It asks the [`Cluster`] only when the answer decides.

mod cluster;
mod conflict;
mod declared_mesh;
mod enforcement;
mod injection_off;
mod inquiry;
mod joins;
mod judge;
mod kind;
mod mesh_name;
mod mesh_namespaces;
mod mesh_rule;
mod namespace_change;
mod namespace_relabel;
mod namespace_rule;
mod observed_mesh;
mod pod_review;
mod request;
mod settings;
mod settled;
mod stop;
mod switch_words;
#[cfg(test)]
mod test_support;
mod verdict;
mod witness;
mod workload_label;
mod workload_name;
mod workload_objects;

pub use cluster::{
    Cluster, ClusterAnswer, ClusterFailure, DataplaneFacts, ListQuestion, MeshSelector,
};
pub use judge::judge;
pub use kind::{JudgedKind, TEMPLATE_KINDS, TemplateKind};
pub use request::{Operation, Request, RequestObject, RequestUser, scope};
pub use settings::{
    EnforcementAction, Grants, MAX_ENTRIES, Manager, MeshNamespaces, Names, NamespaceMesh,
    SETTINGS, SYSTEM_NAMESPACES, ServiceAccountUser, Settings, SettingsFaults, SettingsValue,
    Updates,
};
pub use settled::{KEPT_ANNOTATIONS, KEPT_LABELS};
pub use verdict::{Objection, Rule, Verdict};
pub use witness::{Outcome, Step, Witness};
pub use workload_objects::BOOKKEEPING;

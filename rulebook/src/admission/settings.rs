//! The settings of the policy.
//!
//! `definition` says what they mean and what their defaults are, `document` is the JSON or YAML
//! value that a user gives, and `reader` turns one into the other or says all that is wrong with
//! it. What a single value may be stands in files of their own.

mod definition;
mod document;
mod faults;
mod managers;
mod mesh_namespaces;
mod names;
mod nearest;
mod reader;
mod service_account;

pub use definition::{
    EnforcementAction, Grants, NamespaceMesh, SYSTEM_NAMESPACES, Settings, Updates,
};
pub use document::SettingsValue;
pub use faults::SettingsFaults;
pub use managers::Manager;
pub use mesh_namespaces::MeshNamespaces;
pub use names::Names;
pub use reader::{MAX_ENTRIES, SETTINGS};
pub use service_account::ServiceAccountUser;

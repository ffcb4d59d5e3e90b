//! The settings of the policy.
//!
//! `definition` says what they mean and what their defaults are, `document` is the JSON or YAML
//! value that a user gives, and `reader` turns one into the other or says all that is wrong with
//! it.

mod definition;
mod document;
mod names;
mod nearest;
mod reader;

pub use definition::{EnforcementAction, NamespaceMesh, Settings, Updates};
pub use document::SettingsValue;
pub use names::Names;
pub use reader::{SETTINGS, SettingsFaults};

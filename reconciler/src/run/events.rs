//! Events.

mod reason;

pub use self::reason::{Description, REASONS, Reason, Severity};

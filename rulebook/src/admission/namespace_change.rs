//! What the rules for Namespaces look at.

use super::request::Operation;
use crate::metadata::Metadata;

/// A change of a Namespace: what is done, and the Namespace after and before it.
#[derive(Debug, Clone, Copy)]
pub(super) struct NamespaceChange<'r> {
    pub(super) operation: Operation,
    pub(super) name: &'r str,
    pub(super) new: &'r Metadata<'r>,
    /// Before the request, if the request says so.
    pub(super) old: Option<&'r Metadata<'r>>,
}

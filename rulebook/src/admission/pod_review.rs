//! What the rules for Pods look at, whether a Pod or a Pod template is judged.

use std::fmt;

use super::{kind::TemplateKind, request::Operation};
use crate::{metadata::PodFacts, quoted::Quoted};

/// A Pod or Pod template that is judged.
#[derive(Debug, Clone, Copy)]
pub(super) struct PodReview<'r> {
    /// Which of the two it is, and how messages name it.
    pub(super) subject: PodOrTemplate<'r>,
    /// What is done to it.
    pub(super) operation: Operation,
    /// Its Namespace.
    pub(super) namespace: &'r str,
    /// As requested.
    pub(super) new: &'r PodFacts<'r>,
    /// Before the request, if the request says so.
    pub(super) old: Option<&'r PodFacts<'r>>,
}

/// How a message names what is judged: `pod`, or `pod template of Deployment "web"`.
#[derive(Debug, Clone, Copy)]
pub(super) enum PodOrTemplate<'s> {
    /// A Pod.
    Pod,
    /// The Pod template of an object of this kind and name.
    Template(&'static TemplateKind, &'s str),
}

impl fmt::Display for PodOrTemplate<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pod => formatter.write_str("pod"),
            Self::Template(kind, name) => {
                write!(formatter, "pod template of {} {}", kind.name, Quoted(name))
            }
        }
    }
}

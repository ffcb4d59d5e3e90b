//! What is read: bytes that have a name.

use std::{borrow::Cow, sync::Arc};

/// The name of the standard input, in places as on the command line.
pub const STDIN: &str = "-";

/// A file of manifests, or what stands for one. Many YAML or JSON documents may be in it: its content
/// says which, not its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document<'d> {
    /// What places call it.
    pub name: Arc<str>,
    /// Its bytes: UTF-8, or UTF-16 with a byte order mark.
    pub bytes: Cow<'d, [u8]>,
}

//! What a reader of documents is told, and how it says what it cannot read.

use std::sync::Arc;

use kuma_workload_rulebook::quoted::Quoted;

use crate::read::{
    Fault, Place,
    tree::{Mismatch, Node, Position},
};

/// What a reader of documents is told.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'r> {
    /// The document's name; none for what an API server answers.
    pub(super) file: Option<&'r Arc<str>>,
    /// The namespace of objects that name none.
    pub(super) default_namespace: &'r str,
    /// Whether DataplaneInsights matter.
    pub(super) reads_insights: bool,
}

impl Reader<'_> {
    /// Where something stands, if in a file.
    pub(super) fn place(&self, at: Position) -> Option<Place> {
        let file = self.file?.clone();
        Some(Place { file, at })
    }

    /// What cannot be read, as one sentence.
    pub(super) fn fault(&self, at: Position, message: String) -> Fault {
        let place = self.place(at).unwrap_or_else(|| Place {
            file: "the cluster".into(),
            at: Position::default(),
        });
        Fault { place, message }
    }

    /// A field of an object of this kind that is not what its place asks for.
    pub(super) fn mismatch(&self, kind: &str, node: &Node, mismatch: &Mismatch) -> Fault {
        let name = |node: &Node| {
            let name = node.get("name")?.text().ok()?;
            Some(name.to_owned())
        };
        let name = node.get("metadata").and_then(name).or_else(|| name(node));
        let object = match name {
            Some(name) => format!("{kind} {}", Quoted(&name)),
            None => kind.to_owned(),
        };
        let Mismatch { at, path, what, .. } = mismatch;
        self.fault(*at, format!("{object}: {path} {what}"))
    }
}

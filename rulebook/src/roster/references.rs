//! Which Dataplanes refer to a key.

use super::{per_mesh::PerMesh, symbols::Symbols};
use crate::counts::Counts;

/// The Dataplanes that refer to one key, counted for each mesh.
#[derive(Debug, Clone, Copy)]
pub struct References<'a> {
    pub(super) symbols: &'a Symbols,
    pub(super) meshes: Option<&'a PerMesh<Counts>>,
}

impl<'a> References<'a> {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.meshes.is_none()
    }

    /// Whether they are in several meshes.
    pub fn is_conflict(&self) -> bool {
        self.meshes.is_some_and(|meshes| meshes.len() > 1)
    }

    /// Their mesh, if there is only one.
    pub fn sole_mesh(&self) -> Option<&'a str> {
        let mesh = self.meshes.and_then(PerMesh::sole)?;
        Some(self.symbols.text(mesh))
    }

    /// The counts of those in this mesh.
    pub fn counts(&self, mesh: &str) -> Counts {
        self.meshes
            .zip(self.symbols.find(mesh))
            .map_or_else(Counts::default, |(meshes, mesh)| meshes.get(mesh))
    }

    /// Each mesh and its counts, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, Counts)> + use<'a> {
        let symbols = self.symbols;
        let meshes = self.meshes.into_iter().flat_map(PerMesh::iter);
        meshes.map(|(mesh, counts)| (symbols.text(mesh), counts))
    }
}

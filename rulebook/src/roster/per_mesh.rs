//! A value for each mesh, for the usual case of one mesh.

use std::{collections::BTreeMap, iter};

use super::symbols::Symbol;

/// A map from meshes to values that are not the default. One entry needs no allocation. Several
/// entries are a conflict, which is rare; there may be any number without a change becoming slow.
#[derive(Debug, Default)]
pub(super) enum PerMesh<T> {
    #[default]
    Empty,
    One(Symbol, T),
    #[expect(
        clippy::box_collection,
        reason = "the tree is larger than the one entry, and rare"
    )]
    Many(Box<BTreeMap<Symbol, T>>),
}

impl<T: Copy + Default + PartialEq> PerMesh<T> {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Empty => 0,
            Self::One(..) => 1,
            Self::Many(entries) => entries.len(),
        }
    }

    /// The only mesh, if there is only one.
    pub(super) fn sole(&self) -> Option<Symbol> {
        match self {
            Self::One(mesh, _) => Some(*mesh),
            Self::Empty | Self::Many(_) => None,
        }
    }

    pub(super) fn get(&self, mesh: Symbol) -> T {
        match self {
            Self::One(only, value) if *only == mesh => *value,
            Self::Many(entries) => entries.get(&mesh).copied().unwrap_or_default(),
            Self::Empty | Self::One(..) => T::default(),
        }
    }

    /// Sets a value. The default value removes the mesh.
    pub(super) fn set(&mut self, mesh: Symbol, value: T) {
        match self {
            Self::Many(entries) => {
                if value == T::default() {
                    entries.remove(&mesh);
                    if let (1, Some((&mesh, &value))) = (entries.len(), entries.first_key_value()) {
                        *self = Self::One(mesh, value);
                    }
                } else {
                    entries.insert(mesh, value);
                }
            }
            Self::One(only, old) if *only != mesh => {
                if value != T::default() {
                    let entries = [(*only, *old), (mesh, value)];
                    *self = Self::Many(Box::new(entries.into_iter().collect()));
                }
            }
            Self::Empty | Self::One(..) => {
                *self = if value == T::default() {
                    Self::Empty
                } else {
                    Self::One(mesh, value)
                };
            }
        }
    }

    /// Changes a value, starting with the default one if there is none.
    pub(super) fn change(&mut self, mesh: Symbol, change: impl FnOnce(&mut T)) {
        let mut value = self.get(mesh);
        change(&mut value);
        self.set(mesh, value);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Symbol, T)> + '_ {
        let (one, many) = match self {
            Self::Empty => (None, None),
            Self::One(mesh, value) => (Some((*mesh, *value)), None),
            Self::Many(entries) => (None, Some(entries.iter())),
        };
        iter::chain(
            one,
            many.into_iter()
                .flatten()
                .map(|(mesh, value)| (*mesh, *value)),
        )
    }
}

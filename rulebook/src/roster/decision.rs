//! What to do about one Workload (the table L1 to L8), and its numbers.

use std::collections::BTreeSet;

use super::references::References;
use crate::{
    counts::Counts,
    identifier::{self, NameFault, NameForm},
    keys, mesh,
};

/// The value of [`keys::MANAGED_BY`] on the Workloads of this project's reconciler (L16).
pub const MANAGER: &str = "kuma-workload-reconciler";
/// The value of [`keys::MANAGED_BY`] on the Workloads of Kuma's control plane (L16).
pub const CONTROL_PLANE: &str = "k8s-controller";

/// The labels of one of our Workloads in this mesh (L4, L5).
pub fn labels(mesh: &str) -> [(&'static str, &str); 2] {
    [(keys::MESH, mesh), (keys::MANAGED_BY, MANAGER)]
}

/// Which actions are carried out (L17). Mode `auto` is [`Manage`](Self::Manage) until it sees that
/// a control plane manages Workloads, and [`Yield`](Self::Yield) from then on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// All of them.
    Manage,
    /// None of them.
    Observe,
    /// Only L2: our own Workloads are deleted when nothing refers to them any more.
    Yield,
}

impl Mode {
    fn carries_out(self, write: &Write) -> bool {
        match self {
            Self::Manage => true,
            Self::Observe => false,
            Self::Yield => *write == Write::Delete,
        }
    }
}

/// What the decision needs to know of the Workload object that exists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExistingWorkload<'a> {
    /// Label `kuma.io/mesh`.
    pub mesh: Option<&'a str>,
    /// Label [`keys::MANAGED_BY`].
    pub managed_by: Option<&'a str>,
    /// Whether it is a copy of a Workload elsewhere
    /// ([`Origin::is_local_workload`](super::origin::Origin::is_local_workload) says not).
    pub is_copy: bool,
    /// The names of the Meshes among its ownerReferences (L12).
    pub mesh_owners: Vec<&'a str>,
}

impl ExistingWorkload<'_> {
    fn is_ours(&self) -> bool {
        self.managed_by == Some(MANAGER)
    }

    /// The mesh in its label; without one the default mesh, as Kuma reads it.
    pub fn labelled_mesh(&self) -> &str {
        mesh::of_dataplane(self.mesh)
    }

    /// The Meshes that own it, except this one: if one of them is deleted, it goes as well (L12).
    pub fn mesh_owners_except(&self, mesh: &str) -> impl Iterator<Item = &str> {
        let owners = self.mesh_owners.iter().copied();
        owners.filter(move |owner| *owner != mesh)
    }
}

/// What to do about a Workload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Nothing: all is as it should be (L1 among others).
    Nothing,
    /// Write to the API server.
    Write(Write),
    /// Report what would be written in another mode (L17).
    Withheld(Write),
    /// Leave a Workload that is not ours.
    Leave {
        /// Why it is not ours.
        why: Foreign,
        /// Whether a Dataplane refers to it. If so, report it (L6); if not, say nothing (L3).
        referenced: bool,
    },
    /// Report that Dataplanes of several meshes refer to it (L9). Nothing is created (L7), and a
    /// Workload that exists stays as it is (L8).
    Conflict {
        /// The meshes.
        meshes: BTreeSet<String>,
        /// Whether a Workload exists (L8).
        orphan: bool,
    },
    /// Report that no object can have this name (W5).
    BadName(NameFault),
}

/// A write to the API server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// Create it, with the [`labels`] of this mesh (L4).
    Create {
        /// The mesh.
        mesh: String,
    },
    /// Give it the [`labels`] of this mesh, and remove ownerReferences to other Meshes. Everything
    /// else stays (L5, L12).
    Relabel {
        /// The mesh.
        mesh: String,
        /// The Meshes to which it loses its ownerReferences.
        drop_mesh_owners: BTreeSet<String>,
    },
    /// Delete it (L2).
    Delete,
}

/// Why a Workload is not ours to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Foreign {
    /// Somebody else manages it (L3, L6).
    ManagedBy(String),
    /// Nobody manages it and nothing refers to it, so it has never been ours (L3).
    Unmanaged,
    /// It is a copy of a Workload in another cluster (S4).
    NotLocal,
}

/// What to do about a Workload, and its numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What to do.
    pub action: Action,
    /// The numbers of the Workload after the action; absent if there is no Workload then.
    pub status: Option<StatusNumbers>,
}

/// The numbers of a Workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusNumbers {
    /// The counts of the mesh in its label (S1 to S3, S6).
    pub counts: Counts,
    /// Whether they are ours to write (S4, L16, L17). The Workload may already have them.
    pub ours: bool,
}

/// Decides about the Workload of a name, to which these Dataplanes refer.
pub(super) fn decide(
    name: &str,
    references: &References<'_>,
    existing: Option<&ExistingWorkload<'_>>,
    mode: Mode,
) -> Decision {
    let action = match wanted(name, references, existing) {
        Action::Write(write) if !mode.carries_out(&write) => Action::Withheld(write),
        action => action,
    };
    let status = status(references, existing, mode, &action);
    Decision { action, status }
}

fn wanted(
    name: &str,
    references: &References<'_>,
    existing: Option<&ExistingWorkload<'_>>,
) -> Action {
    let Some(existing) = existing else {
        return without_object(name, references);
    };
    if references.is_conflict() {
        return conflict(references, true);
    }
    let sole = references.sole_mesh();
    let leave = |why| Action::Leave {
        why,
        referenced: sole.is_some(),
    };
    match (existing.managed_by, sole) {
        _ if existing.is_copy => leave(Foreign::NotLocal),
        (Some(manager), _) if manager != MANAGER => leave(Foreign::ManagedBy(manager.to_owned())),
        (None, None) => leave(Foreign::Unmanaged),
        (Some(_), None) => Action::Write(Write::Delete),
        (_, Some(mesh)) => corrected(mesh, existing),
    }
}

fn without_object(name: &str, references: &References<'_>) -> Action {
    if references.is_empty() {
        return Action::Nothing;
    }
    if let Err(fault) = identifier::check(name, NameForm::Kubernetes) {
        return Action::BadName(fault);
    }
    match references.sole_mesh() {
        Some(mesh) => Action::Write(Write::Create {
            mesh: mesh.to_owned(),
        }),
        None => conflict(references, false),
    }
}

fn conflict(references: &References<'_>, orphan: bool) -> Action {
    let meshes = references.iter().map(|(mesh, _)| mesh.to_owned());
    Action::Conflict {
        meshes: meshes.collect(),
        orphan,
    }
}

fn corrected(mesh: &str, existing: &ExistingWorkload<'_>) -> Action {
    let others = existing.mesh_owners_except(mesh);
    let drop_mesh_owners: BTreeSet<_> = others.map(str::to_owned).collect();
    if existing.is_ours() && existing.mesh == Some(mesh) && drop_mesh_owners.is_empty() {
        return Action::Nothing;
    }
    Action::Write(Write::Relabel {
        mesh: mesh.to_owned(),
        drop_mesh_owners,
    })
}

fn status(
    references: &References<'_>,
    existing: Option<&ExistingWorkload<'_>>,
    mode: Mode,
    action: &Action,
) -> Option<StatusNumbers> {
    let (mesh, ours) = match action {
        Action::Write(Write::Delete) => return None,
        Action::Write(Write::Create { mesh } | Write::Relabel { mesh, .. }) => (&**mesh, true),
        _ => {
            let existing = existing?;
            let writable = existing.is_ours() && !existing.is_copy;
            (existing.labelled_mesh(), writable)
        }
    };
    Some(StatusNumbers {
        counts: references.counts(mesh),
        ours: ours && mode == Mode::Manage,
    })
}

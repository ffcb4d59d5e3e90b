//! The rules on the mesh of a Namespace, in their order (M4, A20, A12, A21).

use super::{
    cluster::Cluster,
    injection_off, mesh_name, mesh_namespaces,
    namespace_change::NamespaceChange,
    namespace_relabel,
    request::Operation,
    settings::Settings,
    stop::Stop,
    verdict::{Objection, Ruling},
};
use crate::{
    mesh::{self, MeshSource},
    quoted::Quoted,
};

/// Judges a change of a Namespace.
pub(super) fn judge<C: Cluster>(
    change: NamespaceChange<'_>,
    settings: &Settings<'_>,
    cluster: &C,
    warnings: &mut Vec<Objection>,
) -> Ruling {
    if settings.is_system_namespace(change.name) {
        return Ok(());
    }
    if let Err(stop) = check(change, settings, cluster) {
        stop.into_ruling(settings.action, warnings, cluster)?;
    }
    warnings.extend(injection_off::warning(change, settings, cluster));
    Ok(())
}

fn check<C: Cluster>(
    change: NamespaceChange<'_>,
    settings: &Settings<'_>,
    cluster: &C,
) -> Result<(), Stop> {
    let NamespaceChange { name, new, old, .. } = change;
    let mesh_of = |namespace| mesh::of_namespace(namespace, settings.mesh_annotations);
    let (mesh, before) = (mesh_of(new), old.map(mesh_of));
    let moves = before.is_none_or(|before| before.name != mesh.name);
    if settings.mesh_rule && moves && mesh.source != MeshSource::Default {
        mesh_name::check(format_args!("namespace {}", Quoted(name)), mesh)?;
    }
    mesh_namespaces::check_declaration(name, mesh, before, settings)?;
    // A new Namespace is empty.
    if settings.mesh_rule && moves && change.operation == Operation::Update {
        namespace_relabel::check(name, mesh.name, settings, cluster)?;
    }
    Ok(())
}

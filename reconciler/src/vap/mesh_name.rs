//! The mesh that labels and annotations name (M1, M2), and which names a Mesh can have (M4).

use kuma_workload_rulebook::{
    keys,
    mesh::{self, MeshAnnotations},
};

use super::{
    cel::{text, value},
    variables::Variables,
};

/// Defines `labelledMesh` and `namedMesh`: the mesh that the label names, and the mesh that the label or
/// else the annotation names.
pub(super) fn define_named(
    variables: &mut Variables,
    annotations: MeshAnnotations,
) -> &mut Variables {
    variables
        .define("labelledMesh", value("variables.labels", keys::MESH))
        .define(
            "namedMesh",
            named(
                "variables.labelledMesh",
                "variables.annotations",
                annotations,
            ),
        )
}

/// The mesh that an object names: by its label, which is given, or else by its annotation.
pub(super) fn named(label: &str, of_annotations: &str, annotations: MeshAnnotations) -> String {
    match annotations {
        MeshAnnotations::Read => format!(
            "{label} != '' ? {label} : {}",
            value(of_annotations, keys::MESH)
        ),
        MeshAnnotations::Ignored => label.to_owned(),
    }
}

/// The mesh that an object names, or the default one.
pub(super) fn or_default(named: &str) -> String {
    format!("{named} != '' ? {named} : {}", text(mesh::DEFAULT))
}

/// Whether a Mesh can have this name.
pub(super) fn is_possible(mesh: &str) -> String {
    format!("size({mesh}) <= 63 && {mesh}.matches('^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$')")
}

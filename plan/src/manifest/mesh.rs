//! Meshes: of their settings those that Kuma 3 does not have (T6).

use super::{MeshManifest, Named};
use crate::read::tree::{Node, Value};

/// Reads a Mesh with these settings: its `spec`, and on Universal the document itself. What is odd in
/// them is Kuma's to refuse.
pub(super) fn read(named: Named, settings: Option<&Node>) -> MeshManifest {
    let setting = |key| settings.and_then(|settings| settings.get(key));
    let backend = setting("mtls").and_then(|mtls| mtls.get("enabledBackend"));
    let is_on = backend.is_some_and(|backend| backend.text().is_ok_and(|name| !name.is_empty()));
    let constraints = setting("constraints").filter(|constraints| says_something(constraints));
    MeshManifest {
        named,
        constraints: constraints.map(|constraints| constraints.at),
        mtls: setting("mtls").filter(|_| is_on).map(|mtls| mtls.at),
    }
}

/// Whether there is more in it than empty maps and lists.
fn says_something(node: &Node) -> bool {
    match &node.value {
        Value::Null => false,
        Value::Map(entries) => entries.iter().any(|(_, node)| says_something(node)),
        Value::List(items) => items.iter().any(says_something),
        _ => true,
    }
}

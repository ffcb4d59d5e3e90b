//! Meshes: of their settings those that Kuma 3 does not have (T6).

use kuma_workload_rulebook::keys;

use super::{MeshConstraints, MeshManifest, Named};
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
        constraints: constraints.map(|constraints| MeshConstraints {
            at: constraints.at,
            namespaces: namespaces(constraints).unwrap_or_default(),
        }),
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

/// The Namespaces that the constraints let in, if that is all they say: there are no restrictions,
/// and each requirement is the tag of a Namespace alone. A proxy has to meet one of them.
fn namespaces(constraints: &Node) -> Option<Vec<String>> {
    let proxies = constraints.get("dataplaneProxy")?;
    if proxies.get("restrictions").is_some_and(says_something) {
        return None;
    }
    let Value::List(requirements) = &proxies.get("requirements")?.value else {
        return None;
    };
    let mut namespaces = Vec::with_capacity(requirements.len());
    for requirement in requirements {
        let Value::Map(tags) = &requirement.get("tags")?.value else {
            return None;
        };
        let [(tag, name)] = tags.as_slice() else {
            return None;
        };
        let name = name.text().ok().filter(|_| tag == keys::HOME_NAMESPACE)?;
        namespaces.push(name.to_owned());
    }
    namespaces.sort();
    namespaces.dedup();
    Some(namespaces)
}

//! Fields of objects.

use serde_json::Value;

/// The mesh of a Dataplane or a DataplaneInsight.
pub(crate) fn mesh_of(object: &Value) -> &str {
    let mesh = object["mesh"].as_str().filter(|mesh| !mesh.is_empty());
    mesh.unwrap_or("default")
}

/// A string within an object; empty if there is none.
pub(crate) fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    let found = object.pointer(pointer).and_then(Value::as_str);
    found.unwrap_or_default()
}

/// A label.
pub(crate) fn label<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object["metadata"]["labels"][key].as_str()
}

/// An annotation.
pub(crate) fn annotation<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object["metadata"]["annotations"][key].as_str()
}

//! A policy's settings, by themselves or in the policy's manifest.

use super::{
    document::Document,
    fault::Fault,
    place::Place,
    tree::{Node, Position, Value},
    values::trees,
};

/// The settings that a document holds: those of the ClusterAdmissionPolicy or AdmissionPolicy in it, or
/// all that stands there. Nothing is `null`.
///
/// # Errors
///
/// When it cannot be read, or holds several documents.
pub fn policy_settings(document: &Document<'_>) -> Result<(Place, Node), Fault> {
    let file = document.name.clone();
    let mut found = trees(document).collect::<Result<Vec<_>, _>>()?;
    if found.len() > 1 {
        let what = format!(
            "{} documents are in it; give the settings of one policy",
            found.len()
        );
        return Err(Fault::of_file(file, what));
    }
    let node = found.pop().unwrap_or(Node {
        at: Position::default(),
        value: Value::Null,
    });
    let node = match node.get("kind").map(|kind| &kind.value) {
        Some(Value::Text(kind))
            if kind == "ClusterAdmissionPolicy" || kind == "AdmissionPolicy" =>
        {
            let settings = node.get("spec").and_then(|spec| spec.get("settings"));
            settings.cloned().unwrap_or(Node {
                value: Value::Null,
                ..node
            })
        }
        _ => node,
    };
    let at = node.at;
    Ok((Place { file, at }, node))
}

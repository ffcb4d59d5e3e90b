//! A policy's settings, by themselves or in the policy's manifest.

use kuma_workload_rulebook::quoted::Quoted;

use super::{
    document::Document,
    fault::{Fault, Problem},
    place::Place,
    tree::{Node, Position, Value},
    values::trees,
};

/// The settings that a document holds: those of the ClusterAdmissionPolicy or AdmissionPolicy in it, or
/// all that stands there. Nothing is `null`.
///
/// # Errors
///
/// When it cannot be read, holds several documents, or is an object of another kind.
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
    let text = |key| node.get(key).and_then(|node| node.text().ok());
    let node = match (text("apiVersion"), text("kind")) {
        (_, Some("ClusterAdmissionPolicy" | "AdmissionPolicy")) => {
            let settings = node.get("spec").and_then(|spec| spec.get("settings"));
            settings.cloned().unwrap_or(Node {
                value: Value::Null,
                ..node
            })
        }
        (Some(_), Some(kind)) => {
            let message = format!(
                "an object of kind {} has no settings of one policy; give them, or a \
                 ClusterAdmissionPolicy or AdmissionPolicy",
                Quoted(kind)
            );
            return Err(Problem {
                at: node.at,
                message,
            }
            .in_file(&file));
        }
        _ => node,
    };
    let at = node.at;
    Ok((Place { file, at }, node))
}

//! The spec of a MeshIdentity, which has the same form everywhere.

use kuma_workload_rulebook::spiffe::MeshIdentitySpec;

use super::fields;
use crate::read::tree::{Node, Read};

/// Reads the `spec` of a MeshIdentity.
pub(super) fn read(node: &Node) -> Read<MeshIdentitySpec> {
    let spec = node.field("spec", |spec| {
        let selector = spec.field("selector", |selector| {
            selector.field("dataplane", |dataplane| {
                dataplane.field("matchLabels", fields::texts)
            })
        })?;
        let templates = spec.field("spiffeID", |templates| {
            let template = |key| Ok(templates.field(key, Node::text)?.map(str::to_owned));
            Ok((template("trustDomain")?, template("path")?))
        })?;
        let (trust_domain, path) = templates.unwrap_or_default();
        Ok(MeshIdentitySpec {
            match_labels: selector.flatten().map(Option::unwrap_or_default),
            trust_domain,
            path,
        })
    })?;
    Ok(spec.unwrap_or_default())
}

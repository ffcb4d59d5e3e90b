//! Documents as objects: of the kinds that matter here, the fields that matter.
//!
//! ```text
//! node ─ envelope (lists, watches) ─ identity (which kind) ─┬─ kubernetes ─┬─▶ object
//!                                       └─ doubt (nearly)   └─ kuma ───────┘
//! ```

mod doubt;
mod envelope;
mod fields;
mod found;
mod identity;
mod identity_spec;
mod kind;
mod kubernetes;
mod kuma;
mod mesh;
mod named;
mod notes;
mod object;
mod pod;
mod proxy;
mod reader;
mod template;
#[cfg(test)]
mod tests;

pub(crate) use self::{
    envelope::Mention,
    found::Skipped,
    identity::KindName,
    object::{
        BuiltinGatewayManifest, Manifest, MeshConstraints, MeshIdentityManifest, MeshManifest,
    },
};
pub use self::{
    found::Found,
    named::{Home, Name, Named},
    object::{
        DataplaneManifest, InsightManifest, Marks, NamespaceManifest, Owner, PodManifest,
        TemplateManifest, UniversalDataplaneManifest, UniversalWorkloadManifest, WorkloadManifest,
    },
};

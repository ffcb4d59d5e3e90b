//! Which MeshIdentity a proxy has, and which SPIFFE ID this gives it (ID1 to ID4).

mod facts;
mod fault;
mod id;
mod identity;
mod mesh_identity;
mod template;

pub use facts::{ControlPlane, Environment, ProxyFacts};
pub use fault::IdentityFault;
pub use id::{IdFault, SpiffeId};
pub use identity::{Identity, best_match, of_proxy};
pub use mesh_identity::{DEFAULT_TRUST_DOMAIN, MeshIdentity, MeshIdentitySpec};
pub use template::{Malformed, Template, TemplateData, TemplateFault};

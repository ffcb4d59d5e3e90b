//! Why a proxy has no SPIFFE ID.

use std::fmt;

use super::{id::IdFault, template::TemplateFault};
use crate::{keys, quoted::Quoted};

/// Why a proxy gets no SPIFFE ID, or why the ID cannot be computed here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdentityFault {
    /// The path contains the workload, but the proxy has no identifier. The control plane refuses
    /// the proxy when it connects (ID3).
    IdentifierMissing,
    /// The template of the trust domain cannot be evaluated.
    TrustDomain(TemplateFault),
    /// The template of the path cannot be evaluated.
    Path(TemplateFault),
    /// The result of the templates is no SPIFFE ID.
    Id {
        /// The result.
        text: String,
        /// Why it is no SPIFFE ID.
        fault: IdFault,
    },
}

impl IdentityFault {
    /// Whether a template cannot be evaluated here, so that Kuma may still issue an ID (ID3).
    pub fn is_not_evaluated(&self) -> bool {
        match self {
            Self::TrustDomain(fault) | Self::Path(fault) => fault.is_not_evaluated(),
            Self::IdentifierMissing | Self::Id { .. } => false,
        }
    }
}

impl fmt::Display for IdentityFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::IdentifierMissing => write!(
                formatter,
                "the path has the workload in it and there is no label {}: \
                 the control plane refuses the proxy",
                keys::WORKLOAD
            ),
            Self::TrustDomain(fault) => write!(formatter, "spiffeID.trustDomain: {fault}"),
            Self::Path(fault) => write!(formatter, "spiffeID.path: {fault}"),
            Self::Id { text, fault } => {
                write!(formatter, "{} is no SPIFFE ID: {fault}", Quoted(text))
            }
        }
    }
}

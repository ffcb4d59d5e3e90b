//! The first gate: which host capabilities a policy was granted.

use std::collections::BTreeSet;

/// Every capability that Kubewarden knows.
const KNOWN: [&str; 11] = [
    "crypto/v1/is_certificate_trusted",
    "kubernetes/can_i",
    "kubernetes/get_resource",
    "kubernetes/list_resources_all",
    "kubernetes/list_resources_by_namespace",
    "net/v1/dns_lookup_host",
    "oci/v1/manifest_digest",
    "oci/v1/oci_manifest",
    "oci/v1/oci_manifest_config",
    "oci/v1/verify",
    "oci/v2/verify",
];

/// Granted capabilities: exact ones, `prefix/*`, or `*`. Nothing is granted by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    patterns: BTreeSet<String>,
}

/// A pattern that policy-server refuses to start with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "host capability {pattern:?} is unknown; a pattern is `*`, a prefix that ends in `/*`, or one of: {}",
    KNOWN.join(", ")
)]
pub struct UnknownCapability {
    pattern: String,
}

impl Capabilities {
    /// The grants that these patterns stand for.
    ///
    /// # Errors
    ///
    /// When a pattern can grant nothing that exists.
    pub fn new<P: AsRef<str>>(
        patterns: impl IntoIterator<Item = P>,
    ) -> Result<Self, UnknownCapability> {
        let mut granted = BTreeSet::new();
        for pattern in patterns {
            let pattern = pattern.as_ref().trim();
            if !is_legal(pattern) {
                return Err(UnknownCapability {
                    pattern: pattern.to_owned(),
                });
            }
            granted.insert(pattern.to_owned());
        }
        Ok(Self { patterns: granted })
    }

    /// Everything.
    #[must_use]
    pub fn all() -> Self {
        Self {
            patterns: BTreeSet::from(["*".to_owned()]),
        }
    }

    /// Does the real host know `namespace/operation`?
    #[must_use]
    pub fn is_known(capability: &str) -> bool {
        KNOWN.contains(&capability)
    }

    /// Is `namespace/operation` granted?
    #[must_use]
    pub fn allow(&self, capability: &str) -> bool {
        self.patterns
            .iter()
            .any(|pattern| covers(pattern, capability))
    }
}

fn covers(pattern: &str, capability: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => capability.starts_with(prefix),
        None => pattern == capability,
    }
}

fn is_legal(pattern: &str) -> bool {
    let wildcard_is_a_segment = pattern == "*" || !pattern.contains('*') || pattern.ends_with("/*");
    !pattern.is_empty() && wildcard_is_a_segment && KNOWN.iter().any(|known| covers(pattern, known))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::none(&[], "kubernetes/can_i", false)]
    #[case::everything(&["*"], "kubernetes/can_i", true)]
    #[case::exact(&["kubernetes/get_resource"], "kubernetes/get_resource", true)]
    #[case::another(&["kubernetes/get_resource"], "kubernetes/can_i", false)]
    #[case::prefix(&["kubernetes/*"], "kubernetes/list_resources_all", true)]
    #[case::other_prefix(&["oci/*"], "kubernetes/can_i", false)]
    #[case::versioned_prefix(&["oci/v2/*"], "oci/v1/verify", false)]
    fn grants(#[case] patterns: &[&str], #[case] capability: &str, #[case] expected: bool) {
        let capabilities = Capabilities::new(patterns).expect("legal patterns");
        assert_eq!(capabilities.allow(capability), expected);
    }

    #[rstest]
    #[case::empty("")]
    #[case::partial_wildcard("kubernetes*")]
    #[case::partial_segment("kubernetes/list_*")]
    #[case::wildcard_first("*/can_i")]
    #[case::unknown_operation("kubernetes/delete_resource")]
    #[case::unknown_prefix("k8s/*")]
    #[case::incomplete("kubernetes")]
    fn refuses(#[case] pattern: &str) {
        assert!(Capabilities::new([pattern]).is_err());
    }
}

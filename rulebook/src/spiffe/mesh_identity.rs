//! A MeshIdentity: which proxies it selects, and its trust domain (ID1, ID2).

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{
    facts::{ControlPlane, Environment, ProxyFacts},
    template::{Template, TemplateData, TemplateFault},
};
use crate::{keys, metadata::Labels};

/// The trust domain of a MeshIdentity that does not have one (ID1).
pub const DEFAULT_TRUST_DOMAIN: &str = "{{ .Mesh }}.{{ .Zone }}.mesh.local";

/// What the rules need to know of a MeshIdentity.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MeshIdentity {
    /// Its name in the control plane that issues the identities (ID2).
    pub name: String,
    /// Its mesh.
    pub mesh: String,
    /// Its own labels, which the template of its trust domain can use.
    pub labels: Labels<'static>,
    /// Its `spec`.
    pub spec: MeshIdentitySpec,
}

/// The `spec` of a MeshIdentity, which has the same form on Kubernetes and on Universal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "SpecDocument")]
pub struct MeshIdentitySpec {
    /// `selector.dataplane.matchLabels`. It is absent if `selector` or `dataplane` is absent, and
    /// empty if only `matchLabels` is (ID2).
    pub match_labels: Option<BTreeMap<String, String>>,
    /// `spiffeID.trustDomain`, a template.
    pub trust_domain: Option<String>,
    /// `spiffeID.path`, a template.
    pub path: Option<String>,
}

#[derive(Deserialize)]
struct SpecDocument {
    selector: Option<SelectorDocument>,
    #[serde(rename = "spiffeID")]
    spiffe_id: Option<TemplatesDocument>,
}

#[derive(Deserialize)]
struct SelectorDocument {
    dataplane: Option<DataplaneDocument>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DataplaneDocument {
    match_labels: Option<BTreeMap<String, String>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct TemplatesDocument {
    trust_domain: Option<String>,
    path: Option<String>,
}

impl From<SpecDocument> for MeshIdentitySpec {
    fn from(document: SpecDocument) -> Self {
        let selector = document.selector.and_then(|selector| selector.dataplane);
        let templates = document.spiffe_id.unwrap_or_default();
        Self {
            match_labels: selector.map(|dataplane| dataplane.match_labels.unwrap_or_default()),
            trust_domain: templates.trust_domain,
            path: templates.path,
        }
    }
}

impl MeshIdentity {
    /// The number of labels by which it selects the proxy, if it does (ID2).
    pub(super) fn selects(&self, proxy: &ProxyFacts<'_>) -> Option<usize> {
        let wanted = self.spec.match_labels.as_ref()?;
        let selected = self.mesh == proxy.mesh
            && wanted
                .iter()
                .all(|(key, value)| proxy.labels.get(key) == Some(value));
        selected.then_some(wanted.len())
    }

    /// Its path, or the default one (ID1).
    pub(super) fn path(&self, environment: Environment) -> &str {
        match &self.spec.path {
            Some(path) => path,
            None => environment.default_path(),
        }
    }

    /// Its trust domain (ID1). If it is a copy from another zone, it keeps the name of that zone.
    ///
    /// # Errors
    ///
    /// Why its template cannot be evaluated.
    pub fn trust_domain(&self, control_plane: &ControlPlane<'_>) -> Result<String, TemplateFault> {
        let template = self.spec.trust_domain.as_deref();
        let zone = self.labels.get_non_empty(keys::ZONE);
        let data = TemplateData {
            fields: &[
                ("Mesh", &self.mesh),
                ("Zone", zone.unwrap_or(control_plane.zone)),
            ],
            labels: &self.labels,
        };
        Template::parse(template.unwrap_or(DEFAULT_TRUST_DOMAIN))?.render(&data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const CONTROL_PLANE: ControlPlane<'static> = ControlPlane {
        environment: Environment::Kubernetes,
        zone: "zone-1",
    };

    fn mesh_identity(trust_domain: Option<&str>) -> MeshIdentity {
        MeshIdentity {
            mesh: "mesh1".to_owned(),
            spec: MeshIdentitySpec {
                trust_domain: trust_domain.map(str::to_owned),
                ..MeshIdentitySpec::default()
            },
            ..MeshIdentity::default()
        }
    }

    #[rstest]
    #[case::mesh_and_zone("{{ .Zone }}.{{ .Mesh }}", "zone-1.mesh1")]
    #[case::text("example.com", "example.com")]
    #[case::empty_is_not_absent("", "")]
    fn id1_trust_domain(#[case] template: &str, #[case] trust_domain: &str) {
        let found = mesh_identity(Some(template)).trust_domain(&CONTROL_PLANE);
        assert_eq!(found.as_deref(), Ok(trust_domain));
    }

    #[rstest]
    #[case::of_its_own("kuma.io/zone", "zone-2", "mesh1.zone-2.mesh.local")]
    #[case::empty("kuma.io/zone", "", "mesh1.zone-1.mesh.local")]
    #[case::none("team", "core", "mesh1.zone-1.mesh.local")]
    fn id1_the_zone_of_the_mesh_identity(
        #[case] key: &'static str,
        #[case] value: &'static str,
        #[case] trust_domain: &str,
    ) {
        let mesh_identity = MeshIdentity {
            labels: [(key, value)].into_iter().collect(),
            ..mesh_identity(None)
        };
        let found = mesh_identity.trust_domain(&CONTROL_PLANE);
        assert_eq!(found.as_deref(), Ok(trust_domain));
    }

    #[rstest]
    #[case::nothing("{}", None)]
    #[case::null(r#"{"selector":null,"spiffeID":null}"#, None)]
    #[case::selector_of_nothing(r#"{"selector":{}}"#, None)]
    #[case::empty(r#"{"selector":{"dataplane":{}}}"#, Some(&[][..]))]
    #[case::empty_labels(r#"{"selector":{"dataplane":{"matchLabels":{}}}}"#, Some(&[][..]))]
    #[case::labels(
        r#"{"selector":{"dataplane":{"matchLabels":{"a":"1","b":""}}},"provider":{"type":"Bundled"}}"#,
        Some(&[("a", "1"), ("b", "")][..])
    )]
    fn id2_selectors_of_documents(
        #[case] document: &str,
        #[case] match_labels: Option<&[(&str, &str)]>,
    ) {
        let spec: MeshIdentitySpec = serde_json::from_str(document).unwrap();
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        let match_labels = match_labels.map(|labels| labels.iter().map(owned).collect());
        let expected = MeshIdentitySpec {
            match_labels,
            ..MeshIdentitySpec::default()
        };
        assert_eq!(spec, expected);
    }

    #[test]
    fn id1_templates_of_documents() {
        let document = r#"{"spiffeID":{"trustDomain":"example.com","path":""}}"#;
        let spec: MeshIdentitySpec = serde_json::from_str(document).unwrap();
        assert_eq!(spec.trust_domain.as_deref(), Some("example.com"));
        assert_eq!(spec.path.as_deref(), Some(""));
    }
}

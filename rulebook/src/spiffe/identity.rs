//! The identity of a proxy: its MeshIdentity, and the SPIFFE ID that this gives it (ID1 to ID3).

use std::cmp::Reverse;

use super::{
    facts::{ControlPlane, Environment, ProxyFacts},
    fault::IdentityFault,
    id::SpiffeId,
    mesh_identity::MeshIdentity,
    template::{Template, TemplateData},
};
use crate::keys;

/// The identity of a proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity<'i> {
    /// The MeshIdentity that matches the proxy best (ID2).
    pub mesh_identity: &'i MeshIdentity,
    /// The SPIFFE ID, or why there is none (ID3).
    pub spiffe_id: Result<SpiffeId, IdentityFault>,
}

/// The identity of a proxy, if a MeshIdentity selects it (ID2, ID3).
pub fn of_proxy<'i>(
    mesh_identities: impl IntoIterator<Item = &'i MeshIdentity>,
    proxy: &ProxyFacts<'_>,
    control_plane: &ControlPlane<'_>,
) -> Option<Identity<'i>> {
    let mesh_identity = best_match(mesh_identities, proxy)?;
    let is_by_workload = mesh_identity.is_by_workload(control_plane.environment);
    let spiffe_id = if is_by_workload && !proxy.labels.contains(keys::WORKLOAD) {
        Err(IdentityFault::IdentifierMissing)
    } else {
        mesh_identity.spiffe_id(proxy, control_plane)
    };
    Some(Identity {
        mesh_identity,
        spiffe_id,
    })
}

/// The MeshIdentity of the proxy's mesh that selects it with the most labels. If there are several,
/// the one with the smallest name (ID2).
pub fn best_match<'i>(
    mesh_identities: impl IntoIterator<Item = &'i MeshIdentity>,
    proxy: &ProxyFacts<'_>,
) -> Option<&'i MeshIdentity> {
    mesh_identities
        .into_iter()
        .filter_map(|candidate| Some((candidate, candidate.selects(proxy)?)))
        .min_by_key(|(candidate, entries)| (Reverse(*entries), candidate.name.as_str()))
        .map(|(candidate, _)| candidate)
}

impl MeshIdentity {
    /// Whether the workload is part of the SPIFFE IDs that it gives, as Kuma decides it (ID3).
    pub fn is_by_workload(&self, environment: Environment) -> bool {
        has_workload(self.path(environment))
    }

    /// The SPIFFE ID that it gives to a proxy that is connected (ID1, ID3). [`of_proxy`] also
    /// checks that the control plane lets the proxy connect.
    ///
    /// # Errors
    ///
    /// Why its templates give no SPIFFE ID.
    pub fn spiffe_id(
        &self,
        proxy: &ProxyFacts<'_>,
        control_plane: &ControlPlane<'_>,
    ) -> Result<SpiffeId, IdentityFault> {
        let trust_domain = self
            .trust_domain(control_plane)
            .map_err(IdentityFault::TrustDomain)?;
        // If the label is absent, the field is empty. Only the function `label` needs the label.
        let label = |key| proxy.labels.get(key).unwrap_or_default();
        let data = TemplateData {
            fields: &[
                ("TrustDomain", &trust_domain),
                ("Namespace", label(keys::HOME_NAMESPACE)),
                ("ServiceAccount", label(keys::SERVICE_ACCOUNT)),
                ("Workload", label(keys::WORKLOAD)),
            ],
            labels: proxy.labels,
        };
        let path = Template::parse(self.path(control_plane.environment))
            .and_then(|template| template.render(&data))
            .map_err(IdentityFault::Path)?;
        // If the path has no slash at its beginning, the first part of it belongs to the trust
        // domain.
        let text = format!("spiffe://{trust_domain}{path}");
        SpiffeId::parse(&text).map_err(|fault| IdentityFault::Id { text, fault })
    }
}

/// Whether Kuma thinks that a path contains the workload (ID3). Kuma looks for `{{ .Workload }}`
/// and `{{ label "kuma.io/workload" }}` without trim markers, even in a template that is malformed.
fn has_workload(path: &str) -> bool {
    path.match_indices("{{").any(|(at, open)| {
        let inner = path.get(at + open.len()..).unwrap_or_default();
        let inner = inner.trim_start_matches(SPACES);
        inner.strip_prefix(".Workload").is_some_and(closes)
            || inner
                .strip_prefix("label")
                .filter(|rest| rest.starts_with(SPACES))
                .map(|rest| rest.trim_start_matches(SPACES))
                .and_then(|rest| rest.strip_prefix('"')?.strip_prefix(keys::WORKLOAD))
                .and_then(|rest| rest.strip_prefix('"'))
                .is_some_and(closes)
    })
}

/// What Kuma's search treats as space.
const SPACES: [char; 5] = [' ', '\t', '\n', '\x0c', '\r'];

fn closes(rest: &str) -> bool {
    rest.trim_start_matches(SPACES).starts_with("}}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        metadata::Labels,
        spiffe::{
            facts::Environment, id::IdFault, mesh_identity::MeshIdentitySpec,
            template::TemplateFault,
        },
    };
    use rstest::rstest;
    use std::collections::BTreeMap;

    const KUBERNETES: ControlPlane<'static> = ControlPlane {
        environment: Environment::Kubernetes,
        zone: "zone-1",
    };
    const UNIVERSAL: ControlPlane<'static> = ControlPlane {
        environment: Environment::Universal,
        zone: "zone-1",
    };

    fn labels<'a>(entries: &[(&'a str, &'a str)]) -> Labels<'a> {
        entries.iter().copied().collect()
    }

    fn in_mesh1<'a>(labels: &'a Labels<'a>) -> ProxyFacts<'a> {
        ProxyFacts {
            mesh: "mesh1",
            labels,
        }
    }

    /// A MeshIdentity of `mesh1` that selects every proxy.
    fn mesh_identity(trust_domain: Option<&str>, path: Option<&str>) -> MeshIdentity {
        MeshIdentity {
            name: "identity".to_owned(),
            mesh: "mesh1".to_owned(),
            labels: Labels::default(),
            spec: MeshIdentitySpec {
                match_labels: Some(BTreeMap::new()),
                trust_domain: trust_domain.map(str::to_owned),
                path: path.map(str::to_owned),
            },
        }
    }

    /// The name of a MeshIdentity and its `matchLabels`.
    type Candidate<'a> = (&'a str, Option<&'a [(&'a str, &'a str)]>);

    fn selecting(name: &str, match_labels: Option<&[(&str, &str)]>) -> MeshIdentity {
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        MeshIdentity {
            name: name.to_owned(),
            spec: MeshIdentitySpec {
                match_labels: match_labels.map(|entries| entries.iter().map(owned).collect()),
                ..MeshIdentitySpec::default()
            },
            ..mesh_identity(None, None)
        }
    }

    const PROXY: [(&str, &str); 4] = [
        ("kuma.io/workload", "backend"),
        ("k8s.kuma.io/namespace", "demo"),
        ("k8s.kuma.io/service-account", "sa"),
        ("team", "core"),
    ];

    fn given(
        mesh_identity: &MeshIdentity,
        proxy: &[(&str, &str)],
        control_plane: &ControlPlane<'_>,
    ) -> Result<String, IdentityFault> {
        let labels = labels(proxy);
        let identity = of_proxy([mesh_identity], &in_mesh1(&labels), control_plane).unwrap();
        identity.spiffe_id.map(|id| id.to_string())
    }

    #[rstest]
    #[case::kubernetes(&KUBERNETES, "spiffe://mesh1.zone-1.mesh.local/ns/demo/sa/sa")]
    #[case::universal(&UNIVERSAL, "spiffe://mesh1.zone-1.mesh.local/workload/backend")]
    fn id1_defaults(#[case] control_plane: &ControlPlane<'_>, #[case] id: &str) {
        let found = given(&mesh_identity(None, None), &PROXY, control_plane);
        assert_eq!(found.as_deref(), Ok(id));
    }

    #[test]
    fn id1_the_trust_domain_knows_nothing_of_the_proxy() {
        for template in ["{{ .Workload }}.local", "{{ label \"team\" }}.local"] {
            let found = given(&mesh_identity(Some(template), None), &PROXY, &KUBERNETES);
            assert!(matches!(
                found,
                Err(IdentityFault::TrustDomain(
                    TemplateFault::UnknownField { .. } | TemplateFault::LabelMissing { .. }
                ))
            ));
        }
    }

    #[rstest]
    #[case::every_field(
        "/{{ .TrustDomain }}/{{ .Namespace }}/{{ .ServiceAccount }}/{{ .Workload }}",
        "spiffe://example.com/example.com/demo/sa/backend"
    )]
    #[case::label("/{{ label \"team\" }}", "spiffe://example.com/core")]
    #[case::empty_is_not_absent("", "spiffe://example.com")]
    #[case::without_its_first_slash("workload/x", "spiffe://example.comworkload/x")]
    #[case::marker_at_the_seam("{{- .Workload }}", "spiffe://example.combackend")]
    fn id1_path(#[case] path: &str, #[case] id: &str) {
        let found = given(
            &mesh_identity(Some("example.com"), Some(path)),
            &PROXY,
            &KUBERNETES,
        );
        assert_eq!(found.as_deref(), Ok(id));
    }

    #[test]
    fn id1_an_absent_label_is_an_error_and_an_absent_field_is_empty() {
        let found = |path| {
            let mesh_identity = mesh_identity(Some("example.com"), Some(path));
            given(&mesh_identity, &[], &KUBERNETES)
        };
        let (at, key) = (5, "team".to_owned());
        let missing = Err(IdentityFault::Path(TemplateFault::LabelMissing { at, key }));
        assert_eq!(found("/t/{{label \"team\" }}"), missing);
        let without = found("/n{{ .Namespace }}/s{{ .ServiceAccount }}");
        assert_eq!(without.as_deref(), Ok("spiffe://example.com/n/s"));
    }

    #[rstest]
    #[case::no_selector(&[("a", None)], None)]
    #[case::empty_selector(&[("a", Some(&[][..]))], Some("a"))]
    #[case::selected(&[("a", Some(&[("team", "core")][..]))], Some("a"))]
    #[case::workload(&[("a", Some(&[("kuma.io/workload", "backend")][..]))], Some("a"))]
    #[case::other_value(&[("a", Some(&[("team", "edge")][..]))], None)]
    #[case::absent_label_is_not_an_empty_one(&[("a", Some(&[("zone", "")][..]))], None)]
    #[case::one_entry_of_two(&[("a", Some(&[("team", "core"), ("zone", "1")][..]))], None)]
    #[case::most_entries(
        &[
            ("a", Some(&[][..])),
            ("b", Some(&[("team", "core")][..])),
            ("c", Some(&[("team", "core"), ("kuma.io/workload", "backend")][..])),
            ("d", Some(&[("team", "core"), ("kuma.io/workload", "backend"), ("x", "")][..])),
            ("e", None),
        ],
        Some("c")
    )]
    #[case::smaller_name(
        &[
            ("c", Some(&[("team", "core")][..])),
            ("b", Some(&[("kuma.io/workload", "backend")][..])),
            ("a", Some(&[][..])),
        ],
        Some("b")
    )]
    fn id2_best_match(#[case] candidates: &[Candidate<'_>], #[case] best: Option<&str>) {
        let candidates: Vec<_> = candidates
            .iter()
            .map(|(name, match_labels)| selecting(name, *match_labels))
            .collect();
        let labels = labels(&PROXY);
        let found = best_match(&candidates, &in_mesh1(&labels));
        assert_eq!(found.map(|found| found.name.as_str()), best);
        let found = best_match(candidates.iter().rev(), &in_mesh1(&labels));
        assert_eq!(found.map(|found| found.name.as_str()), best);
    }

    #[test]
    fn id2_only_of_the_proxys_mesh() {
        let elsewhere = MeshIdentity {
            mesh: "mesh2".to_owned(),
            ..selecting("a", Some(&[("team", "core")]))
        };
        let here = selecting("b", Some(&[]));
        let labels = labels(&PROXY);
        let found = of_proxy([&elsewhere, &here], &in_mesh1(&labels), &KUBERNETES);
        assert_eq!(found.map(|found| found.mesh_identity), Some(&here));
        assert_eq!(
            of_proxy([&elsewhere], &in_mesh1(&labels), &KUBERNETES),
            None
        );
    }

    #[rstest]
    #[case::field("/{{ .Workload }}")]
    #[case::field_without_spaces("/x{{.Workload}}")]
    #[case::label("/{{ label \"kuma.io/workload\" }}")]
    #[case::label_over_two_lines("/{{label\n\"kuma.io/workload\"}}")]
    #[case::beside_what_is_not_evaluated("/{{ if .Workload }}{{ .Workload }}{{ end }}")]
    #[case::beside_what_is_malformed("/{{ .Workload }}/{{ .Workload")]
    fn id3_a_missing_identifier_is_refused(#[case] path: &str) {
        let found = given(
            &mesh_identity(Some("example.com"), Some(path)),
            &[],
            &KUBERNETES,
        );
        assert_eq!(found, Err(IdentityFault::IdentifierMissing));
    }

    #[test]
    fn id3_the_default_path_of_universal_needs_the_identifier() {
        let mesh_identity = mesh_identity(None, None);
        let labels = [
            ("k8s.kuma.io/namespace", "demo"),
            ("k8s.kuma.io/service-account", "sa"),
        ];
        let universal = given(&mesh_identity, &labels, &UNIVERSAL);
        assert_eq!(universal, Err(IdentityFault::IdentifierMissing));
        assert!(given(&mesh_identity, &labels, &KUBERNETES).is_ok());
    }

    #[rstest]
    #[case::trim_markers("/{{- .Workload -}}/z", IdFault::EmptySegment)]
    #[case::trim_markers_at_the_end("/{{- .Workload -}}", IdFault::TrailingSlash)]
    fn id3_kuma_does_not_see_the_workload_between_trim_markers(
        #[case] path: &str,
        #[case] fault: IdFault,
    ) {
        let mesh_identity = mesh_identity(Some("example.com"), Some(path));
        let found = given(&mesh_identity, &[], &KUBERNETES);
        let Err(IdentityFault::Id { fault: found, .. }) = found else {
            unreachable!("{found:?}");
        };
        assert_eq!(found, fault);
    }

    #[rstest]
    #[case::raw_string("/{{ label `kuma.io/workload` }}")]
    #[case::trim_marker("/{{ label \"kuma.io/workload\" -}}")]
    fn id3_nor_these_forms_of_the_label(#[case] path: &str) {
        let mesh_identity = mesh_identity(Some("example.com"), Some(path));
        let (at, key) = (4, "kuma.io/workload".to_owned());
        let missing = Err(IdentityFault::Path(TemplateFault::LabelMissing { at, key }));
        assert_eq!(given(&mesh_identity, &[], &KUBERNETES), missing);
    }

    #[test]
    fn id3_an_empty_identifier_fails_later() {
        let mesh_identity = mesh_identity(Some("example.com"), Some("/w/{{ .Workload }}"));
        let found = given(&mesh_identity, &[("kuma.io/workload", "")], &KUBERNETES);
        let (text, fault) = ("spiffe://example.com/w/".to_owned(), IdFault::TrailingSlash);
        assert_eq!(found, Err(IdentityFault::Id { text, fault }));
    }

    #[rstest]
    #[case::trust_domain(Some("{{ len .Mesh }}"), Some("/x"))]
    #[case::path(Some("example.com"), Some("/{{ if .Workload }}y{{ end }}"))]
    fn id3_what_is_richer_is_not_evaluated(
        #[case] trust_domain: Option<&str>,
        #[case] path: Option<&str>,
    ) {
        let found = given(&mesh_identity(trust_domain, path), &PROXY, &KUBERNETES);
        assert!(found.is_err_and(|fault| fault.is_not_evaluated()));
    }

    #[rstest]
    #[case::missing(
        &[],
        "/{{ .Workload }}",
        "the path has the workload in it and there is no label kuma.io/workload: \
         the control plane refuses the proxy"
    )]
    #[case::template(&PROXY, "/{{ .Pod }}", "spiffeID.path: there is no field .Pod (at byte 4)")]
    #[case::id(
        &PROXY,
        "/a/../b",
        "\"spiffe://mesh1.zone-1.mesh.local/a/../b\" is no SPIFFE ID: \
         its path has a segment '.' or '..'"
    )]
    fn id3_faults_in_words(
        #[case] proxy: &[(&str, &str)],
        #[case] path: &str,
        #[case] words: &str,
    ) {
        let fault = given(&mesh_identity(None, Some(path)), proxy, &KUBERNETES).unwrap_err();
        assert_eq!(fault.to_string(), words);
        assert!(!fault.is_not_evaluated());
    }

    #[test]
    fn id4_the_pages_example() {
        let mut mesh_identity =
            mesh_identity(Some("example.com"), Some("/workload/{{ .Workload }}"));
        let selector = [("kuma.io/workload".to_owned(), "demo-workload".to_owned())];
        mesh_identity.spec.match_labels = Some(selector.into_iter().collect());
        let labels = labels(&[("kuma.io/workload", "demo-workload")]);
        let identity = of_proxy([&mesh_identity], &in_mesh1(&labels), &KUBERNETES).unwrap();
        assert_eq!(
            identity.spiffe_id.map(|id| id.to_string()).as_deref(),
            Ok("spiffe://example.com/workload/demo-workload")
        );
    }
}

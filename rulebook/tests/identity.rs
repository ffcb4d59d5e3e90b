//! Compares the SPIFFE IDs of the rulebook with those of Kuma's own code (ID1, ID3).
//!
//! `identity.jsonl.gz` contains 500 generated inputs, and the results of Kuma 2.13.10's functions
//! for the trust domain and the SPIFFE ID. It contains nothing else of Kuma.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::{collections::BTreeMap, io::Read as _};

use flate2::read::GzDecoder;
use kuma_workload_rulebook::{
    metadata::Labels,
    spiffe::{
        ControlPlane, Environment, IdFault, IdentityFault, MeshIdentity, MeshIdentitySpec,
        ProxyFacts, SpiffeId, TemplateFault, of_proxy,
    },
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    id: String,
    env: String,
    labels: BTreeMap<String, String>,
    mesh: String,
    zone: String,
    identity: MeshIdentitySpec,
    upstream: Upstream,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Upstream {
    trust_domain: Option<String>,
    spiffe_id: Option<String>,
    error: Option<String>,
}

fn cases() -> Vec<Case> {
    let mut lines = String::new();
    GzDecoder::new(&include_bytes!("identity.jsonl.gz")[..])
        .read_to_string(&mut lines)
        .unwrap();
    lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// How often the rulebook gave which kind of answer.
#[derive(Debug, Default, PartialEq)]
struct Counts {
    /// The same ID as Kuma.
    ids: usize,
    /// A fault, and an error in Kuma for the same reason.
    faults: usize,
    /// Not evaluated here, and an ID in Kuma.
    not_evaluated_but_given: usize,
    /// Not evaluated here, and an error in Kuma.
    not_evaluated_nor_given: usize,
    /// Among all of these, the proxies that are refused before anything is evaluated.
    refused: usize,
}

impl Case {
    /// The proxy, the MeshIdentity and the control plane of the case.
    fn with<T>(
        &self,
        judge: impl FnOnce(&MeshIdentity, &ProxyFacts<'_>, &ControlPlane<'_>) -> T,
    ) -> T {
        let mesh_identity = MeshIdentity {
            name: self.id.clone(),
            mesh: self.mesh.clone(),
            labels: Labels::default(),
            spec: MeshIdentitySpec {
                // Kuma's functions were called for a proxy that is already selected.
                match_labels: Some(BTreeMap::new()),
                ..self.identity.clone()
            },
        };
        let entries = self.labels.iter();
        let labels = entries.map(|(k, v)| (k.as_str(), v.as_str())).collect();
        let proxy = ProxyFacts {
            mesh: &self.mesh,
            labels: &labels,
        };
        let environment = match self.env.as_str() {
            "kubernetes" => Environment::Kubernetes,
            "universal" => Environment::Universal,
            other => panic!("{}: environment {other}", self.id),
        };
        let control_plane = ControlPlane {
            environment,
            zone: &self.zone,
        };
        judge(&mesh_identity, &proxy, &control_plane)
    }

    /// Whether a template of the case has an action that is neither a field nor a label. This reads
    /// just enough of a template for these cases.
    fn is_richer(&self) -> bool {
        let templates = [&self.identity.trust_domain, &self.identity.path];
        templates.into_iter().flatten().any(|template| {
            template.split("{{").skip(1).any(|action| {
                let inner = action.split("}}").next().unwrap();
                let words: Vec<_> = inner.trim_matches('-').split_whitespace().collect();
                let plain = match words[..] {
                    [field] => field.starts_with('.'),
                    ["label", key] => key.starts_with('"'),
                    _ => false,
                };
                !plain
            })
        })
    }

    fn count(&self, answer: Result<SpiffeId, IdentityFault>, counts: &mut Counts) {
        match (answer, &self.upstream.spiffe_id, &self.upstream.error) {
            (Ok(ours), Some(theirs), None) => {
                assert_eq!(ours.as_str(), theirs, "{}", self.id);
                counts.ids += 1;
            }
            (Err(fault), theirs, _) if fault.is_not_evaluated() => {
                assert!(self.is_richer(), "{}: {fault}", self.id);
                match theirs {
                    Some(_) => counts.not_evaluated_but_given += 1,
                    None => counts.not_evaluated_nor_given += 1,
                }
            }
            (Err(fault), None, Some(error)) => {
                for words in reason(&fault) {
                    assert!(error.contains(&words), "{}: {fault}; {error}", self.id);
                }
                counts.faults += 1;
            }
            (answer, theirs, error) => {
                panic!("{}: {answer:?} for {theirs:?} or {error:?}", self.id)
            }
        }
    }
}

/// What the error of Kuma contains if it is for the same reason.
fn reason(fault: &IdentityFault) -> Vec<String> {
    match fault {
        IdentityFault::IdentifierMissing => Vec::new(),
        IdentityFault::TrustDomain(fault) => vec![reason_of_template(fault)],
        IdentityFault::Path(fault) => vec![
            "failed to render SPIFFE ID template".to_owned(),
            reason_of_template(fault),
        ],
        IdentityFault::Id { text, fault } => {
            let words = match fault {
                IdFault::NoTrustDomain => "trust domain is missing",
                IdFault::TrustDomainCharacter(_) => "trust domain characters are limited",
                IdFault::EmptySegment => "empty segments",
                IdFault::DotSegment => "dot segments",
                IdFault::PathCharacter(_) => "path segment characters are limited",
                IdFault::TrailingSlash => "trailing slash",
                other => panic!("no case is for this: {other:?}"),
            };
            vec![
                format!("failed to parse SPIFFE ID {text:?}"),
                words.to_owned(),
            ]
        }
    }
}

fn reason_of_template(fault: &TemplateFault) -> String {
    match fault {
        TemplateFault::UnknownField { name, .. } => format!("can't evaluate field {name} "),
        TemplateFault::LabelMissing { key, .. } => format!("label {key} not found"),
        TemplateFault::Malformed { .. } => "unclosed action".to_owned(),
        TemplateFault::NotEvaluated { .. } => panic!("counted before"),
    }
}

#[test]
fn id1_trust_domains_are_upstreams() {
    let mut given = 0;
    for case in cases() {
        let trust_domain =
            case.with(|identity, _, control_plane| identity.trust_domain(control_plane));
        // All trust domains of the cases can be evaluated here.
        assert_eq!(trust_domain.ok(), case.upstream.trust_domain, "{}", case.id);
        given += usize::from(case.upstream.trust_domain.is_some());
    }
    println!("trust domains: {given} the same, {} errors", 500 - given);
    assert_eq!(given, 450);
}

#[test]
fn id3_spiffe_ids_are_upstreams() {
    let mut counts = Counts::default();
    for case in cases() {
        let answer =
            case.with(|identity, proxy, control_plane| identity.spiffe_id(proxy, control_plane));
        case.count(answer, &mut counts);
    }
    println!("as upstream's functions: {counts:?}");
    let expected = Counts {
        ids: 170,
        faults: 297,
        not_evaluated_but_given: 18,
        not_evaluated_nor_given: 15,
        refused: 0,
    };
    assert_eq!(counts, expected);
}

#[test]
fn id3_a_refused_proxy_gets_no_id_upstream_either() {
    let mut counts = Counts::default();
    for case in cases() {
        let answer = case.with(|identity, proxy, control_plane| {
            of_proxy([identity], proxy, control_plane)
                .unwrap()
                .spiffe_id
        });
        if answer == Err(IdentityFault::IdentifierMissing) {
            assert!(!case.labels.contains_key("kuma.io/workload"), "{}", case.id);
            counts.refused += 1;
        }
        case.count(answer, &mut counts);
    }
    println!("with the refusals: {counts:?}");
    let expected = Counts {
        ids: 170,
        faults: 297,
        not_evaluated_but_given: 18,
        not_evaluated_nor_given: 15,
        refused: 28,
    };
    assert_eq!(counts, expected);
}

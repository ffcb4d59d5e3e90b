//! Which SPIFFE ID each proxy would get (ID1 to ID4).

use std::collections::{BTreeMap, HashMap};

use kuma_workload_rulebook::{
    identifier::DEFAULT_SERVICE_ACCOUNT,
    keys,
    metadata::{Labels, Text},
    spiffe::{self, ControlPlane, Environment, IdentityFault, MeshIdentity, ProxyFacts},
};

use super::{
    finding::{Cause, Finding, Member, ObjectName, Severity},
    inventory::Objects,
    manifest::{DataplaneManifest, MeshIdentityManifest},
    options::Target,
    pod_source::PodSource,
    read::Place,
    report::IdentityReport,
};

/// The MeshIdentities by mesh, and what there is to say of the proxies that they were asked about.
pub(crate) struct Identities<'a> {
    by_mesh: BTreeMap<&'a str, Candidates<'a>>,
    control_plane: ControlPlane<'a>,
    target: Target,
    findings: Vec<Finding>,
}

/// A proxy, and what a finding about it is about.
pub(crate) struct Asked<'p> {
    /// The proxy.
    pub proxy: ProxyFacts<'p>,
    /// What a finding is about.
    pub member: Member,
    /// Where it stands.
    pub place: Option<&'p Place>,
}

impl<'a> Identities<'a> {
    /// Those that the control plane knows.
    pub(crate) fn new(
        all: &'a Objects<MeshIdentityManifest>,
        control_plane: ControlPlane<'a>,
        target: Target,
    ) -> Self {
        let mut by_mesh = BTreeMap::<_, Vec<_>>::new();
        for identity in all.values() {
            let of_mesh = by_mesh.entry(&*identity.facts.mesh).or_default();
            of_mesh.push(identity);
        }
        Self {
            by_mesh: by_mesh
                .into_iter()
                .map(|(mesh, identities)| (mesh, Candidates::new(identities)))
                .collect(),
            control_plane,
            target,
            findings: Vec::new(),
        }
    }

    /// Whether a mesh has any.
    pub(crate) fn has(&self, mesh: &str) -> bool {
        self.by_mesh.contains_key(mesh)
    }

    /// The identity of a proxy, if its mesh has any and one selects it.
    pub(crate) fn of(&mut self, asked: Asked<'_>) -> Option<IdentityReport> {
        let Asked {
            proxy,
            member,
            place,
        } = asked;
        let of_mesh = self.by_mesh.get(proxy.mesh)?;
        let candidates = of_mesh.for_labels(proxy.labels).map(|one| &one.facts);
        let Some(identity) = spiffe::of_proxy(candidates, &proxy, &self.control_plane) else {
            self.findings
                .push(self.not_selected(proxy.mesh, member, place));
            return None;
        };
        let manifest = of_mesh.manifest(identity.mesh_identity)?;
        let fault = identity.spiffe_id.as_ref().err();
        match fault {
            Some(fault) => self.findings.push(self.fault(manifest, fault, member)),
            None if self.needs_token(identity.mesh_identity) => {
                let identity = ObjectName::of("MeshIdentity", &manifest.named);
                let cause = Cause::WorkloadToken { identity };
                let finding = Finding::of(Severity::Note, cause).at(place.cloned());
                self.findings.push(finding.about([member]));
            }
            None => {}
        }
        Some(IdentityReport {
            mesh_identity: manifest.named.name.as_str().to_owned(),
            fault: fault.map(IdentityFault::to_string),
            spiffe_id: identity.spiffe_id.ok().map(|id| id.to_string()),
        })
    }

    /// What there is to say of the proxies.
    pub(crate) fn into_findings(self) -> Vec<Finding> {
        self.findings
    }

    /// On Universal, the token must be bound to the workload where the identity comes from it (ID3).
    fn needs_token(&self, identity: &MeshIdentity) -> bool {
        let environment = self.control_plane.environment;
        environment == Environment::Universal && identity.is_by_workload(environment)
    }

    fn not_selected(&self, mesh: &str, member: Member, place: Option<&Place>) -> Finding {
        let is_target = self.target == Target::Kuma3;
        let severity = match is_target {
            true => Severity::Warning,
            false => Severity::Note,
        };
        let mesh = mesh.to_owned();
        Finding::of(severity, Cause::NotSelected { mesh, is_target })
            .at(place.cloned())
            .about([member])
    }

    fn fault(
        &self,
        manifest: &MeshIdentityManifest,
        fault: &IdentityFault,
        member: Member,
    ) -> Finding {
        let is_not_evaluated = fault.is_not_evaluated();
        let severity = match is_not_evaluated {
            true => Severity::Note,
            false => Severity::Error,
        };
        let cause = Cause::IdentityFault {
            identity: ObjectName::of("MeshIdentity", &manifest.named),
            fault: match fault {
                // The text is another one for each proxy.
                IdentityFault::Id { fault, .. } => {
                    format!("its templates give no SPIFFE ID: {fault}")
                }
                fault => fault.to_string(),
            },
            is_not_evaluated,
        };
        Finding::of(severity, cause)
            .at(manifest.named.place.clone())
            .about([member.saying(fault.to_string())])
    }
}

/// The MeshIdentities of a mesh, so that few are looked at for each proxy: those that select all, and
/// those that select by a label, under that of their labels which the fewest select by.
struct Candidates<'a> {
    of_all: Vec<&'a MeshIdentityManifest>,
    by_label: HashMap<(&'a str, &'a str), Vec<&'a MeshIdentityManifest>>,
    by_name: HashMap<&'a str, &'a MeshIdentityManifest>,
}

impl<'a> Candidates<'a> {
    fn new(identities: Vec<&'a MeshIdentityManifest>) -> Self {
        let mut selecting_by = HashMap::<_, usize>::new();
        for identity in &identities {
            for label in selected_labels(identity) {
                *selecting_by.entry(label).or_default() += 1;
            }
        }
        let mut of_all = Vec::new();
        let mut by_label = HashMap::<_, Vec<_>>::new();
        for identity in &identities {
            match selected_labels(identity).min_by_key(|label| selecting_by.get(label)) {
                Some(label) => by_label.entry(label).or_default().push(*identity),
                None => of_all.push(*identity),
            }
        }
        Self {
            of_all,
            by_label,
            by_name: identities
                .into_iter()
                .map(|one| (&*one.facts.name, one))
                .collect(),
        }
    }

    /// Those that may select a proxy with these labels.
    fn for_labels(&self, labels: &Labels<'_>) -> impl Iterator<Item = &'a MeshIdentityManifest> {
        let by_label = labels.iter().filter_map(|label| self.by_label.get(&label));
        let of_all = self.of_all.iter();
        let candidates: Vec<_> = of_all.chain(by_label.flatten()).copied().collect();
        candidates.into_iter()
    }

    fn manifest(&self, identity: &MeshIdentity) -> Option<&'a MeshIdentityManifest> {
        self.by_name.get(&*identity.name).copied()
    }
}

fn selected_labels(identity: &MeshIdentityManifest) -> impl Iterator<Item = (&str, &str)> {
    let labels = identity.facts.spec.match_labels.iter().flatten();
    labels.map(|(key, value)| (&**key, &**value))
}

/// The logical labels of a Dataplane: some of them are stored as annotations.
pub(crate) fn labels_of_dataplane(
    dataplane: &DataplaneManifest,
    workload: Option<&str>,
) -> Labels<'static> {
    let metadata = &dataplane.metadata;
    let mut labels = metadata.labels.clone();
    let account = metadata
        .annotations
        .get(keys::SERVICE_ACCOUNT)
        .filter(|_| !labels.contains(keys::SERVICE_ACCOUNT));
    let added: Vec<_> = [(keys::WORKLOAD, workload), (keys::SERVICE_ACCOUNT, account)]
        .into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), value?.to_owned())))
        .collect();
    add(&mut labels, added);
    labels
}

/// The labels that Kuma gives the Dataplane of a Pod: the Pod's own, and what it knows itself.
pub(crate) fn labels_to_come(source: &PodSource<'_>, mesh: &str, zone: &str) -> Labels<'static> {
    let mut labels = source.facts.metadata.labels.clone();
    let account = source.facts.service_account.as_deref();
    let account = account
        .filter(|name| !name.is_empty())
        .unwrap_or(DEFAULT_SERVICE_ACCOUNT);
    let own = [
        (keys::MESH, mesh),
        (keys::HOME_NAMESPACE, source.named.namespace()),
        (keys::SERVICE_ACCOUNT, account),
        (keys::ORIGIN, keys::ORIGIN_ZONE),
        (keys::ENVIRONMENT, "kubernetes"),
        (keys::ZONE, zone),
    ];
    let workload = source.workload.map(|found| (keys::WORKLOAD, found.name));
    let added = own.into_iter().chain(workload);
    add(
        &mut labels,
        added.map(|(key, value)| (key.to_owned(), value.to_owned())),
    );
    labels
}

/// Of a key given twice, the last counts.
fn add(labels: &mut Labels<'static>, added: impl IntoIterator<Item = (String, String)>) {
    let text = |text: String| Text(text.into());
    labels.extend(
        added
            .into_iter()
            .map(|(key, value)| (text(key), text(value))),
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Options, Report,
        manifest::{Home, Name, Named},
        tests::{planned, planned_with},
    };
    use kuma_workload_rulebook::spiffe::MeshIdentitySpec;
    use proptest::{collection::btree_map, prelude::*, sample::select};
    use rstest::rstest;

    fn told(report: &Report, code: &str) -> Vec<(&'static str, String)> {
        let findings = report.findings.iter();
        let of_code = findings.filter(|one| one.code == code);
        of_code
            .map(|one| (one.severity.name(), one.message.clone()))
            .collect()
    }

    /// A MeshIdentity of Universal, with this path.
    fn identity(mesh: &str, path: &str) -> String {
        format!(
            "type: MeshIdentity\nmesh: {mesh}\nname: all\nspec:\n  \
             selector: {{dataplane: {{matchLabels: {{}}}}}}\n  spiffeID: {{{path}}}\n---\n"
        )
    }

    fn dataplane(mesh: &str, name: &str) -> String {
        format!(
            "type: Dataplane\nmesh: {mesh}\nname: {name}\nlabels: {{kuma.io/workload: web, app: web}}\n---\n"
        )
    }

    #[rstest]
    #[case::default_path("", Some("spiffe://default.default.mesh.local/workload/web"), true)]
    #[case::field(
        "path: '/w/{{ .Workload }}'",
        Some("spiffe://default.default.mesh.local/w/web"),
        true
    )]
    #[case::label(
        "path: '/w/{{ label \"kuma.io/workload\" }}'",
        Some("spiffe://default.default.mesh.local/w/web"),
        true
    )]
    #[case::another_label(
        "path: '/a/{{ label \"app\" }}'",
        Some("spiffe://default.default.mesh.local/a/web"),
        false
    )]
    fn id3_an_identity_by_workload_needs_a_token_that_is_bound_to_it(
        #[case] path: &str,
        #[case] id: Option<&str>,
        #[case] needs_token: bool,
    ) {
        let yaml =
            identity("default", path) + &dataplane("default", "a") + &dataplane("default", "b");
        let report = planned(&yaml);
        let of_first = &report.universal.as_ref().unwrap().dataplanes[0];
        assert_eq!(of_first.identity.as_ref().unwrap().spiffe_id.as_deref(), id);
        let sentence = "MeshIdentity \"default/all\" takes the SPIFFE ID of 2 Dataplanes of mesh \
            \"default\" (\"a\" and \"b\") from the workload: since Kuma 2.13.10 and 2.14.2 that needs a \
            dataplane token which is bound to the workload";
        let expected = needs_token.then(|| ("note", sentence.to_owned()));
        assert_eq!(told(&report, "workload-token"), Vec::from_iter(expected));
    }

    #[test]
    fn id3_on_kubernetes_tokens_are_those_of_pods() {
        let yaml = "apiVersion: kuma.io/v1alpha1\nkind: MeshIdentity\n\
            metadata: {name: all, namespace: k, labels: {kuma.io/mesh: m}}\nspec:\n  \
            selector: {dataplane: {matchLabels: {}}}\n  spiffeID: {path: '/w/{{ .Workload }}'}\n---\n\
            apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: team, labels: {kuma.io/mesh: m}}\n";
        assert_eq!(told(&planned(yaml), "workload-token"), []);
    }

    #[rstest]
    #[case::selects_another("matchLabels: {app: till}", true)]
    #[case::selects_nothing("", true)]
    #[case::selects_it("matchLabels: {app: web}", false)]
    #[case::selects_all("matchLabels: {}", false)]
    fn id3_proxies_that_no_identity_of_their_mesh_selects(
        #[case] selector: &str,
        #[case] unselected: bool,
    ) {
        let selector = match selector {
            "" => "{}".to_owned(),
            labels => format!("{{dataplane: {{{labels}}}}}"),
        };
        let some = identity("default", "").replace("{dataplane: {matchLabels: {}}}", &selector);
        let report = planned(&(some + &dataplane("default", "a") + &dataplane("without", "b")));
        let sentence = "no MeshIdentity of mesh \"default\" selects Dataplane \"default/a\": from version 3 \
            on Kuma gives it no identity at all";
        let expected = unselected.then(|| ("note", sentence.to_owned()));
        assert_eq!(told(&report, "no-identity"), Vec::from_iter(expected));
    }

    #[test]
    fn identities_of_one_name_in_two_meshes_are_two() {
        let yaml = identity("one", "trustDomain: one.example")
            + &identity("two", "trustDomain: two.example, path: '/a b'")
            + &dataplane("one", "a")
            + &dataplane("two", "b");
        let report = planned(&yaml);
        let faults = told(&report, "identity-fault");
        assert_eq!(faults.len(), 1);
        assert!(
            faults[0]
                .1
                .starts_with("MeshIdentity \"two/all\" and Dataplane \"two/b\": ")
        );
    }

    #[test]
    fn id3_a_fault_is_told_once_although_the_text_is_another_one_for_each_proxy() {
        let path = "path: '/w/{{ label \"app\" }}//{{ .Workload }}'";
        let other = dataplane("default", "b").replace("app: web", "app: till");
        let report = planned_with(
            &(identity("default", path) + &dataplane("default", "a") + &other),
            &Options::default(),
        );
        let faults = told(&report, "identity-fault");
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(faults[0].1.contains("2 Dataplanes"), "{faults:?}");
    }

    fn some_labels() -> impl Strategy<Value = Vec<(String, String)>> {
        let key = select(&["app", "team", "tier"][..]).prop_map(str::to_owned);
        let value = select(&["a", "b", "c"][..]).prop_map(str::to_owned);
        btree_map(key, value, 0..=3).prop_map(|labels| labels.into_iter().collect())
    }

    fn manifest(
        number: usize,
        match_labels: Option<Vec<(String, String)>>,
    ) -> MeshIdentityManifest {
        let name = format!("i{number}");
        MeshIdentityManifest {
            named: Named {
                place: None,
                home: Home::Mesh("m".into()),
                name: Name::Given(name.clone().into()),
            },
            facts: MeshIdentity {
                name,
                mesh: "m".to_owned(),
                spec: MeshIdentitySpec {
                    match_labels: match_labels.map(|labels| labels.into_iter().collect()),
                    ..MeshIdentitySpec::default()
                },
                ..MeshIdentity::default()
            },
        }
    }

    proptest! {
        /// Which few are looked at makes no difference to the best match.
        #[test]
        fn id2_the_candidates_have_the_best_match_of_all(
            selectors in proptest::collection::vec(proptest::option::of(some_labels()), 0..12),
            labels in some_labels(),
        ) {
            let selectors = selectors.into_iter().enumerate();
            let all: Vec<_> = selectors.map(|(number, labels)| manifest(number, labels)).collect();
            let labels: Labels<'_> = labels.iter().map(|(key, value)| (&**key, &**value)).collect();
            let proxy = ProxyFacts { mesh: "m", labels: &labels };
            let candidates = Candidates::new(all.iter().collect());
            let few = candidates.for_labels(&labels).map(|one| &one.facts);
            prop_assert_eq!(
                spiffe::best_match(few, &proxy),
                spiffe::best_match(all.iter().map(|one| &one.facts), &proxy)
            );
        }
    }
}

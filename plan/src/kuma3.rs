//! What changes silently in Kuma 3 (T6): each thing that it no longer reads, or no longer takes.

use std::collections::BTreeSet;

use kuma_workload_rulebook::{
    identifier::{self, NameForm},
    keys::{self, Switch},
    mesh::{self, MeshAnnotations, MeshSource},
    quoted::Quoted,
};

use super::{
    controller,
    finding::{Cause, Finding, Kuma3, Member, ObjectName, Severity, place_at},
    inventory::{Inventory, Objects},
    manifest::{
        BuiltinGatewayManifest, MeshIdentityManifest, MeshManifest, NamespaceManifest,
        WorkloadManifest,
    },
    pod_source::PodSource,
    read::{Place, tree::Position},
    settings,
};

/// All that changes silently. Proxies without a MeshIdentity are told by those who look for it.
pub(crate) fn changes(
    inventory: &Inventory,
    sources: &[PodSource<'_>],
    findings: &mut Vec<Finding>,
) {
    findings.extend(inventory.namespaces.values().filter_map(of_namespace));
    for source in sources.iter().filter(|source| !source.facts.finished) {
        findings.extend(mesh_annotation(source, inventory));
        findings.extend(zone_proxy_annotations(source));
        findings.extend(builtin_gateway(source));
    }
    findings.extend(other_builtin_gateways(inventory));
    let kubernetes = of_meshes(&inventory.meshes, &inventory.identities);
    findings.extend(kubernetes);
    let universal = of_meshes(&inventory.universal_meshes, &inventory.universal_identities);
    findings.extend(universal);
    findings.extend(inventory.workloads.values().flat_map(workload_owners));
}

fn change(change: Kuma3, place: Option<Place>, member: Member) -> Finding {
    Finding::of(Severity::Warning, Cause::Kuma3(change))
        .at(place)
        .about([member])
}

/// A change in a Pod or template, which stands at this place of it.
fn change_of(source: &PodSource<'_>, what: Kuma3, at: Option<Position>) -> Finding {
    let place = place_at(source.named.place.as_ref(), at);
    let member = source.member(place.as_ref());
    change(what, place, member)
}

/// A Namespace that names a mesh by its annotation alone.
fn of_namespace(namespace: &NamespaceManifest) -> Option<Finding> {
    let now = mesh::of_namespace(&namespace.metadata, MeshAnnotations::Read);
    let then = mesh::of_namespace(&namespace.metadata, MeshAnnotations::Ignored);
    if now.source != MeshSource::NamespaceAnnotation || now.name == then.name {
        return None;
    }
    let place = place_at(
        namespace.named.place.as_ref(),
        namespace.marks.mesh_annotation,
    );
    let object = ObjectName::of("Namespace", &namespace.named);
    let member = Member::new(object, "Namespace", place.clone());
    let what = Kuma3::MeshAnnotation {
        namespace: String::new(),
        template: None,
        mesh: now.name.to_owned(),
        then: then.name.to_owned(),
    };
    Some(change(what, place, member))
}

/// A Pod or template that names its mesh by an annotation alone.
fn mesh_annotation(source: &PodSource<'_>, inventory: &Inventory) -> Option<Finding> {
    let metadata = &source.facts.metadata;
    let namespace = inventory.namespace_metadata(source.named.namespace());
    let now = mesh::of_pod(metadata, namespace, MeshAnnotations::Read);
    let then = mesh::of_pod(metadata, namespace, MeshAnnotations::Ignored);
    if !source.reason.is_meshed()
        || now.source != MeshSource::PodAnnotation
        || now.name == then.name
    {
        return None;
    }
    let what = Kuma3::MeshAnnotation {
        namespace: source.named.namespace().to_owned(),
        template: source.controller.template(),
        mesh: now.name.to_owned(),
        then: then.name.to_owned(),
    };
    Some(change_of(source, what, source.marks.mesh_annotation))
}

/// A Pod or template of a zone proxy. A word that is neither on nor off stops Kuma 2 too.
fn zone_proxy_annotations(source: &PodSource<'_>) -> impl Iterator<Item = Finding> {
    let annotations = &source.facts.metadata.annotations;
    let marks = [
        (keys::INGRESS, source.marks.ingress),
        (keys::EGRESS, source.marks.egress),
    ];
    let marks = marks.into_iter();
    let set = marks.filter(|(key, _)| !matches!(annotations.switch(key), None | Some(Switch::Off)));
    set.map(|(key, at)| {
        let what = Kuma3::ZoneProxyAnnotation {
            namespace: source.named.namespace().to_owned(),
            template: source.controller.template(),
            key,
        };
        change_of(source, what, at)
    })
}

/// A Pod or template of a builtin gateway.
fn builtin_gateway(source: &PodSource<'_>) -> Option<Finding> {
    if !source.facts.is_builtin_gateway() {
        return None;
    }
    let home = source.named.home.clone();
    let what = Kuma3::BuiltinGateway { home };
    Some(change_of(source, what, source.marks.gateway))
}

/// Builtin gateways that are no Pods: their resources, and Dataplanes whose Pods were not read.
fn other_builtin_gateways(inventory: &Inventory) -> impl Iterator<Item = Finding> {
    let of_object = |object: ObjectName, found_in, place: Option<Place>| {
        let home = object.home.clone();
        let member = Member::new(object, found_in, place.clone());
        change(Kuma3::BuiltinGateway { home }, place, member)
    };
    let resources = inventory.gateways.values();
    let resources = resources.map(move |BuiltinGatewayManifest { named, kind }| {
        of_object(ObjectName::of(kind, named), kind, named.place.clone())
    });
    let dataplanes = inventory.dataplanes.values();
    let dataplanes = dataplanes.filter_map(move |dataplane| {
        let named = &dataplane.named;
        let at = dataplane.builtin_gateway?;
        if !dataplane.is_local()
            || inventory
                .pod(named.namespace(), named.name.as_str())
                .is_some()
        {
            return None;
        }
        let controller = controller::of_dataplane(dataplane, inventory);
        let place = place_at(named.place.as_ref(), Some(at));
        Some(of_object(controller.object, "Dataplane", place))
    });
    let documents = inventory.universal_dataplanes.values();
    let documents = documents.filter_map(move |dataplane| {
        let at = dataplane.builtin_gateway?;
        let place = place_at(dataplane.named.place.as_ref(), Some(at));
        let object = ObjectName::of("Dataplane", &dataplane.named);
        Some(of_object(object, "Dataplane", place))
    });
    resources.chain(dataplanes).chain(documents)
}

/// What Kuma 3 does not read in Meshes, or does not take.
fn of_meshes<'m>(
    meshes: &'m Objects<MeshManifest>,
    identities: &'m Objects<MeshIdentityManifest>,
) -> impl Iterator<Item = Finding> + 'm {
    let identities = identities.values();
    let with_identity: BTreeSet<_> = identities.map(|one| &*one.facts.mesh).collect();
    meshes.values().flat_map(move |mesh| {
        let named = &mesh.named;
        let name = identifier::check(named.name.as_str(), NameForm::Universal).err();
        let name = name.map(|fault| Kuma3::MeshName {
            fault: fault.to_string(),
        });
        let mtls = mesh
            .mtls
            .filter(|_| !with_identity.contains(named.name.as_str()));
        let found = [
            name.map(|change| (change, None)),
            mesh.constraints.as_ref().map(|constraints| {
                let setting = mesh_namespaces(named.name.as_str(), &constraints.namespaces);
                (Kuma3::MeshConstraints { setting }, Some(constraints.at))
            }),
            mtls.map(|at| (Kuma3::MeshMtls, Some(at))),
        ];
        found.into_iter().flatten().map(|(what, at)| {
            let place = place_at(named.place.as_ref(), at);
            let object = ObjectName::of("Mesh", named);
            let member = Member::new(object, "Mesh", place.clone());
            change(what, place, member)
        })
    })
}

/// The setting `meshNamespaces` that lets the same Namespaces in (A20), if there is one.
fn mesh_namespaces(mesh: &str, namespaces: &[String]) -> Option<String> {
    // A `*` stands for any value in a tag, and for a beginning in the setting.
    let is_said = !namespaces.is_empty() && !namespaces.iter().any(|name| name.contains('*'));
    if !is_said || !settings::can_be_closed(mesh, namespaces) {
        return None;
    }
    let names: Vec<String> = namespaces
        .iter()
        .map(|name| Quoted(name).to_string())
        .collect();
    Some(format!("{{{}: [{}]}}", Quoted(mesh), names.join(", ")))
}

/// Meshes that own a Workload of another one: Kuma's webhook makes the Mesh that a Workload is
/// created in its owner, and nothing changes that later.
fn workload_owners(workload: &WorkloadManifest) -> Vec<Finding> {
    let facts = workload.facts();
    let mesh = facts.labelled_mesh();
    let others = facts.mesh_owners_except(mesh);
    others
        .map(|owner| {
            let what = Kuma3::WorkloadOwner {
                namespace: workload.named.namespace().to_owned(),
                mesh: mesh.to_owned(),
                owner: owner.to_owned(),
            };
            let place = place_at(workload.named.place.as_ref(), workload.owners);
            let object = ObjectName::of("Workload", &workload.named);
            let member = Member::new(object, "Workload", place.clone());
            change(what, place, member)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::{
        Options, Report, Target,
        tests::{planned, planned_with},
    };
    use rstest::rstest;

    const CODES: [&str; 8] = [
        "builtin-gateway",
        "mesh-annotation",
        "mesh-constraints",
        "no-identity",
        "old-mesh-name",
        "tag-read",
        "workload-owner",
        "zone-proxy-annotation",
    ];

    fn for_kuma3(yaml: &str) -> Report {
        let options = Options {
            target: Target::Kuma3,
            ..Options::default()
        };
        planned_with(yaml, &options)
    }

    fn found(report: &Report) -> Vec<(&'static str, &'static str, u32, &str)> {
        let findings = report.findings.iter();
        let ours = findings.filter(|finding| CODES.contains(&finding.code));
        ours.map(|one| {
            let line = one.place.as_ref().map_or(0, |place| place.at.line);
            (one.code, one.severity.name(), line, &*one.message)
        })
        .collect()
    }

    #[rstest]
    #[case::mesh_of_a_pod(
        "mesh-annotation", 7,
        r#"Pod "team/a" names mesh "m" by the annotation kuma.io/mesh alone, which Kuma 3 does not read: it is in mesh "default" there"#,
        "
apiVersion: v1
kind: Pod
metadata:
  name: a
  namespace: team
  annotations: {kuma.io/mesh: m, kuma.io/sidecar-injected: 'true'}
")]
    #[case::mesh_of_a_template(
        "mesh-annotation", 11,
        r#"Deployment "team/web" names mesh "m" by the annotation kuma.io/mesh alone, which Kuma 3 does not read: it is in mesh "of-all" there"#,
        "
apiVersion: v1
kind: Namespace
metadata: {name: team, labels: {kuma.io/sidecar-injection: enabled, kuma.io/mesh: of-all}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: team}
spec:
  template:
    metadata: {annotations: {kuma.io/mesh: m}}
")]
    #[case::mesh_of_a_namespace(
        "mesh-annotation", 7,
        r#"Namespace "team" names mesh "m" by the annotation kuma.io/mesh alone, which Kuma 3 does not read: Pods that name none are in mesh "default" there"#,
        "
apiVersion: v1
kind: Namespace
metadata:
  name: team
  labels: {kuma.io/sidecar-injection: enabled}
  annotations: {kuma.io/mesh: m}
")]
    #[case::ingress(
        "zone-proxy-annotation", 10,
        r#"Deployment "kuma-system/ingress" has the annotation kuma.io/ingress, which Kuma 3 does not read: it makes an ordinary Dataplane of it"#,
        "
apiVersion: apps/v1
kind: Deployment
metadata: {name: ingress, namespace: kuma-system}
spec:
  template:
    metadata:
      annotations:
        # As the chart of Kuma 2 has it.
        kuma.io/ingress: enabled
")]
    #[case::egress(
        "zone-proxy-annotation", 4,
        r#"Pod "kuma-system/egress" has the annotation kuma.io/egress, which Kuma 3 does not read: it makes an ordinary Dataplane of it"#,
        "
apiVersion: v1
kind: Pod
metadata: {name: egress, namespace: kuma-system, annotations: {kuma.io/egress: 'true'}}
")]
    #[case::builtin_gateway(
        "builtin-gateway", 4,
        r#"Pod "team/edge" belongs to a builtin gateway, which Kuma 3 does not have: nothing serves it there"#,
        "
apiVersion: v1
kind: Pod
metadata: {name: edge, namespace: team, annotations: {kuma.io/gateway: builtin}}
")]
    #[case::gateway_instance(
        "builtin-gateway", 2,
        r#"MeshGatewayInstance "team/edge" belongs to a builtin gateway, which Kuma 3 does not have: nothing serves it there"#,
        "
apiVersion: kuma.io/v1alpha1
kind: MeshGatewayInstance
metadata: {name: edge, namespace: team}
spec: {replicas: 2}
")]
    #[case::gateway_listeners(
        "builtin-gateway", 2,
        r#"MeshGateway "edge" belongs to a builtin gateway, which Kuma 3 does not have: nothing serves it there"#,
        "
apiVersion: kuma.io/v1alpha1
kind: MeshGateway
metadata: {name: edge}
mesh: default
")]
    #[case::gateway_on_universal(
        "builtin-gateway", 7,
        r#"Dataplane "default/edge" belongs to a builtin gateway, which Kuma 3 does not have: nothing serves it there"#,
        "
type: Dataplane
mesh: default
name: edge
networking:
  address: 192.0.2.1
  gateway: {type: BUILTIN}
")]
    #[case::gateway_of_which_only_the_dataplane_is_there(
        "builtin-gateway", 5,
        r#"1 Dataplane of Pod "team/edge" belongs to a builtin gateway, which Kuma 3 does not have: nothing serves it there"#,
        "
apiVersion: kuma.io/v1alpha1
kind: Dataplane
metadata: {name: edge, namespace: team, annotations: {kuma.io/workload: edge}}
spec: {networking: {gateway: {type: BUILTIN}}}
")]
    #[case::mesh_name(
        "old-mesh-name", 2,
        r#"Mesh "my_mesh" has a name that Kuma 3 does not take: it must be lower-case letters, digits and '-', beginning with a letter and ending with a letter or digit; it cannot be changed, and so the Mesh can never be updated again"#,
        "
apiVersion: kuma.io/v1alpha1
kind: Mesh
metadata: {name: my_mesh}
")]
    #[case::mesh_name_on_universal(
        "old-mesh-name", 2,
        r#"Mesh "1st" has a name that Kuma 3 does not take: it must be lower-case letters, digits and '-', beginning with a letter and ending with a letter or digit; it cannot be changed, and so the Mesh can never be updated again"#,
        "
type: Mesh
name: 1st
")]
    #[case::constraints(
        "mesh-constraints", 7,
        r#"Mesh "payments" says by its constraints which proxies may join; Kuma 3 does not read them, and lets every proxy in"#,
        "
apiVersion: kuma.io/v1alpha1
kind: Mesh
metadata: {name: payments}
spec:
  constraints:
    dataplaneProxy: {requirements: [{tags: {k8s.kuma.io/namespace: payments}}]}
")]
    #[case::constraints_on_universal(
        "mesh-constraints", 4,
        r#"Mesh "payments" says by its constraints which proxies may join; Kuma 3 does not read them, and lets every proxy in"#,
        "
type: Mesh
name: payments
constraints: {dataplaneProxy: {restrictions: [{tags: {team: guests}}]}}
")]
    #[case::mtls(
        "no-identity", 7,
        r#"Mesh "payments" gives its proxies identities by mtls, which Kuma 3 does not read, and no MeshIdentity of it was read: there, proxies have none"#,
        "
apiVersion: kuma.io/v1alpha1
kind: Mesh
metadata: {name: payments}
spec:
  mtls:
    enabledBackend: ca-1
    backends: [{name: ca-1, type: builtin}]
")]
    #[case::tag(
        "tag-read", 8,
        r#"Dataplane "default/web-1" names workload "web" by a tag of an inbound, which Kuma does not read"#,
        "
type: Dataplane
mesh: default
name: web-1
networking:
  inbound:
    - port: 80
      tags: {kuma.io/workload: web}
")]
    #[case::owner(
        "workload-owner", 9,
        r#"Workload "team/web" is of mesh "payments" by its label, but Mesh "default" owns it: deleting that Mesh deletes it too"#,
        "
apiVersion: kuma.io/v1alpha1
kind: Workload
metadata:
  name: web
  namespace: team
  labels: {kuma.io/mesh: payments, kuma.io/managed-by: k8s-controller}
  ownerReferences:
    - {apiVersion: kuma.io/v1alpha1, kind: Mesh, name: default, uid: 0b5e1f7a-2f1c-4c7f-9a55-0d9b3e0c1f01}
")]
    fn t6_what_changes_in_kuma_3_is_told_where_it_stands(
        #[case] code: &str,
        #[case] line: u32,
        #[case] message: &str,
        #[case] yaml: &str,
    ) {
        let report = for_kuma3(yaml);
        assert_eq!(found(&report), [(code, "warning", line, message)]);
        let finding = report.findings.iter().find(|one| one.code == code).unwrap();
        assert!(!finding.remedy.is_empty() && finding.objects.len() == 1);
        // What no version reads is told for the present one as well.
        let today = planned(yaml);
        let told = today.findings.iter().any(|one| one.code == code);
        assert_eq!(told, code == "tag-read");
    }

    const IDENTITY: &str = "
apiVersion: kuma.io/v1alpha1
kind: MeshIdentity
metadata: {name: few, namespace: kuma-system, labels: {kuma.io/mesh: payments}}
spec: {selector: {dataplane: {matchLabels: {app: till}}}}
---";

    #[rstest]
    #[case::label_and_annotation(
        "
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: team, labels: {kuma.io/mesh: m}, annotations: {kuma.io/mesh: m}}
"
    )]
    #[case::the_same_mesh_without_the_annotation("
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: team, annotations: {kuma.io/mesh: default, kuma.io/sidecar-injected: 'true'}}
")]
    #[case::in_no_mesh(
        "
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: team, annotations: {kuma.io/mesh: m}}
"
    )]
    #[case::has_ended("
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: team, annotations: {kuma.io/mesh: m, kuma.io/sidecar-injected: 'true', kuma.io/ingress: 'true'}}
status: {phase: Succeeded}
")]
    #[case::no_zone_proxy("
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: team, annotations: {kuma.io/ingress: disabled, kuma.io/gateway: enabled}}
")]
    #[case::delegated_gateway(
        "
type: Dataplane
mesh: default
name: edge
labels: {kuma.io/workload: edge}
networking: {gateway: {type: DELEGATED}}
"
    )]
    #[case::nothing_in_it(
        "
apiVersion: kuma.io/v1alpha1
kind: Mesh
metadata: {name: payments}
spec: {constraints: {dataplaneProxy: {requirements: [], restrictions: null}}, mtls: {backends: []}}
"
    )]
    #[case::mtls_beside_an_identity(
        "
type: MeshIdentity
mesh: payments
name: all
spec: {selector: {dataplane: {matchLabels: {}}}}
---
type: Mesh
name: payments
mtls: {enabledBackend: ca-1}
"
    )]
    #[case::its_own_mesh("
apiVersion: kuma.io/v1alpha1
kind: Workload
metadata:
  name: web
  namespace: team
  labels: {kuma.io/mesh: payments}
  ownerReferences: [{apiVersion: kuma.io/v1alpha1, kind: Mesh, name: payments}, {apiVersion: v1, kind: Pod, name: default}]
")]
    fn t6_what_does_not_change_is_not_told(#[case] yaml: &str) {
        assert_eq!(found(&for_kuma3(yaml)), []);
    }

    #[rstest]
    #[case::one(
        "requirements: [{tags: {k8s.kuma.io/namespace: payments}}]",
        Some(r#"{"payments": ["payments"]}"#)
    )]
    #[case::several(
        "requirements: [{tags: {k8s.kuma.io/namespace: b}}, {tags: {k8s.kuma.io/namespace: a}}, {tags: {k8s.kuma.io/namespace: b}}]",
        Some(r#"{"payments": ["a", "b"]}"#)
    )]
    #[case::what_yaml_might_take_for_something_else(
        "requirements: [{tags: {k8s.kuma.io/namespace: '123'}}]",
        Some(r#"{"payments": ["123"]}"#)
    )]
    #[case::no_restrictions(
        "{requirements: [{tags: {k8s.kuma.io/namespace: a}}], restrictions: []}",
        Some(r#"{"payments": ["a"]}"#)
    )]
    #[case::another_tag("requirements: [{tags: {kuma.io/zone: east}}]", None)]
    #[case::another_tag_as_well(
        "requirements: [{tags: {k8s.kuma.io/namespace: a, kuma.io/zone: east}}]",
        None
    )]
    #[case::another_requirement_as_well(
        "requirements: [{tags: {k8s.kuma.io/namespace: a}}, {tags: {kuma.io/zone: east}}]",
        None
    )]
    #[case::restrictions(
        "{requirements: [{tags: {k8s.kuma.io/namespace: a}}], restrictions: [{tags: {team: guests}}]}",
        None
    )]
    #[case::any_namespace("requirements: [{tags: {k8s.kuma.io/namespace: '*'}}]", None)]
    #[case::no_name_of_a_namespace("requirements: [{tags: {k8s.kuma.io/namespace: A_b}}]", None)]
    #[case::no_tags("requirements: [{tags: {}}, {tags: {k8s.kuma.io/namespace: a}}]", None)]
    #[case::odd("requirements: [7]", None)]
    fn t6_a20_the_setting_that_says_the_same(#[case] proxies: &str, #[case] setting: Option<&str>) {
        let proxies = match proxies.strip_prefix('{') {
            Some(_) => proxies.to_owned(),
            None => format!("{{{proxies}}}"),
        };
        let yaml = format!(
            "
apiVersion: kuma.io/v1alpha1
kind: Mesh
metadata: {{name: payments}}
spec: {{constraints: {{dataplaneProxy: {proxies}}}}}
"
        );
        let report = for_kuma3(&yaml);
        let [finding] = report.findings.as_slice() else {
            panic!("{:?}", report.findings);
        };
        let expected = match setting {
            Some(setting) => format!(
                "nothing in Kuma 3 takes their place: give the policy the setting that says the \
                 same, meshNamespaces: {setting}"
            ),
            None => "nothing in Kuma 3 takes their place: let admission decide who may join the \
                     mesh (meshNamespaces)"
                .to_owned(),
        };
        assert_eq!(
            (finding.code, &*finding.remedy),
            ("mesh-constraints", &*expected)
        );
    }

    #[test]
    fn id3_t6_proxies_that_no_identity_selects() {
        let pod = "
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: team, labels: {kuma.io/mesh: payments}}
";
        let yaml = IDENTITY.to_owned() + pod;
        let told = |whose: &str| {
            format!(
                "no MeshIdentity of mesh \"payments\" selects Pod \"team/a\": {whose} gives it no \
                 identity at all"
            )
        };
        assert_eq!(
            found(&for_kuma3(&yaml)),
            [("no-identity", "warning", 7, &*told("Kuma 3"))]
        );
        assert_eq!(
            found(&planned(&yaml)),
            [("no-identity", "note", 7, &*told("from version 3 on Kuma"))]
        );
    }
}

//! What changes in Kuma 3 without a word (T6): each thing that it no longer reads, or no longer takes.

use std::collections::BTreeSet;

use kuma_workload_rulebook::{
    identifier::{self, NameForm},
    keys::{self, Switch},
    mesh::{self, MeshAnnotations, MeshSource},
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
};

/// All that changes without a word. Proxies without a MeshIdentity are told by those who look for it.
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
    let now = mesh::named_by_pod(metadata, MeshAnnotations::Read)?;
    let namespace = inventory.namespace_metadata(source.named.namespace());
    let then = mesh::named_by_pod(metadata, MeshAnnotations::Ignored)
        .unwrap_or_else(|| mesh::of_namespace(namespace, MeshAnnotations::Ignored));
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
            mesh.constraints
                .map(|at| (Kuma3::MeshConstraints, Some(at))),
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

/// Meshes that own a Workload of another one: Kuma's webhook makes the Mesh that a Workload is
/// created in its owner, and nothing changes that later.
fn workload_owners(workload: &WorkloadManifest) -> impl Iterator<Item = Finding> {
    let mesh = mesh::of_dataplane(workload.labels.get(keys::MESH));
    let others = workload
        .mesh_owners
        .iter()
        .filter(move |owner| **owner != mesh);
    others.map(move |owner| {
        let what = Kuma3::WorkloadOwner {
            namespace: workload.named.namespace().to_owned(),
            mesh: mesh.to_owned(),
            owner: owner.clone(),
        };
        let place = place_at(workload.named.place.as_ref(), workload.owners);
        let object = ObjectName::of("Workload", &workload.named);
        let member = Member::new(object, "Workload", place.clone());
        change(what, place, member)
    })
}

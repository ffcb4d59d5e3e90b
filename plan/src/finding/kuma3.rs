//! The text of findings about what changes in silence with Kuma 3 (T6).

use kuma_workload_rulebook::{keys, quoted::Quoted};

use super::{affected::Affected, cause::Kuma3};

/// What is found, as one sentence.
pub(super) fn message(change: &Kuma3, affected: &Affected) -> String {
    let subject = affected.subject();
    match change {
        Kuma3::MeshAnnotation {
            namespace,
            mesh,
            then,
            ..
        } => {
            let whose = match &**namespace {
                "" => "Pods that name none are",
                _ => affected.verb("it is", "they are"),
            };
            format!(
                "{subject} {} mesh {} by the annotation {} alone, which Kuma 3 does not read: \
                 {whose} in mesh {} there",
                affected.verb("names", "name"),
                Quoted(mesh),
                keys::MESH,
                Quoted(then)
            )
        }
        Kuma3::ZoneProxyAnnotation { key, .. } => format!(
            "{subject} {} the annotation {key}, which Kuma 3 does not read: it makes {} of {}",
            affected.verb("has", "have"),
            affected.verb("an ordinary Dataplane", "ordinary Dataplanes"),
            affected.verb("it", "them"),
        ),
        Kuma3::BuiltinGateway { .. } => format!(
            "{subject} {} to a builtin gateway, which Kuma 3 does not have: nothing serves {} there",
            affected.verb("belongs", "belong"),
            affected.verb("it", "them"),
        ),
        Kuma3::MeshName { fault } => format!(
            "{subject} {} a name that Kuma 3 does not take: {fault}; it cannot be changed, and so \
             the Mesh can never be updated again",
            affected.verb("has", "have"),
        ),
        Kuma3::MeshConstraints { .. } => format!(
            "{subject} {} by its constraints which proxies may join; Kuma 3 does not read them, and \
             lets every proxy in",
            affected.verb("says", "say"),
        ),
        Kuma3::MeshMtls => format!(
            "{subject} {} proxies identities by mtls, which Kuma 3 does not read, and no \
             MeshIdentity of {} was read: there, proxies have none",
            affected.verb("gives its", "give their"),
            affected.verb("it", "them"),
        ),
        Kuma3::WorkloadOwner { mesh, owner, .. } => format!(
            "{subject} {} of mesh {} by {} label, but Mesh {} owns {}: deleting that Mesh deletes \
             {} too",
            affected.verb("is", "are"),
            Quoted(mesh),
            affected.verb("its", "their"),
            Quoted(owner),
            affected.verb("it", "them"),
            affected.verb("it", "them"),
        ),
    }
}

/// What to do about it.
pub(super) fn remedy(change: &Kuma3, affected: &Affected) -> String {
    let objects = affected.objects();
    match change {
        Kuma3::MeshAnnotation { mesh, .. } => {
            format!("set the label {}: {mesh} on {objects}", keys::MESH)
        }
        Kuma3::ZoneProxyAnnotation { .. } => format!(
            "replace {objects} by a zone proxy of a mesh (Kuma 2.14 and later), which a Service with \
             the label {} makes",
            keys::ZONE_PROXY_TYPE
        ),
        Kuma3::BuiltinGateway { .. } => format!(
            "replace {objects} by a delegated gateway (annotation {}: enabled)",
            keys::GATEWAY
        ),
        Kuma3::MeshName { .. } => {
            "make a Mesh with a name that is possible there, and move the proxies to it".to_owned()
        }
        Kuma3::MeshConstraints { setting: None } => {
            "nothing in Kuma 3 takes their place: let admission decide who may join the mesh \
             (meshNamespaces)"
                .to_owned()
        }
        Kuma3::MeshConstraints {
            setting: Some(setting),
        } => format!(
            "nothing in Kuma 3 takes their place: give the policy the setting that says the same, \
             meshNamespaces: {setting}"
        ),
        Kuma3::MeshMtls => format!(
            "make a MeshIdentity for {objects}, and move {} proxies over before the upgrade",
            affected.verb("its", "their")
        ),
        Kuma3::WorkloadOwner { owner, .. } => format!(
            "remove the ownerReference to Mesh {} from {objects}",
            Quoted(owner)
        ),
    }
}

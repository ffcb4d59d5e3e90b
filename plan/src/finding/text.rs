//! The text of findings: what is found, and what to do about it.

use kuma_workload_rulebook::{admission::Rule, keys, quoted::Quoted};

use super::{
    affected::{Affected, listed},
    cause::{Cause, Reason},
    kuma3,
};
use crate::manifest::Home;

/// What is found, as one sentence.
pub(crate) fn message(cause: &Cause, affected: &Affected) -> String {
    let subject = || affected.subject();
    match cause {
        Cause::Told { message, .. } => message.clone(),
        Cause::Admission { sentence, .. } => {
            let sentence = affected.sentence_of_only_one().unwrap_or(sentence);
            match affected.is_by_pods() {
                true => format!("the Pods of {} would be refused: {sentence}", subject()),
                false => format!("{}: {sentence}", subject()),
            }
        }
        Cause::BadName { home, name, fault } => format!(
            "{}{} cannot be the name of a Workload: {fault}",
            at(home),
            Quoted(name)
        ),
        Cause::Conflict {
            namespace,
            workload,
            meshes,
            exists,
        } => {
            let effect = match exists {
                true => "the Workload that exists stays as it is",
                false => "no Workload is made",
            };
            format!(
                "namespace {}: workload {} has proxies in meshes {}: {effect}",
                Quoted(namespace),
                Quoted(workload),
                quoted(meshes)
            )
        }
        Cause::NoManager { user } => format!(
            "{} {} Workloads as {}, which is none of the workloadManagers: it could no longer keep them under \
             protectWorkloads: deny",
            subject(),
            affected.verb("writes", "write"),
            Quoted(user),
        ),
        Cause::MadeByHand { .. } => format!(
            "{} {} made by hand, and under protectWorkloads: deny only the workloadManagers may write {}",
            subject(),
            affected.verb("was", "were"),
            affected.verb("it", "them"),
        ),
        Cause::ManagedByOthers { manager, .. } => format!(
            "{} {} managed by {}, and {} left to it",
            subject(),
            affected.verb("is", "are"),
            Quoted(manager),
            affected.verb("is", "are"),
        ),
        Cause::Copies { .. } => format!(
            "{} {} from elsewhere, and {} left alone",
            subject(),
            affected.verb("is a copy", "are copies"),
            affected.verb("is", "are"),
        ),
        Cause::MeshLabelDiffers { field, label, .. } => format!(
            "{} {} in mesh {}, but {} label {} says {}",
            subject(),
            affected.verb("is", "are"),
            Quoted(field),
            affected.verb("its", "their"),
            keys::MESH,
            Quoted(label)
        ),
        Cause::NoIdentifier { .. } => format!(
            "{} {} no annotation {}, so no Workload is made for {}",
            subject(),
            affected.verb("has", "have"),
            keys::WORKLOAD,
            affected.verb("it", "them"),
        ),
        Cause::StaleIdentifier {
            stored,
            computed,
            source,
            ..
        } => format!(
            "{} {} workload {}; {} would get {} from {source} today",
            subject(),
            affected.verb("keeps", "keep"),
            Quoted(stored),
            affected.verb("it", "they"),
            Quoted(computed),
        ),
        Cause::NamespaceNotRead => format!(
            "{} {} not among the manifests, so {} without labels",
            subject(),
            affected.verb("is", "are"),
            affected.verb("it is taken for one", "they are taken for ones"),
        ),
        Cause::SplitNamespace {
            namespace, meshes, ..
        } => {
            let counted = meshes
                .iter()
                .map(|(mesh, count)| format!("{} ({count})", Quoted(mesh)));
            format!(
                "namespace {} is split over meshes {}",
                Quoted(namespace),
                some_of(counted, meshes.len())
            )
        }
        Cause::UndeclaredMesh {
            mesh,
            declared,
            is_law,
        } => {
            let says = match declared {
                Some(declared) => format!(
                    "{} mesh {}",
                    affected.verb("declares", "declare"),
                    Quoted(declared)
                ),
                None => format!("{} none", affected.verb("declares", "declare")),
            };
            let effect = match is_law {
                true => "refuses",
                false => "would refuse",
            };
            format!(
                "{} {says}, but all {} Pods are in mesh {}; namespaceMesh: declared {effect} them",
                subject(),
                affected.verb("its", "their"),
                Quoted(mesh)
            )
        }
        Cause::IdentityFault {
            identity, fault, ..
        } => {
            let fault = affected.sentence_of_only_one().unwrap_or(fault);
            format!("{identity} and {}: {fault}", subject())
        }
        Cause::NotSelected { mesh, is_target } => format!(
            "no MeshIdentity of mesh {} selects {}: {} gives {} no identity at all",
            Quoted(mesh),
            subject(),
            match is_target {
                true => "Kuma 3",
                false => "from version 3 on Kuma",
            },
            affected.verb("it", "them"),
        ),
        Cause::WorkloadToken { identity } => format!(
            "{identity} takes the SPIFFE ID of {} from the workload: since Kuma 2.13.10 and 2.14.2 \
             that needs a dataplane token which is bound to the workload",
            subject()
        ),
        Cause::SharedWorkload {
            namespace,
            workload,
            applications,
        } => format!(
            "namespace {}: the applications {} run as the default ServiceAccount, so to Kuma they \
             are one workload, {}",
            Quoted(namespace),
            quoted(applications),
            Quoted(workload)
        ),
        Cause::SeveralMeshes { workload, meshes } => format!(
            "workload {} is in meshes {}: that makes a Workload in each",
            Quoted(workload),
            quoted(meshes)
        ),
        Cause::TagRead {
            workload, others, ..
        } => {
            let others = match &**others {
                [] => String::new(),
                others => format!("; other inbounds say {}", quoted(others)),
            };
            format!(
                "{} {} workload {} by a tag of an inbound, which Kuma does not read{others}",
                subject(),
                affected.verb("names", "name"),
                Quoted(workload)
            )
        }
        Cause::UnknownMesh { mesh } => format!(
            "{} {} in mesh {}, which does not exist",
            subject(),
            affected.verb("is", "are"),
            Quoted(mesh)
        ),
        Cause::Kuma3(change) => kuma3::message(change, affected),
    }
}

/// What to do about it.
pub(crate) fn remedy(cause: &Cause, affected: &Affected) -> String {
    let objects = || affected.objects();
    match cause {
        Cause::Told { remedy, .. } => remedy.clone(),
        Cause::Admission { rule, .. } => admission_remedy(*rule, &objects()),
        Cause::BadName {
            home: Home::Mesh(_),
            ..
        } => format!("change the label {} of {}", keys::WORKLOAD, objects()),
        Cause::BadName { .. } => format!(
            "change the label or ServiceAccount that names it, in {}",
            objects()
        ),
        Cause::Conflict { .. } => format!(
            "move {} to one mesh, or give those of each mesh a workload of their own",
            objects()
        ),
        Cause::NoManager { user } => format!("add {} to workloadManagers", Quoted(user)),
        Cause::MadeByHand { .. } => format!(
            "do not write {} any more, or name who does in workloadManagers",
            objects()
        ),
        Cause::ManagedByOthers { .. } => format!(
            "remove the label {} from {} to hand {} over",
            keys::MANAGED_BY,
            objects(),
            affected.verb("it", "them")
        ),
        Cause::Copies { .. } => "nothing, if this is a Global control plane".to_owned(),
        Cause::MeshLabelDiffers { .. } => format!(
            "delete {} and let Kuma make {} again; the field decides",
            affected.verb("the Dataplane", "the Dataplanes"),
            affected.verb("it", "them")
        ),
        Cause::NoIdentifier {
            pods_were_asked: true,
        } => "give the Pods of these Dataplanes too".to_owned(),
        Cause::NoIdentifier { .. } => {
            "if the control plane is older than 2.13, plan and run with --identifiers pods"
                .to_owned()
        }
        Cause::StaleIdentifier { .. } => format!(
            "recreate {}, or give --workload-labels as the control plane has them",
            affected.pods()
        ),
        Cause::NamespaceNotRead => format!(
            "give {} too: {} may inject Pods, or name their mesh",
            affected.verb("its manifest", "their manifests"),
            affected.verb("it", "they")
        ),
        Cause::SplitNamespace { home, why, .. } => {
            let why = match why {
                Reason::Declared => "which it declares",
                Reason::Most => "which most are in",
                Reason::FirstOfEquals => "of equals the first by name",
            };
            format!(
                "leave it to mesh {}, {why}: move {}",
                Quoted(home),
                objects()
            )
        }
        Cause::UndeclaredMesh { mesh, declared, .. } => {
            let label = format!("label {} {}: {mesh}", objects(), keys::MESH);
            match declared {
                Some(declared) => {
                    format!("move the Pods to mesh {}, or {label}", Quoted(declared))
                }
                None => label,
            }
        }
        Cause::IdentityFault {
            is_not_evaluated: true,
            ..
        } => format!(
            "see on the control plane which SPIFFE ID {}",
            affected.verb("it gets", "they get")
        ),
        Cause::IdentityFault { .. } => {
            format!(
                "correct the template, or give {} what it asks for",
                objects()
            )
        }
        Cause::NotSelected { mesh, .. } => format!(
            "widen the selector of a MeshIdentity of mesh {}, or make one that selects {}",
            Quoted(mesh),
            objects()
        ),
        Cause::WorkloadToken { .. } => format!(
            "issue {} with `kumactl generate dataplane-token --mesh MESH --workload WORKLOAD`",
            affected.verb("its token", "their tokens")
        ),
        Cause::SharedWorkload { .. } => format!(
            "give each application a ServiceAccount of its own, in {}, or name their workloads by a \
             label (the control plane's workloadLabels)",
            objects()
        ),
        Cause::SeveralMeshes { .. } => "give those of each mesh a name of their own".to_owned(),
        Cause::TagRead { .. } => {
            format!("set it as the label {} of {}", keys::WORKLOAD, objects())
        }
        Cause::UnknownMesh { .. } => {
            format!("make the Mesh first, or correct its name in {}", objects())
        }
        Cause::Kuma3(change) => kuma3::remedy(change, affected),
    }
}

fn admission_remedy(rule: Rule, objects: &str) -> String {
    const NAMED_BY: &str = "a label of workloadLabels or the ServiceAccount names the workload";
    match rule {
        Rule::WorkloadLabel => format!("remove the label from {objects}; {NAMED_BY}"),
        Rule::WorkloadAnnotation => format!("remove the annotation from {objects}; {NAMED_BY}"),
        Rule::WorkloadName => format!("change the label or ServiceAccount of {objects}"),
        Rule::SwitchWord => format!("use enabled or disabled in {objects}"),
        Rule::MeshName => format!("correct the name of the mesh in {objects}"),
        Rule::MeshExists => format!("make the Mesh first, or correct its name in {objects}"),
        Rule::ClosedMesh => format!(
            "name another mesh in {objects}, or add the namespace to the mesh in meshNamespaces"
        ),
        Rule::ObservedMesh
        | Rule::DeclaredMesh
        | Rule::NamespaceRelabel
        | Rule::InjectionOff
        | Rule::ClusterQuestion
        | Rule::WorkloadObject => {
            format!("move {objects} to the namespace's mesh, or to another namespace")
        }
    }
}

/// Where something is found, at the beginning of a sentence.
fn at(home: &Home) -> String {
    match home {
        Home::Cluster => String::new(),
        Home::Namespace(name) => format!("namespace {}: ", Quoted(name)),
        Home::Mesh(name) => format!("mesh {}: ", Quoted(name)),
    }
}

/// So many names of a list are told.
const TOLD: usize = 5;

fn quoted(names: &[String]) -> String {
    let all = names.iter().map(|name| Quoted(name).to_string());
    some_of(all, names.len())
}

/// The first of so many.
fn some_of(all: impl Iterator<Item = String>, count: usize) -> String {
    let more = count.saturating_sub(TOLD);
    listed(
        all.take(TOLD)
            .chain((more > 0).then(|| format!("{more} more"))),
    )
}

//! What admission would say of each Pod and template, in the words of the very same rules.

use kuma_workload_rulebook::{
    admission::{self, Objection, Operation, Request, RequestObject, Rule, Settings, Verdict},
    metadata::Text,
};

use super::{
    finding::{Code, Finding, Severity, place_at},
    inventory::{Inventory, full_name},
    manifest::{Marks, NamespaceManifest, Owner},
    planned_cluster::PlannedCluster,
    pod_source::PodSource,
    read::tree::Position,
    report::{AdmissionReport, ObjectionReport},
};

/// What admission would say of a Pod or template.
pub(crate) fn judge(
    number: usize,
    pod_source: &PodSource<'_>,
    inventory: &Inventory,
    settings: &Settings<'_>,
    cluster: &PlannedCluster<'_>,
    findings: &mut Vec<Finding>,
) -> AdmissionReport {
    let pod = RequestObject::Pod {
        new: pod_source.facts.clone(),
        old: None,
    };
    let judged = |object| {
        let request = Request {
            operation: Operation::Create,
            namespace: Text::from(pod_source.named.namespace()),
            // Nobody in particular asks, as in an audit: what is on its way out is accepted.
            user: None,
            unchanged: false,
            object,
        };
        admission::judge(&request, settings, &cluster.without(number))
    };
    let Some(kind) = pod_source.template else {
        let verdict = judged(pod);
        return report(pod_source, verdict, None, findings);
    };
    let verdict = judged(RequestObject::Template {
        kind,
        name: Text::from(pod_source.named.name.as_str()),
        owner_is_judged: owner_is_judged(pod_source, inventory),
        new: pod_source.facts.clone(),
        old: None,
    });
    // What a template meets as a warning, its Pods meet as a rejection (A11), if any come.
    let of_pods = match verdict.rejection {
        None if !pod_source.idle => judged(pod).rejection,
        _ => None,
    };
    report(pod_source, verdict, of_pods, findings)
}

/// What admission would say of a Namespace, as findings alone.
pub(crate) fn judge_namespace(
    namespace: &NamespaceManifest,
    settings: &Settings<'_>,
    cluster: &PlannedCluster<'_>,
    findings: &mut Vec<Finding>,
) {
    let request = Request {
        operation: Operation::Create,
        namespace: Text::default(),
        user: None,
        unchanged: false,
        object: RequestObject::Namespace {
            name: Text::from(namespace.named.name.as_str()),
            terminating: false,
            new: namespace.metadata.clone(),
            old: None,
        },
    };
    let Verdict {
        rejection,
        warnings,
    } = admission::judge(&request, settings, &cluster.without(usize::MAX));
    let told = |objection: &Objection, severity| {
        let (code, _, remedy) = told_of(objection.rule, Marks::default());
        let message = format!(
            "Namespace {}: {}",
            full_name(&namespace.named),
            objection.message
        );
        let place = namespace.named.place.clone();
        let remedy = remedy.to_owned();
        Finding {
            severity,
            ..Finding::error(code, place, message, remedy)
        }
    };
    findings.extend(
        warnings
            .iter()
            .map(|warning| told(warning, Severity::Warning)),
    );
    findings.extend(
        rejection
            .iter()
            .map(|rejection| told(rejection, Severity::Error)),
    );
}

/// Whether a controller that was not read speaks for the template (A2).
fn owner_is_judged(pod_source: &PodSource<'_>, inventory: &Inventory) -> bool {
    let owner = pod_source.template.and_then(|kind| {
        let owner = Owner {
            kind: kind.name,
            name: pod_source.named.name.as_str().to_owned(),
        };
        inventory.template(pod_source.named.namespace(), &owner)
    });
    owner.is_some_and(|template| template.owner.is_some())
}

fn report(
    pod_source: &PodSource<'_>,
    verdict: Verdict,
    of_pods: Option<Objection>,
    findings: &mut Vec<Finding>,
) -> AdmissionReport {
    let Verdict {
        rejection,
        mut warnings,
    } = verdict;
    if let Some(of_pods) = &of_pods {
        warnings.retain(|warning| warning.rule != of_pods.rule);
    }
    for warning in &warnings {
        // Of a bad name the Workload speaks, once for all its Pods.
        if warning.rule != Rule::WorkloadName {
            let severity = match pod_source.idle && is_of_mesh(warning.rule) {
                true => Severity::Note,
                false => Severity::Warning,
            };
            findings.push(finding(pod_source, warning, severity));
        }
    }
    findings.extend(
        rejection
            .as_ref()
            .map(|rejection| finding(pod_source, rejection, Severity::Error)),
    );
    findings.extend(
        of_pods
            .as_ref()
            .map(|rejection| rejected_pods(pod_source, rejection)),
    );
    let told = |objection: Objection| ObjectionReport {
        rule: objection.rule.name(),
        message: objection.message,
    };
    AdmissionReport {
        verdict: match (&rejection, &of_pods) {
            (Some(_), _) => "rejected",
            (None, Some(_)) => "pods-rejected",
            (None, None) => "accepted",
        },
        rejection: rejection.or(of_pods).map(told),
        warnings: warnings.into_iter().map(told).collect(),
    }
}

/// Whether a rule is about the Pods that come of a template, and not about the template itself.
fn is_of_mesh(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::MeshExists | Rule::ObservedMesh | Rule::DeclaredMesh
    )
}

fn finding(pod_source: &PodSource<'_>, objection: &Objection, severity: Severity) -> Finding {
    let (code, at, remedy) = told_of(objection.rule, pod_source.marks);
    Finding {
        severity,
        code,
        place: place_at(pod_source.named.place.as_ref(), at),
        message: format!(
            "{} {}: {}",
            pod_source.kind(),
            full_name(pod_source.named),
            objection.message
        ),
        remedy: remedy.to_owned(),
    }
}

/// How a rule's objection is told: its code, where it stands, and what to do.
fn told_of(rule: Rule, marks: Marks) -> (Code, Option<Position>, &'static str) {
    match rule {
        Rule::WorkloadLabel => (
            Code::ForgedLabel,
            marks.workload_label,
            "remove the label; a label of workloadLabels or the ServiceAccount names the workload",
        ),
        Rule::WorkloadAnnotation => (
            Code::IdleAnnotation,
            marks.workload_annotation,
            "remove the annotation; a label of workloadLabels or the ServiceAccount names the workload",
        ),
        Rule::WorkloadName => (Code::BadName, None, "change the value of that label"),
        Rule::SwitchWord => (Code::SwitchWord, None, "use enabled or disabled"),
        Rule::MeshName => (
            Code::BadMeshName,
            marks.mesh,
            "correct the name of the mesh",
        ),
        Rule::MeshExists => (
            Code::UnknownMesh,
            marks.mesh,
            "make the Mesh first, or correct its name",
        ),
        // A question without an answer does not occur: what was not read is taken for absent.
        Rule::ObservedMesh
        | Rule::DeclaredMesh
        | Rule::NamespaceRelabel
        | Rule::ClusterQuestion
        | Rule::WorkloadObject => (
            Code::SecondMesh,
            marks.mesh,
            "move it to the namespace's mesh, or to another namespace",
        ),
    }
}

fn rejected_pods(pod_source: &PodSource<'_>, rejection: &Objection) -> Finding {
    let told = finding(pod_source, rejection, Severity::Error);
    Finding {
        code: Code::RejectedPods,
        message: format!(
            "the Pods of {} {} would be refused: {}",
            pod_source.kind(),
            full_name(pod_source.named),
            rejection.message
        ),
        ..told
    }
}

//! What admission would say of each Pod and template, in the words of the very same rules.

use kuma_workload_rulebook::{
    admission::{self, Objection, Operation, Request, Rule, Settings, Verdict},
    metadata::Text,
};

use super::{
    finding::{Code, Finding, Severity, place_at},
    inventory::{Inventory, full_name},
    report::{AdmissionReport, ObjectionReport},
    subject::Subject,
    world::World,
};

/// What admission would say of a subject.
pub fn judge(
    number: usize,
    subject: &Subject<'_>,
    inventory: &Inventory,
    settings: &Settings<'_>,
    world: &World<'_>,
    findings: &mut Vec<Finding>,
) -> AdmissionReport {
    let pod = admission::Object::Pod {
        new: subject.facts.clone(),
        old: None,
    };
    let judged = |object| {
        let request = Request {
            operation: Operation::Create,
            namespace: Text::from(&*subject.named.namespace),
            // Nobody in particular asks, as in an audit: what is on its way out is accepted.
            user: None,
            unchanged: false,
            object,
        };
        admission::judge(&request, settings, &world.without(number))
    };
    let Some(kind) = subject.template else {
        let verdict = judged(pod);
        return report(subject, verdict, None, findings);
    };
    let verdict = judged(admission::Object::Template {
        kind,
        name: Text::from(&*subject.named.name),
        owner_is_judged: owner_is_judged(subject, inventory),
        new: subject.facts.clone(),
        old: None,
    });
    // What a template meets as a warning, its Pods meet as a rejection (A11).
    let of_pods = match verdict.rejection {
        None => judged(pod).rejection,
        Some(_) => None,
    };
    report(subject, verdict, of_pods, findings)
}

/// Whether a controller that was not read speaks for the template (A2).
fn owner_is_judged(subject: &Subject<'_>, inventory: &Inventory) -> bool {
    let owner = subject.template.and_then(|kind| {
        let owner = super::object::Owner {
            kind: kind.name(),
            name: subject.named.name.clone(),
        };
        inventory.template(&subject.named.namespace, &owner)
    });
    owner.is_some_and(|template| template.owner.is_some())
}

fn report(
    subject: &Subject<'_>,
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
            findings.push(finding(subject, warning, Severity::Warning));
        }
    }
    findings.extend(
        rejection
            .as_ref()
            .map(|rejection| finding(subject, rejection, Severity::Error)),
    );
    findings.extend(
        of_pods
            .as_ref()
            .map(|rejection| rejected_pods(subject, rejection)),
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

fn finding(subject: &Subject<'_>, objection: &Objection, severity: Severity) -> Finding {
    let (code, at, remedy) = match objection.rule {
        Rule::WorkloadLabel => (
            Code::ForgedLabel,
            subject.marks.workload_label,
            "remove the label; a label of workloadLabels or the ServiceAccount names the workload",
        ),
        Rule::WorkloadAnnotation => (
            Code::IdleAnnotation,
            subject.marks.workload_annotation,
            "remove the annotation; a label of workloadLabels or the ServiceAccount names the workload",
        ),
        Rule::WorkloadName => (Code::BadName, None, "change the value of that label"),
        Rule::SwitchWord => (Code::SwitchWord, None, "use enabled or disabled"),
        Rule::MeshName => (
            Code::BadMeshName,
            subject.marks.mesh,
            "correct the name of the mesh",
        ),
        Rule::MeshExists => (
            Code::UnknownMesh,
            subject.marks.mesh,
            "make the Mesh first, or correct its name",
        ),
        _ => (
            Code::SecondMesh,
            subject.marks.mesh,
            "move it to the namespace's mesh, or to another namespace",
        ),
    };
    Finding {
        severity,
        code,
        place: place_at(subject.named.place.as_ref(), at),
        message: about(subject, &objection.message),
        remedy: remedy.to_owned(),
    }
}

fn rejected_pods(subject: &Subject<'_>, rejection: &Objection) -> Finding {
    let told = finding(subject, rejection, Severity::Error);
    Finding {
        code: Code::RejectedPods,
        message: format!(
            "the Pods of {} {} would be refused: {}",
            subject.kind(),
            full_name(subject.named),
            rejection.message
        ),
        ..told
    }
}

fn about(subject: &Subject<'_>, message: &str) -> String {
    format!("{} {}: {message}", subject.kind(), full_name(subject.named))
}

//! What admission would say of each Pod and template, in the words of the very same rules.

use kuma_workload_rulebook::{
    admission::{self, Objection, Operation, Request, Rule, Settings, Verdict},
    metadata::Text,
};

use super::{
    finding::{Code, Finding, Severity, place_at},
    input::tree::Position,
    inventory::{Inventory, full_name},
    object::{Marks, Namespace, Owner},
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

/// What admission would say of a Namespace, as findings alone.
pub fn judge_namespace(
    namespace: &Namespace,
    settings: &Settings<'_>,
    world: &World<'_>,
    findings: &mut Vec<Finding>,
) {
    let request = Request {
        operation: Operation::Create,
        namespace: Text::default(),
        user: None,
        unchanged: false,
        object: admission::Object::Namespace {
            name: Text::from(&*namespace.named.name),
            terminating: false,
            new: namespace.metadata.clone(),
            old: None,
        },
    };
    let Verdict {
        rejection,
        warnings,
    } = admission::judge(&request, settings, &world.without(usize::MAX));
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
fn owner_is_judged(subject: &Subject<'_>, inventory: &Inventory) -> bool {
    let owner = subject.template.and_then(|kind| {
        let owner = Owner {
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
    let (code, at, remedy) = told_of(objection.rule, subject.marks);
    Finding {
        severity,
        code,
        place: place_at(subject.named.place.as_ref(), at),
        message: format!(
            "{} {}: {}",
            subject.kind(),
            full_name(subject.named),
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

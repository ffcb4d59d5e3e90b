//! What admission would say of each Pod, template and Namespace, in the words of the very same rules.

use kuma_workload_rulebook::{
    admission::{self, Objection, Operation, Request, RequestObject, Rule, Settings, Verdict},
    identifier::{self, NameForm},
    metadata::Text,
};

use super::{
    finding::{Cause, Code, Finding, Member, ObjectName, PODS_REJECTED, Severity, place_at},
    inventory::Inventory,
    manifest::{Marks, NamespaceManifest, Owner, TemplateManifest},
    planned_cluster::PlannedCluster,
    pod_source::PodSource,
    read::tree::Position,
    report::{AdmissionReport, ObjectionReport},
    why::{Entry, Trail},
};

/// What admission would say of a Pod or template, which has this number in the planned cluster; and
/// the steps to that, if `why` asks for them.
pub(crate) fn judge(
    number: usize,
    source: &PodSource<'_>,
    inventory: &Inventory,
    settings: &Settings<'_>,
    cluster: &PlannedCluster<'_>,
    findings: &mut Vec<Finding>,
    why: bool,
) -> (AdmissionReport, Vec<Entry>) {
    let trail = |is_template| why.then(|| Trail::new(is_template));
    let judged = |object, trail: &Option<Trail>| {
        let request = Request {
            operation: Operation::Create,
            namespace: Text::from(source.named.namespace()),
            // Nobody in particular asks, as in an audit: what is on its way out is accepted.
            user: None,
            unchanged: false,
            object,
        };
        let cluster = cluster.without(number).witnessed(trail.as_ref());
        admission::judge(&request, settings, &cluster)
    };
    let pod_trail = trail(false);
    let as_pod = RequestObject::Pod {
        new: source.facts.clone(),
        old: None,
        keeps_containers: false,
    };
    let as_pod = judged(as_pod, &pod_trail);
    let Some(kind) = source.template else {
        findings.extend(findings_of(source, &as_pod, &as_pod));
        return (report(as_pod, None), steps(pod_trail, None));
    };
    let template_trail = trail(true);
    let as_template = RequestObject::Template {
        kind,
        name: Text::from(source.named.name.as_str()),
        owner_is_judged: owner_is_judged(source, inventory),
        new: source.facts.clone(),
        old: None,
    };
    let mut verdict = judged(as_template, &template_trail);
    // What a template meets as a warning, its Pods meet as a rejection (A11), if any come.
    let of_pods = match verdict.rejection {
        None if !source.idle => as_pod.rejection.clone(),
        _ => None,
    };
    if let Some(of_pods) = &of_pods {
        verdict
            .warnings
            .retain(|warning| warning.rule != of_pods.rule);
        findings.extend(finding(source, of_pods, Severity::Error, Said::OfItsPods));
    }
    findings.extend(findings_of(source, &verdict, &as_pod));
    let pod_trail = pod_trail.filter(|_| of_pods.is_some());
    (report(verdict, of_pods), steps(template_trail, pod_trail))
}

/// The steps to a verdict, and to that on the Pods of a template, if they are refused.
fn steps(trail: Option<Trail>, of_pods: Option<Trail>) -> Vec<Entry> {
    let Some(trail) = trail else {
        return Vec::new();
    };
    let mut steps = trail.into_entries();
    if let Some(of_pods) = of_pods {
        steps.push(Entry::ItsPods);
        steps.extend(of_pods.into_entries());
    }
    steps.push(Entry::End);
    steps
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
    let verdict = admission::judge(&request, settings, &cluster.without(usize::MAX));
    findings.extend(objections(&verdict).filter_map(|(objection, severity)| {
        let (code, at) = code_and_mark(objection.rule, namespace.marks)?;
        let place = place_at(namespace.named.place.as_ref(), at);
        let object = ObjectName::of("Namespace", &namespace.named);
        let member = Member::new(object, "Namespace", place.clone());
        let cause = Cause::Admission {
            rule: objection.rule,
            code,
            namespace: String::new(),
            template: None,
            sentence: objection.message.clone(),
        };
        Some(Finding::of(severity, cause).at(place).about([member]))
    }));
}

/// Whether a controller that was not read speaks for the template (A2).
fn owner_is_judged(source: &PodSource<'_>, inventory: &Inventory) -> bool {
    let template = source.template.and_then(|kind| {
        let itself = Owner {
            template: Some(kind),
            kind: kind.name.to_owned(),
            name: source.named.name.as_str().to_owned(),
        };
        inventory.template(source.named.namespace(), &itself)
    });
    template.is_some_and(TemplateManifest::is_made_by_its_owner)
}

fn report(verdict: Verdict, of_pods: Option<Objection>) -> AdmissionReport {
    let Verdict {
        rejection,
        warnings,
    } = verdict;
    let told = |objection: Objection| ObjectionReport {
        rule: objection.rule.name(),
        message: objection.message,
    };
    AdmissionReport {
        verdict: match (&rejection, &of_pods) {
            (Some(_), _) => "rejected",
            (None, Some(_)) => PODS_REJECTED,
            (None, None) => "accepted",
        },
        rejection: rejection.or(of_pods).map(told),
        warnings: warnings.into_iter().map(told).collect(),
    }
}

/// All that is said against an object, and how grave that is.
fn objections(verdict: &Verdict) -> impl Iterator<Item = (&Objection, Severity)> {
    let warnings = verdict.warnings.iter();
    let warnings = warnings.map(|warning| (warning, Severity::Warning));
    let rejection = verdict.rejection.iter();
    warnings.chain(rejection.map(|rejection| (rejection, Severity::Error)))
}

/// The findings of what is said against a Pod or template. `as_pod` is what is said of the Pod that
/// it is, or makes: a cause is known by the sentence about Pods, which names no template.
fn findings_of(source: &PodSource<'_>, verdict: &Verdict, as_pod: &Verdict) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, (objection, severity)) in objections(verdict).enumerate() {
        match objection.rule {
            Rule::WorkloadName => {
                findings.extend(bad_name(source, severity));
                continue;
            }
            // The Namespace that names the mesh is told itself.
            Rule::MeshName if source.mesh.is_some_and(|mesh| !mesh.is_named_by_pod()) => continue,
            _ => {}
        }
        let same = objections(verdict)
            .take(number)
            .filter(|(earlier, _)| earlier.rule == objection.rule);
        let of_pod = objections(as_pod)
            .filter(|(of_pod, _)| of_pod.rule == objection.rule)
            .nth(same.count())
            .map_or(objection, |(of_pod, _)| of_pod);
        // What its Pods would meet matters little while none come.
        let severity = match source.idle && is_about_meshes(objection.rule) {
            true if severity == Severity::Warning => Severity::Note,
            _ => severity,
        };
        let said = Said::OfItself(&objection.message);
        findings.extend(finding(source, of_pod, severity, said));
    }
    findings
}

/// A bad name is told of the Workload that there cannot be, with all who ask for it; here only of
/// those who do not count there, and are refused.
fn bad_name(source: &PodSource<'_>, severity: Severity) -> Option<Finding> {
    if severity != Severity::Error || source.coming {
        return None;
    }
    let name = source.workload?.name;
    let fault = identifier::check(name, NameForm::Kubernetes).err()?;
    let cause = Cause::BadName {
        home: source.named.home.clone(),
        name: name.to_owned(),
        fault: fault.to_string(),
    };
    let place = source.named.place.clone();
    let member = source.member(place.as_ref());
    Some(Finding::of(severity, cause).at(place).about([member]))
}

/// What is said against a Pod or template.
#[derive(Debug, Clone, Copy)]
enum Said<'a> {
    /// This sentence.
    OfItself(&'a str),
    /// Only of the Pods that it makes.
    OfItsPods,
}

/// `of_pod` is what the rule says of the Pod that this is or makes.
fn finding(
    source: &PodSource<'_>,
    of_pod: &Objection,
    severity: Severity,
    said: Said<'_>,
) -> Option<Finding> {
    let (code, at) = code_and_mark(of_pod.rule, source.marks)?;
    let place = place_at(source.named.place.as_ref(), at);
    let member = source.member(place.as_ref());
    let member = match said {
        Said::OfItself(sentence) => member.saying(sentence.to_owned()),
        Said::OfItsPods => member.by_its_pods(),
    };
    let cause = Cause::Admission {
        rule: of_pod.rule,
        code,
        namespace: source.named.namespace().to_owned(),
        template: source
            .controller
            .template()
            .filter(|_| stands_in_the_template(of_pod.rule)),
        sentence: of_pod.message.clone(),
    };
    Some(Finding::of(severity, cause).at(place).about([member]))
}

/// Whether a rule is about the Pods that come of a template, and not about the template itself.
fn is_about_meshes(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::ClosedMesh | Rule::MeshExists | Rule::ObservedMesh | Rule::DeclaredMesh
    )
}

/// Whether each template brings the cause itself, or several have it from their namespace or the
/// meshes that there are.
fn stands_in_the_template(rule: Rule) -> bool {
    match rule {
        Rule::WorkloadLabel
        | Rule::WorkloadAnnotation
        | Rule::WorkloadName
        | Rule::SwitchWord
        | Rule::MeshName => true,
        Rule::ClosedMesh
        | Rule::MeshExists
        | Rule::ObservedMesh
        | Rule::DeclaredMesh
        | Rule::NamespaceRelabel
        | Rule::InjectionOff
        | Rule::ClusterQuestion
        | Rule::WorkloadObject => false,
    }
}

/// The code of a rule, and where that stands which it objects to.
fn code_and_mark(rule: Rule, marks: Marks) -> Option<(Code, Option<Position>)> {
    let at = match rule {
        Rule::WorkloadLabel => marks.workload_label,
        Rule::WorkloadAnnotation => marks.workload_annotation,
        Rule::WorkloadName | Rule::SwitchWord => None,
        _ => marks.mesh,
    };
    Some((Code::of_rule(rule)?, at))
}

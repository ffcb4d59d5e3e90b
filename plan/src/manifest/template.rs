//! The kinds with a Pod template: the template, and whether Pods come of it.

use kuma_workload_rulebook::{admission::TemplateKind, metadata::PodFacts};

use super::{Marks, pod};
use crate::read::tree::{Node, Read, Value};

/// The template of an object of this kind.
pub(super) fn facts(kind: TemplateKind, node: &Node) -> Read<(PodFacts<'static>, Marks)> {
    let template = node.field("spec", |spec| match kind {
        TemplateKind::CronJob => {
            let template = spec.field("jobTemplate", |job| job.field("spec", of_spec))?;
            Ok(template.flatten().flatten())
        }
        _ => of_spec(spec),
    })?;
    Ok(template.flatten().unwrap_or_default())
}

fn of_spec(spec: &Node) -> Read<Option<(PodFacts<'static>, Marks)>> {
    spec.field("template", |template| {
        Ok((pod::facts(template)?, pod::marks(template)))
    })
}

/// Whether no Pods come of an object of this kind as it is: it is scaled to zero, suspended or done.
pub(super) fn is_idle(kind: TemplateKind, node: &Node) -> bool {
    let spec = node.get("spec");
    match kind {
        TemplateKind::Deployment
        | TemplateKind::ReplicaSet
        | TemplateKind::StatefulSet
        | TemplateKind::ReplicationController => is_zero(spec, "replicas"),
        // Nodes decide how many there are.
        TemplateKind::DaemonSet => false,
        TemplateKind::Job => is_held_back(spec) || has_ended(node),
        TemplateKind::CronJob => {
            let job = spec.and_then(|spec| spec.get("jobTemplate")?.get("spec"));
            is_suspended(spec) || is_held_back(job)
        }
    }
}

/// Whether no Pods come of a Job with this spec, for now or ever.
fn is_held_back(job: Option<&Node>) -> bool {
    is_suspended(job) || is_zero(job, "parallelism") || is_zero(job, "completions")
}

fn is_suspended(spec: Option<&Node>) -> bool {
    let suspend = spec.and_then(|spec| spec.get("suspend"));
    suspend.is_some_and(|suspend| suspend.value == Value::Bool(true))
}

fn is_zero(spec: Option<&Node>, key: &str) -> bool {
    let number = spec.and_then(|spec| spec.get(key));
    number.is_some_and(|number| number.value == Value::Number(Some(0)))
}

/// Whether a Job says that it has completed or failed.
fn has_ended(job: &Node) -> bool {
    let conditions = job
        .get("status")
        .and_then(|status| status.get("conditions"));
    let Some(Value::List(conditions)) = conditions.map(|conditions| &conditions.value) else {
        return false;
    };
    let says = |condition: &Node, key, words: &[&str]| {
        let word = condition.get(key).and_then(|word| word.text().ok());
        word.is_some_and(|word| words.contains(&word))
    };
    conditions.iter().any(|condition| {
        says(condition, "type", &["Complete", "Failed"]) && says(condition, "status", &["True"])
    })
}

/// Whether a Pod template stands anywhere in an object.
pub(super) fn has_template(node: &Node) -> bool {
    match &node.value {
        Value::List(items) => items.iter().any(has_template),
        Value::Map(entries) => entries
            .iter()
            .any(|(key, value)| (key == "template" && is_template(value)) || has_template(value)),
        _ => false,
    }
}

fn is_template(node: &Node) -> bool {
    let containers = node.get("spec").and_then(|spec| spec.get("containers"));
    matches!(
        containers.map(|containers| &containers.value),
        Some(Value::List(_))
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::yaml;
    use rstest::rstest;

    use TemplateKind::{CronJob, DaemonSet, Deployment, Job, StatefulSet};

    #[rstest]
    #[case::nothing_is_said(Deployment, "spec: {}", false)]
    #[case::no_spec(Deployment, "spec: null", false)]
    #[case::replicas(Deployment, "spec: {replicas: 1}", false)]
    #[case::replicas_null(Deployment, "spec: {replicas: null}", false)]
    #[case::no_replicas(Deployment, "spec: {replicas: 0}", true)]
    #[case::no_replicas_of_a_set(StatefulSet, "spec: {replicas: 0}", true)]
    #[case::a_daemon_set_has_no_replicas(DaemonSet, "spec: {replicas: 0}", false)]
    #[case::a_deployment_cannot_be_suspended(Deployment, "spec: {suspend: true}", false)]
    #[case::job(Job, "spec: {suspend: false, parallelism: 2}", false)]
    #[case::suspended_job(Job, "spec: {suspend: true}", true)]
    #[case::no_parallelism(Job, "spec: {parallelism: 0}", true)]
    #[case::no_completions(Job, "spec: {completions: 0}", true)]
    #[case::a_job_has_no_replicas(Job, "spec: {replicas: 0}", false)]
    #[case::completed(Job, "status: {conditions: [{type: Complete, status: 'True'}]}", true)]
    #[case::failed(
        Job,
        "status: {conditions: [{type: Suspended}, {type: Failed, status: 'True'}]}",
        true
    )]
    #[case::not_completed(
        Job,
        "status: {conditions: [{type: Complete, status: 'False'}]}",
        false
    )]
    #[case::odd_status(Job, "status: {conditions: [7, {type: []}]}", false)]
    #[case::cron_job(CronJob, "spec: {suspend: false}", false)]
    #[case::suspended_cron_job(CronJob, "spec: {suspend: true}", true)]
    #[case::its_jobs_are_suspended(CronJob, "spec: {jobTemplate: {spec: {suspend: true}}}", true)]
    #[case::its_jobs_make_none(CronJob, "spec: {jobTemplate: {spec: {parallelism: 0}}}", true)]
    #[case::a_cron_job_has_no_parallelism(CronJob, "spec: {parallelism: 0}", false)]
    fn no_pods_come_of_it(#[case] kind: TemplateKind, #[case] yaml: &str, #[case] idle: bool) {
        assert_eq!(is_idle(kind, &yaml::parse(yaml, 0).unwrap()), idle);
    }

    #[rstest]
    #[case::rollout("spec: {template: {spec: {containers: [{name: c}]}}}", true)]
    #[case::pod_template("template: {spec: {containers: []}}", true)]
    #[case::deeper(
        "spec: {jobs: [{template: {spec: {template: {spec: {containers: []}}}}}]}",
        true
    )]
    #[case::of_something_else("spec: {template: {spec: {schedule: x}}}", false)]
    #[case::no_template("spec: {containers: []}", false)]
    fn a_pod_template_is_found(#[case] yaml: &str, #[case] found: bool) {
        assert_eq!(has_template(&yaml::parse(yaml, 0).unwrap()), found);
    }
}

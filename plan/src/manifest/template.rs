//! The kinds with a Pod template: the template, and whether Pods come of it.

use kuma_workload_rulebook::{admission::TemplateKind, metadata::PodFacts};

use super::{Marks, pod};
use crate::read::tree::{Node, Read, Value};

/// The template of an object of this kind.
pub(super) fn facts(kind: &TemplateKind, node: &Node) -> Read<(PodFacts<'static>, Marks)> {
    let read = |template: &Node| Ok((pod::facts(template)?, pod::marks(template)));
    let template = at_path(node, kind.template_path, &read)?;
    Ok(template.unwrap_or_default())
}

/// Reads what is at a path of field names, such as `spec.template`; nothing if a field is missing.
fn at_path<T>(node: &Node, path: &str, read: &dyn Fn(&Node) -> Read<T>) -> Read<Option<T>> {
    match path.split_once('.') {
        None => node.field(path, read),
        Some((first, rest)) => Ok(node
            .field(first, |inner| at_path(inner, rest, read))?
            .flatten()),
    }
}

/// Whether no Pods come of an object of this kind as it is: it is scaled to zero, suspended or done.
pub(super) fn is_idle(kind: &TemplateKind, node: &Node) -> bool {
    let spec = node.get("spec");
    match kind.name {
        // Nodes decide how many there are.
        "DaemonSet" => false,
        "Job" => is_held_back(spec) || has_ended(node),
        "CronJob" => {
            let job = spec.and_then(|spec| spec.get("jobTemplate")?.get("spec"));
            is_suspended(spec) || is_held_back(job)
        }
        _ => is_zero(spec, "replicas"),
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
    number.and_then(Node::integer) == Some(0)
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
    use crate::read::tests::node;
    use rstest::rstest;

    #[rstest]
    #[case::nothing_is_said("apps", "Deployment", "spec: {}", false)]
    #[case::no_spec("apps", "Deployment", "spec: null", false)]
    #[case::replicas("apps", "Deployment", "spec: {replicas: 1}", false)]
    #[case::replicas_null("apps", "Deployment", "spec: {replicas: null}", false)]
    #[case::no_replicas("apps", "Deployment", "spec: {replicas: 0}", true)]
    #[case::no_replicas_of_a_set("apps", "StatefulSet", "spec: {replicas: 0}", true)]
    #[case::a_daemon_set_has_no_replicas("apps", "DaemonSet", "spec: {replicas: 0}", false)]
    #[case::a_deployment_cannot_be_suspended("apps", "Deployment", "spec: {suspend: true}", false)]
    #[case::job("batch", "Job", "spec: {suspend: false, parallelism: 2}", false)]
    #[case::suspended_job("batch", "Job", "spec: {suspend: true}", true)]
    #[case::no_parallelism("batch", "Job", "spec: {parallelism: 0}", true)]
    #[case::no_completions("batch", "Job", "spec: {completions: 0}", true)]
    #[case::a_job_has_no_replicas("batch", "Job", "spec: {replicas: 0}", false)]
    #[case::completed(
        "batch",
        "Job",
        "status: {conditions: [{type: Complete, status: 'True'}]}",
        true
    )]
    #[case::failed(
        "batch",
        "Job",
        "status: {conditions: [{type: Suspended}, {type: Failed, status: 'True'}]}",
        true
    )]
    #[case::not_completed(
        "batch",
        "Job",
        "status: {conditions: [{type: Complete, status: 'False'}]}",
        false
    )]
    #[case::odd_status("batch", "Job", "status: {conditions: [7, {type: []}]}", false)]
    #[case::cron_job("batch", "CronJob", "spec: {suspend: false}", false)]
    #[case::suspended_cron_job("batch", "CronJob", "spec: {suspend: true}", true)]
    #[case::its_jobs_are_suspended(
        "batch",
        "CronJob",
        "spec: {jobTemplate: {spec: {suspend: true}}}",
        true
    )]
    #[case::its_jobs_make_none(
        "batch",
        "CronJob",
        "spec: {jobTemplate: {spec: {parallelism: 0}}}",
        true
    )]
    #[case::a_cron_job_has_no_parallelism("batch", "CronJob", "spec: {parallelism: 0}", false)]
    fn no_pods_come_of_it(
        #[case] group: &str,
        #[case] kind: &str,
        #[case] yaml: &str,
        #[case] idle: bool,
    ) {
        let kind = TemplateKind::of(group, kind).unwrap();
        assert_eq!(is_idle(kind, &node(yaml)), idle);
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
        assert_eq!(has_template(&node(yaml)), found);
    }
}

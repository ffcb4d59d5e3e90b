//! What has one cause is told once: findings of each object become those of the report.

use std::collections::BTreeMap;

use super::{
    Finding,
    affected::Affected,
    cause::Cause,
    code::{Code, Severity},
    text,
};
use crate::{read::Place, report::FindingReport};

/// What has the same cause and is as grave.
#[derive(Debug, Default)]
struct Group {
    affected: Affected,
    /// Where it is found first.
    place: Option<Place>,
}

/// Puts the findings of each cause together, and makes their text. The gravest come first; of equals,
/// those with the smaller code, then those that stand first.
pub(crate) fn grouped(findings: impl IntoIterator<Item = Finding>) -> Vec<FindingReport> {
    let mut groups = BTreeMap::<(Severity, Cause), Group>::new();
    for finding in findings {
        let Finding {
            severity,
            cause,
            place,
            members,
        } = finding;
        let group = groups.entry((severity, cause)).or_default();
        if group.place.is_none() || (place.is_some() && place < group.place) {
            group.place = place;
        }
        members
            .into_iter()
            .for_each(|member| group.affected.add(member));
    }
    let mut told: Vec<_> = groups
        .into_iter()
        .map(|((severity, cause), group)| {
            let code = match group.affected.is_by_pods() {
                true => Code::PodsRejected,
                false => cause.code(),
            };
            let report = report(severity, code, &cause, group);
            (severity, code, report)
        })
        .collect();
    told.sort_by(
        |(severity, code, one), (other_severity, other_code, other)| {
            let one = (severity, code, &one.place, &one.message);
            one.cmp(&(other_severity, other_code, &other.place, &other.message))
        },
    );
    told.into_iter().map(|(.., report)| report).collect()
}

fn report(severity: Severity, code: Code, cause: &Cause, group: Group) -> FindingReport {
    let Group { affected, place } = group;
    FindingReport {
        severity,
        code: code.name(),
        message: text::message(cause, &affected),
        remedy: text::remedy(cause, &affected),
        count: affected.count().max(1),
        objects: affected.first(),
        place,
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        Options,
        read::Document,
        report::{FindingReport, Report},
        tests::{INJECTING, deployment, planned, planned_with, pod},
    };
    use rstest::rstest;
    use std::time::Instant;

    fn of_code<'r>(report: &'r Report, code: &str) -> Vec<&'r FindingReport> {
        let findings = report.findings.iter();
        findings.filter(|finding| finding.code == code).collect()
    }

    fn only<'r>(report: &'r Report, code: &str) -> &'r FindingReport {
        let found = of_code(report, code);
        assert_eq!(found.len(), 1, "{found:#?}");
        found[0]
    }

    /// A Pod that sets the label which is Kuma's, with more in its metadata.
    fn forged(name: &str, metadata: &str) -> String {
        format!(
            "
apiVersion: v1
kind: Pod
metadata:
  name: {name}
  namespace: team
  labels: {{kuma.io/mesh: m, kuma.io/workload: mine, pod-template-hash: 7f4b8c}}
  {metadata}
spec: {{serviceAccountName: sa}}
---"
        )
    }

    fn owner(api_version: &str, kind: &str, name: &str) -> String {
        format!(
            "ownerReferences: [{{apiVersion: {api_version}, kind: {kind}, name: {name}, controller: true}}]"
        )
    }

    fn object(api_version: &str, kind: &str, name: &str, metadata: &str) -> String {
        format!(
            "
apiVersion: {api_version}
kind: {kind}
metadata:
  name: {name}
  namespace: team
  {metadata}
spec: {{template: {{}}}}
---"
        )
    }

    #[rstest]
    #[case::nothing_controls_it("", "", "Pod", "p0")]
    #[case::replica_set_by_its_name(&owner("apps/v1", "ReplicaSet", "web-7f4b8c"), "", "Deployment", "web")]
    #[case::replica_set_of_nobody(&owner("apps/v1", "ReplicaSet", "web"), "", "ReplicaSet", "web")]
    #[case::replica_set_of_a_rollout(
        &owner("apps/v1", "ReplicaSet", "web-68c9"),
        &object("apps/v1", "ReplicaSet", "web-68c9", &owner("argoproj.io/v1alpha1", "Rollout", "web")),
        "Rollout", "web")]
    #[case::replica_set_that_was_read(
        &owner("apps/v1", "ReplicaSet", "web-7f4b8c"),
        &object("apps/v1", "ReplicaSet", "web-7f4b8c", &owner("apps/v1", "Deployment", "front")),
        "Deployment", "front")]
    #[case::deployment_that_was_read(
        &owner("apps/v1", "ReplicaSet", "web-7f4b8c"),
        &(object("apps/v1", "ReplicaSet", "web-7f4b8c", &owner("apps/v1", "Deployment", "front"))
            + &object("apps/v1", "Deployment", "front", "")),
        "Deployment", "front")]
    #[case::stateful_set(&owner("apps/v1", "StatefulSet", "db"), "", "StatefulSet", "db")]
    #[case::daemon_set(&owner("apps/v1", "DaemonSet", "agent"), "", "DaemonSet", "agent")]
    #[case::job(&owner("batch/v1", "Job", "once"), "", "Job", "once")]
    #[case::job_of_a_cron_job(
        &owner("batch/v1", "Job", "nightly-28"),
        &object("batch/v1", "Job", "nightly-28", &owner("batch/v1", "CronJob", "nightly")),
        "CronJob", "nightly")]
    #[case::other_kind(&owner("example.org/v1", "Workflow", "steps"), "", "Workflow", "steps")]
    #[case::static_pod(&owner("v1", "Node", "worker-1"), "", "Pod", "p0")]
    fn a_remedy_names_what_people_change(
        #[case] of_pod: &str,
        #[case] others: &str,
        #[case] kind: &str,
        #[case] name: &str,
    ) {
        let pods: String = ["p0", "p1"].map(|name| forged(name, of_pod)).concat();
        let report = planned(&(pods + others));
        let found = only(&report, "forged-label");
        assert_eq!(found.count, 2);
        let first = &found.objects[0];
        assert_eq!((&*first.kind, &*first.name), (kind, name));
        if kind == "Pod" {
            assert!(
                found
                    .remedy
                    .starts_with("remove the label from Pods \"p0\" and \"p1\";")
            );
        } else {
            let (whose, from) = (
                format!("{kind} \"team/{name}\""),
                format!("{kind} \"{name}\""),
            );
            assert!(
                found.message.starts_with(&format!("2 Pods of {whose}: ")),
                "{}",
                found.message
            );
            let remedy = format!("remove the label from {from};");
            assert!(found.remedy.starts_with(&remedy), "{}", found.remedy);
            assert_eq!((first.count, found.objects.len()), (2, 1));
        }
    }

    /// In one namespace: Pods by hand, and Pods of controllers that were not read.
    #[test]
    fn pods_of_one_namespace_and_cause_are_counted_and_the_first_are_named() {
        let mut yaml: String = (0..5).map(|n| forged(&format!("p{n}"), "")).collect();
        for set in ["db", "queue"] {
            let owner = owner("apps/v1", "StatefulSet", set);
            yaml += &forged(&format!("{set}-0"), &owner);
            yaml += &forged(&format!("{set}-1"), &owner);
        }
        let report = planned(&yaml);
        let found = only(&report, "forged-label");
        assert_eq!(found.count, 9);
        assert_eq!(
            found.message,
            "9 Pods in namespace \"team\" (Pod \"p0\", Pod \"p1\", Pod \"p2\" and 4 more): \
             cannot manually set kuma.io/workload label on Pod; it is automatically managed by Kuma"
        );
        assert_eq!(found.objects.len(), 3);
        assert_eq!(
            found.place.as_ref().unwrap().at.line,
            7,
            "that of the first"
        );
    }

    #[test]
    fn each_template_that_brings_the_cause_is_told_with_its_pods() {
        let set = |name: &str| {
            object("apps/v1", "StatefulSet", name, "").replace(
                "template: {}",
                "template: {metadata: {labels: {kuma.io/mesh: m, kuma.io/workload: mine}}}",
            )
        };
        let pods =
            ["db-0", "db-1"].map(|name| forged(name, &owner("apps/v1", "StatefulSet", "db")));
        let report = planned(&(set("db") + &set("queue") + &pods.concat()));
        let found = of_code(&report, "forged-label");
        let told: Vec<_> = found
            .iter()
            .map(|one| (one.count, one.objects.len()))
            .collect();
        assert_eq!(told, [(3, 1), (1, 1)]);
        assert!(
            found[0]
                .message
                .starts_with("StatefulSet \"team/db\" and its 2 Pods: ")
        );
        assert!(
            found[1]
                .message
                .contains("in the pod template of StatefulSet \"queue\"")
        );
    }

    #[test]
    fn a11_templates_of_one_namespace_and_cause_are_one_finding() {
        let mesh = "apiVersion: kuma.io/v1alpha1\nkind: Mesh\nmetadata: {name: other}\n---";
        let templates = ["a", "b", "c", "d"].map(|name| deployment(name, "m", "replicas: 1"));
        let report = planned(&(mesh.to_owned() + &templates.concat()));
        let found = only(&report, "pods-rejected");
        assert_eq!(
            found.message,
            "the Pods of 4 Deployments in namespace \"team\" (\"a\", \"b\", \"c\" and 1 more) would be \
             refused: pod is in mesh \"m\", which does not exist"
        );
        assert_eq!(
            found.remedy,
            "make the Mesh first, or correct its name in Deployments \"a\", \"b\", \"c\" and 1 more"
        );
    }

    #[test]
    fn a_template_and_its_pods_have_one_cause() {
        let mesh = "apiVersion: kuma.io/v1alpha1\nkind: Mesh\nmetadata: {name: other}\n---";
        let reference = owner("apps/v1", "ReplicaSet", "web-7f4b8c");
        let pod = pod("web-7f4b8c-xk2vp", "m").replace(
            "namespace: team",
            &format!("namespace: team, {reference}").replace("kuma.io/mesh: m", ""),
        );
        let pod = pod.replace(
            "kuma.io/mesh: m",
            "kuma.io/mesh: m, pod-template-hash: 7f4b8c",
        );
        let report = planned(&(mesh.to_owned() + &deployment("web", "m", "replicas: 1") + &pod));
        assert_eq!(of_code(&report, "pods-rejected"), [] as [&FindingReport; 0]);
        let found = only(&report, "unknown-mesh");
        assert_eq!(
            found.message,
            "Deployment \"team/web\" and its 1 Pod: pod is in mesh \"m\", which does not exist"
        );
    }

    #[test]
    fn namespaces_that_were_not_read_are_one_note() {
        let pods: String = (0..300)
            .map(|n| pod("a", "m").replace("team", &format!("team-{n:03}")))
            .collect();
        let report = planned(&pods);
        let found = only(&report, "namespace-not-read");
        assert_eq!(
            found.message,
            "300 Namespaces (\"team-000\", \"team-001\", \"team-002\" and 297 more) are not among the \
             manifests, so they are taken for ones without labels"
        );
        assert_eq!((found.count, found.objects.len()), (300, 3));
    }

    #[test]
    fn m4_the_name_that_a_namespace_gives_its_mesh_is_told_of_the_namespace() {
        let namespace = INJECTING.replace("enabled", "enabled, kuma.io/mesh: No_Mesh!");
        let pods = ["a", "b"].map(|name| pod(name, "''"));
        let report = planned(&(namespace + &pods.concat()));
        let found = only(&report, "bad-mesh-name");
        assert_eq!((found.count, &*found.objects[0].kind), (1, "Namespace"));
        assert!(report.pods.iter().all(|pod| {
            let rejection = pod.admission.as_ref().unwrap().rejection.as_ref();
            rejection.is_some_and(|rejection| rejection.rule == "bad-mesh-name")
        }));
    }

    const RULE_OFF: &str = "disallowMultipleMeshesPerNamespace: false";
    const OBSERVED: &str =
        "disallowMultipleMeshesPerNamespace: true\nnamespaceMesh: observed\nalreadySplit: warn";
    const DECLARED: &str = "disallowMultipleMeshesPerNamespace: true\nnamespaceMesh: declared";
    const DECLARED_WARN: &str =
        "disallowMultipleMeshesPerNamespace: true\nnamespaceMesh: declared\naction: warn";
    const NAMES_IGNORED: &str = "invalidWorkloadName: ignore\nworkloadLabels: [app]";
    const NAMES_DENIED: &str = "invalidWorkloadName: deny\nworkloadLabels: [app]";

    fn undeclared() -> String {
        INJECTING.to_owned() + &pod("a", "m")
    }

    fn split() -> String {
        INJECTING.to_owned() + &pod("a", "m") + &pod("b", "other")
    }

    fn bad_name() -> String {
        INJECTING.to_owned() + &pod("a", "default").replace("default}", "default, app: Bad_Name}")
    }

    #[rstest]
    #[case::undeclared_without_the_rule(RULE_OFF, undeclared(), &[("undeclared-mesh", "note")])]
    #[case::undeclared_observed(OBSERVED, undeclared(), &[("undeclared-mesh", "note")])]
    #[case::undeclared(DECLARED, undeclared(), &[("declared-mesh", "error"), ("undeclared-mesh", "error")])]
    #[case::undeclared_warned(DECLARED_WARN, undeclared(),
        &[("declared-mesh", "warning"), ("undeclared-mesh", "warning")])]
    #[case::split_without_the_rule(RULE_OFF, split(), &[("conflict", "error"), ("split-namespace", "note")])]
    #[case::split_observed(OBSERVED, split(),
        &[("conflict", "error"), ("second-mesh", "error"), ("second-mesh", "error"), ("split-namespace", "error")])]
    #[case::bad_name_ignored(NAMES_IGNORED, bad_name(), &[("bad-name", "note")])]
    #[case::bad_name_denied(NAMES_DENIED, bad_name(), &[("bad-name", "error")])]
    fn what_admission_accepts_without_a_warning_is_a_note_at_most(
        #[case] settings: &str,
        #[case] yaml: String,
        #[case] expected: &[(&str, &str)],
    ) {
        let options = Options {
            settings: Some(Document {
                name: "settings.yml".into(),
                bytes: settings.as_bytes().into(),
            }),
            ..Options::default()
        };
        let report = planned_with(&yaml, &options);
        let told = report.findings.iter();
        let told: Vec<_> = told.map(|one| (one.code, one.severity.name())).collect();
        assert_eq!(told, expected);
    }

    fn same_cause(number: usize) -> String {
        forged(&format!("p{number:05}"), "")
    }

    fn each_in_a_mesh_of_its_own(number: usize) -> String {
        pod(&format!("p{number:05}"), &format!("m{number}"))
    }

    fn each_with_an_identity_of_its_own(number: usize) -> String {
        let identity = format!(
            "
apiVersion: kuma.io/v1alpha1
kind: MeshIdentity
metadata: {{name: i{number}, namespace: kuma-system, labels: {{kuma.io/mesh: m}}}}
spec: {{selector: {{dataplane: {{matchLabels: {{app: a{number}}}}}}}}}
---"
        );
        let labels = format!("kuma.io/mesh: m, app: a{number}");
        identity + &pod(&format!("p{number:05}"), "m").replace("kuma.io/mesh: m", &labels)
    }

    /// Ten times as many Pods of one namespace take ten times as long; a hundred times, if each looked
    /// at all others.
    #[rstest]
    #[case::same_cause(same_cause, 10_000)]
    #[case::meshes(each_in_a_mesh_of_its_own, 5_000)]
    #[case::identities(each_with_an_identity_of_its_own, 5_000)]
    fn the_plan_takes_linear_time(#[case] pod: fn(usize) -> String, #[case] count: usize) {
        let pods = |count| INJECTING.to_owned() + &(0..count).rev().map(pod).collect::<String>();
        let (few, many) = (pods(count / 10), pods(count));
        let time = |yaml: &str| {
            let began = Instant::now();
            assert_eq!(planned(yaml).faults, []);
            began.elapsed()
        };
        // Others may have the processor meanwhile: one fair measurement is enough.
        let is_linear = (0..5).any(|_| time(&many) < time(&few) * 40);
        assert!(
            is_linear,
            "ten times as many take more than 40 times as long"
        );
    }

    #[test]
    fn ten_thousand_pods_of_one_cause_are_one_finding() {
        let report = planned(&(0..10_000).map(same_cause).collect::<String>());
        let found = only(&report, "forged-label");
        assert_eq!((found.count, found.objects.len()), (10_000, 3));
        assert!(found.message.len() < 300 && found.remedy.len() < 300);
    }
}

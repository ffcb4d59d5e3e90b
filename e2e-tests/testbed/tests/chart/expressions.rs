//! What the API server counts of ValidatingAdmissionPolicies, which the alert KumaWorkloadExpressionErrors
//! is on: of an expression that fails, where it can be told from a verdict.

use std::collections::BTreeMap;

use kuma_workload_testbed::eventually;
use rstest::rstest;
use serde_json::{Value, json};

use crate::cluster::{self, Cluster};
use crate::release::Done;

const METRIC: &str = "apiserver_validating_admission_policy_check_total";
/// An expression that costs more than one may.
const DEAR: &str = "[0,1,2,3,4,5,6,7,8,9].all(z, [0,1,2,3,4,5,6,7,8,9].all(a, [0,1,2,3,4,5,6,7,8,9].all(b, \
    [0,1,2,3,4,5,6,7,8,9].all(c, [0,1,2,3,4,5,6,7,8,9].all(d, [0,1,2,3,4,5,6,7,8,9].all(e, e >= 0))))))";
/// One that does not, but so many of them cost more than one policy may.
const PRICEY: &str = "[0,1,2,3,4,5,6,7,8,9].all(a, [0,1,2,3,4,5,6,7,8,9].all(b, [0,1,2,3,4,5,6,7,8,9].all(c, \
    [0,1,2,3,4,5,6,7,8,9].all(d, [0,1,2,3,4,5,6,7,8,9].all(e, e >= 0)))))";
const MANY: usize = 50;
const FAILING: &str = "object.data.missing == 'x'";

#[rstest]
#[case::a_verdict("false", 1, "Fail", "invalid_error", "deny", false)]
#[case::failing_under_ignore(FAILING, 1, "Ignore", "invalid_error", "allow", true)]
#[case::failing_under_fail(FAILING, 1, "Fail", "invalid_error", "deny", false)]
#[case::one_is_too_dear(DEAR, 1, "Fail", "invalid_error", "deny", false)]
#[case::all_are_too_dear(PRICEY, MANY, "Fail", "out_of_budget", "deny", true)]
#[tokio::test]
async fn it_is_counted(
    #[case] expression: &str,
    #[case] times: usize,
    #[case] failure_policy: &str,
    #[case] error_type: &str,
    #[case] action: &str,
    #[case] is_alerted: bool,
) -> Done {
    let cluster = cluster::shared().await?;
    let name = cluster.testbed.unique("kuma-workload-expression");
    cluster.namespace(&name).await?;
    let validations = vec![json!({"expression": expression}); times];
    apply(cluster, &name, &validations, failure_policy).await?;
    let create = [
        "create",
        "configmap",
        "probe",
        "-n",
        &name,
        "--from-literal=a=b",
        "--dry-run=server",
    ];
    let labels = eventually("the policy is counted", async || {
        // What comes of it is seen in the metric; the policy takes effect within a moment.
        let _ = cluster.kubectl(&create).await;
        let metrics = cluster.kubectl(&["get", "--raw", "/metrics"]).await;
        let metrics = metrics.map_err(|error| error.to_string())?;
        let mut lines = metrics.lines().filter_map(|line| line.strip_prefix(METRIC));
        let of_policy = format!("policy=\"{name}\"");
        lines
            .find(|line| line.contains(&of_policy))
            .map(labels)
            .ok_or_else(|| "it is not".to_owned())
    })
    .await?;
    assert_eq!(labels["error_type"], error_type);
    assert_eq!(labels["enforcement_action"], action);
    let rules = include_str!("../../../../charts/kuma-workload/files/rules.yaml");
    let fires = |selector: &str| {
        rules.contains(&format!(
            "{METRIC}{{policy=~\"kuma-workload-.*\", {selector}}}"
        ))
    };
    assert!(fires("error_type=~\"compile_error|out_of_budget\""));
    assert!(fires("enforcement_action=\"allow\""));
    assert_eq!(
        error_type == "out_of_budget" || action == "allow",
        is_alerted
    );
    Ok(())
}

async fn apply(
    cluster: &Cluster<'_>,
    name: &str,
    validations: &[Value],
    failure_policy: &str,
) -> Done {
    let api = "admissionregistration.k8s.io/v1";
    let policy = json!({
        "apiVersion": api, "kind": "ValidatingAdmissionPolicy", "metadata": {"name": name},
        "spec": {
            "failurePolicy": failure_policy,
            "matchConstraints": {"resourceRules": [{
                "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"],
            }]},
            "validations": validations,
        },
    });
    let binding = json!({
        "apiVersion": api, "kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": name},
        "spec": {
            "policyName": name, "validationActions": ["Deny"],
            "matchResources": {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}},
        },
    });
    for object in [policy, binding] {
        cluster.testbed.apply(&object.to_string()).await?;
    }
    Ok(())
}

/// The labels of a line.
fn labels(line: &str) -> BTreeMap<String, String> {
    let inside = line.trim_start_matches('{').split('}').next().unwrap();
    let pairs = inside.split(',').filter_map(|pair| pair.split_once('='));
    pairs
        .map(|(key, value)| (key.to_owned(), value.trim_matches('"').to_owned()))
        .collect()
}

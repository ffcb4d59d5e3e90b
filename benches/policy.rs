//! What the policy costs, hosted as policy-server does: a new instance for each request, from the
//! bytes of an AdmissionReview to its answer. Ratios are medians of rounds that take turns in one run.
//! It fails where the label rule costs more than its bound.

use std::{env, error::Error, path::PathBuf, sync::Arc};

use kuma_workload_benches::{Bound, Bounds, Series, Subject, measure};
use kuma_workload_host::{
    AdmissionRequest, Backend, Policy, Settings, admission::validate_payload, callback::Grants,
    cluster::Manifests,
};
use serde_json::{Value, json};

/// How many rounds are compared, and how many turns each subject has in one.
const ROUNDS: usize = 10;
const TURNS: usize = 10;

/// What the label rule may cost at most, as a ratio to a policy that parses nothing.
const LABEL_RULE: f64 = 1.10;

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let from_env = |name: &str, default: &str| {
        env::var_os(name).map_or_else(|| root.join(default), PathBuf::from)
    };
    let policy = Policy::load(&from_env(
        "KUMA_WORKLOAD_POLICY_WASM",
        "annotated-policy.wasm",
    ))?;
    let floor = Policy::load(&from_env("KUMA_WORKLOAD_FLOOR_WASM", "target/floor.wasm"))?
        .with_grants(Grants::default());

    let review: Value = serde_json::from_slice(&std::fs::read(
        root.join("examples/requests/pod-injected.json"),
    )?)?;
    let object = serde_json::to_vec(&review["request"]["object"])?.len();
    let review = serde_json::to_vec(&review["request"])?;

    let label_rule = Settings::from_value(json!({}))?;
    let observed = Settings::from_value(json!({"disallowMultipleMeshesPerNamespace": true}))?;
    let declared = Settings::from_value(
        json!({"disallowMultipleMeshesPerNamespace": true, "namespaceMesh": "declared"}),
    )?;
    let request: AdmissionRequest = serde_json::from_slice(&review)?;
    let namespace = request.namespace.clone().unwrap_or_default();
    let mesh = "default";

    let nothing = cluster(&namespace, mesh, 0)?;
    let evaluate = |policy: &Policy, settings: &Settings, cluster: &Arc<dyn Backend>| {
        let request: AdmissionRequest = serde_json::from_slice(&review)?;
        let evaluation = policy.evaluate_unchecked(&request, settings, cluster.clone())?;
        if evaluation.response.allowed {
            Ok(evaluation.calls.len())
        } else {
            Err(format!("refused: {:?}", evaluation.response.message()).into())
        }
    };
    let calls = |settings: &Settings| -> Result<usize, Box<dyn Error>> {
        evaluate(&policy, settings, &nothing)
    };
    // The same bytes to a function that does not look at them: an instance, and the way there.
    let payload = validate_payload(&request, &label_rule);
    let unread = |policy: &Policy| policy.call("protocol_version", &payload, nothing.clone());

    println!("A Pod of {object} bytes that passes, ratios to a policy that parses nothing:");
    println!(
        "host calls: {} for the label rule, {} declared, {} observed",
        calls(&label_rule)?,
        calls(&declared)?,
        calls(&observed)?,
    );
    let mut subjects = [
        Subject::new("a policy that parses nothing", || {
            evaluate(&floor, &label_rule, &nothing)
        }),
        Subject::new("label rule", || evaluate(&policy, &label_rule, &nothing)),
        Subject::new("mesh rule, declared", || {
            evaluate(&policy, &declared, &nothing)
        }),
        Subject::new("mesh rule, observed", || {
            evaluate(&policy, &observed, &nothing)
        }),
        Subject::new("an instance of the first", || unread(&floor)),
        Subject::new("an instance of the policy", || unread(&policy)),
    ];
    measure(&mut subjects, ROUNDS, TURNS);
    let [base, rule, _, _, small, large] = &subjects;
    for subject in &subjects[..4] {
        report(subject, base);
    }
    let dearer = rule.medians().differences(base.medians());
    let instance = large.medians().differences(small.medians());
    println!(
        "The label rule takes {} µs more: {} µs for the instance of a larger module, {} µs to read and to judge.",
        dearer.show(1),
        instance.show(1),
        dearer.differences(&instance).show(1),
    );
    let mut bounds = Bounds::default();
    let ratios = rule.medians().ratios(base.medians());
    bounds.hold("label rule", &ratios, Bound::AtMost(LABEL_RULE));

    println!(
        "The same Pod under the mesh rule, observed, by Dataplanes of its mesh in the Namespace:"
    );
    let clusters = [0, 100, 1000, 5000]
        .into_iter()
        .map(|dataplanes| {
            let name = format!("{dataplanes} Dataplanes");
            cluster(&namespace, mesh, dataplanes).map(|cluster| (name, cluster))
        })
        .collect::<Result<Vec<_>, _>>()?;
    let mut subjects: Vec<_> = clusters
        .iter()
        .map(|(name, cluster)| Subject::new(name, || evaluate(&policy, &observed, cluster)))
        .collect();
    measure(&mut subjects, ROUNDS, TURNS);
    for subject in &subjects {
        report(subject, &subjects[0]);
    }
    Ok(bounds.verdict()?)
}

/// Prints what a subject takes, and its ratio to another: the medians of the rounds, and their spread.
fn report(subject: &Subject<'_>, base: &Subject<'_>) {
    let (times, ratios): (&Series, Series) =
        (subject.medians(), subject.medians().ratios(base.medians()));
    println!(
        "  {:<34} {:>8.1} µs  {}",
        subject.name(),
        times.median(),
        ratios.show(2)
    );
}

/// A Namespace with so many Dataplanes of one mesh.
fn cluster(
    namespace: &str,
    mesh: &str,
    dataplanes: usize,
) -> Result<Arc<dyn Backend>, Box<dyn Error>> {
    let labels = json!({"kuma.io/mesh": mesh});
    let objects = [
        json!({"apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": namespace, "labels": labels}}),
        json!({"apiVersion": "kuma.io/v1alpha1", "kind": "Mesh", "metadata": {"name": mesh}}),
    ];
    let dataplanes = (0..dataplanes).map(|number| {
        json!({"apiVersion": "kuma.io/v1alpha1", "kind": "Dataplane", "mesh": mesh,
            "metadata": {"name": format!("web-{number}"), "namespace": namespace, "labels": labels}})
    });
    let cluster = Manifests::of(objects.into_iter().chain(dataplanes))?
        .with_kuma()
        .handled();
    Ok(Arc::new(cluster))
}

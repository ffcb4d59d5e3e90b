//! What the policy costs, hosted as policy-server does: a new instance for each request, from the
//! bytes of an AdmissionReview to its answer. Ratios are of medians, taken in turns in one run.

use std::{env, error::Error, path::PathBuf, sync::Arc};

use kuma_workload_benches::{Subject, measure, report};
use kuma_workload_host::{
    AdmissionRequest, Backend, Policy, Settings, callback::Grants, cluster::Manifests,
};
use serde_json::{Value, json};

const ROUNDS: usize = 3000;

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
    let calls = |settings: &Settings,
                 cluster: &Arc<dyn Backend>|
     -> Result<usize, Box<dyn Error>> { evaluate(&policy, settings, cluster) };

    println!("A Pod of {object} bytes that passes, ratios to a policy that parses nothing:");
    println!(
        "host calls: {} for the label rule, {} declared, {} observed",
        calls(&label_rule, &nothing)?,
        calls(&declared, &nothing)?,
        calls(&observed, &nothing)?,
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
    ];
    measure(&mut subjects, ROUNDS);
    report(&subjects);
    let own = subjects[1].median().saturating_sub(subjects[0].median());
    println!(
        "  the guest's own time for the label rule: {:.1} µs",
        own.as_secs_f64() * 1e6
    );

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
    measure(&mut subjects, ROUNDS);
    report(&subjects);
    Ok(())
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

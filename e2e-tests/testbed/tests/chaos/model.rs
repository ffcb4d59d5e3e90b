//! What the Workloads of a namespace should be: DOMAIN §7 and §8 in a few lines, from the live objects
//! alone. It shares no code with the reconciler.

use std::collections::{BTreeMap, BTreeSet};

use kuma_workload_testbed::space::MANAGER;
use serde_json::Value;

/// All objects of a namespace that matter, as the API server has them.
#[derive(Debug, Default)]
pub(crate) struct Live {
    pub(crate) dataplanes: Vec<Value>,
    pub(crate) insights: Vec<Value>,
    pub(crate) workloads: Vec<Value>,
}

/// The proxies of a workload in one mesh.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Numbers {
    connected: u64,
    healthy: u64,
    total: u64,
}

/// The workloads to which Dataplanes of more than one mesh refer, with the number of these meshes.
pub(crate) fn conflicts(live: &Live) -> BTreeMap<String, usize> {
    let references = references(live).into_iter();
    let meshes = references.map(|(workload, meshes)| (workload, meshes.len()));
    meshes.filter(|(_, meshes)| *meshes > 1).collect()
}

/// What is not as it should be.
pub(crate) fn faults(live: &Live) -> Vec<String> {
    let references = references(live);
    let existing: BTreeMap<_, _> = live.workloads.iter().map(|it| (name(it), it)).collect();
    let names = references
        .keys()
        .map(String::as_str)
        .chain(existing.keys().copied());
    let names: BTreeSet<_> = names.collect();
    let none = BTreeMap::new();
    let fault = |workload: &str| {
        let meshes = references.get(workload).unwrap_or(&none);
        let fault = fault(meshes, existing.get(workload).copied())?;
        Some(format!("{workload}: {fault}"))
    };
    names.into_iter().filter_map(fault).collect()
}

fn fault(meshes: &BTreeMap<String, Numbers>, existing: Option<&Value>) -> Option<String> {
    let Some(existing) = existing else {
        // L1, L7; L4.
        return (meshes.len() == 1).then(|| "is missing".to_owned());
    };
    let label = |key: &str| existing["metadata"]["labels"][key].as_str();
    let manager = label("kuma.io/managed-by");
    let is_ours = manager == Some(MANAGER);
    let mesh = label("kuma.io/mesh").unwrap_or_default();
    let is_local = label("kuma.io/origin").is_none_or(|origin| origin == "zone");
    if manager.is_some() && !is_ours || !is_local {
        // L3, L6, S4: it is another's, however it is.
        return None;
    }
    match meshes.first_key_value() {
        // L2, L3.
        None => is_ours.then(|| "is not needed".to_owned()),
        // L8: it is left as it is; S6: but its numbers are right.
        Some(_) if meshes.len() > 1 => is_ours.then(|| counted(meshes, mesh, existing)).flatten(),
        // L5.
        Some((only, _)) if !is_ours || only != mesh => Some(format!(
            "has labels {} in {only}",
            existing["metadata"]["labels"]
        )),
        Some((only, _)) => counted(meshes, only, existing),
    }
}

/// S1 to S3.
fn counted(meshes: &BTreeMap<String, Numbers>, mesh: &str, existing: &Value) -> Option<String> {
    let shown = &existing["status"]["dataplaneProxies"];
    let number = |key: &str| shown[key].as_u64().unwrap_or_default();
    let shown = Numbers {
        connected: number("connected"),
        healthy: number("healthy"),
        total: number("total"),
    };
    let right = meshes.get(mesh).cloned().unwrap_or_default();
    (shown != right).then(|| format!("shows {shown:?}, not {right:?}"))
}

/// The numbers of each workload in each mesh.
fn references(live: &Live) -> BTreeMap<String, BTreeMap<String, Numbers>> {
    let insights: BTreeMap<_, _> = live.insights.iter().map(|it| (name(it), it)).collect();
    let mut references = BTreeMap::<_, BTreeMap<_, Numbers>>::new();
    for dataplane in live.dataplanes.iter().filter(|it| is_local(it)) {
        let workload = &dataplane["metadata"]["annotations"]["kuma.io/workload"];
        let Some(workload) = workload.as_str().filter(|workload| !workload.is_empty()) else {
            continue;
        };
        let insight = insights.get(name(dataplane));
        let insight = insight.filter(|insight| mesh(insight) == mesh(dataplane));
        let is_connected = insight.is_some_and(|insight| is_connected(insight));
        let meshes = references.entry(workload.to_owned()).or_default();
        let numbers = meshes.entry(mesh(dataplane).to_owned()).or_default();
        numbers.total += 1;
        numbers.connected += u64::from(is_connected);
        numbers.healthy += u64::from(is_healthy(dataplane, is_connected));
    }
    references
}

fn name(object: &Value) -> &str {
    object["metadata"]["name"].as_str().unwrap_or_default()
}

fn mesh(object: &Value) -> &str {
    object["mesh"].as_str().unwrap_or("default")
}

/// Not a copy of a Dataplane elsewhere.
fn is_local(dataplane: &Value) -> bool {
    let metadata = &dataplane["metadata"];
    let home = metadata["labels"]["k8s.kuma.io/namespace"].as_str();
    home.is_none_or(|home| metadata["namespace"] == home)
}

fn is_connected(insight: &Value) -> bool {
    let subscriptions = insight["status"]["subscriptions"].as_array();
    subscriptions.into_iter().flatten().any(|subscription| {
        subscription["connectTime"].is_string() && !subscription["disconnectTime"].is_string()
    })
}

fn is_healthy(dataplane: &Value, is_connected: bool) -> bool {
    match dataplane["spec"]["networking"]["inbound"].as_array() {
        Some(inbounds) if !inbounds.is_empty() => inbounds.iter().any(|inbound| {
            let is_ready = inbound["state"]
                .as_str()
                .is_none_or(|state| state == "Ready");
            is_ready
                && inbound["health"]
                    .as_object()
                    .is_none_or(|it| it["ready"] == true)
        }),
        _ => is_connected,
    }
}

/// It finds what is wrong: otherwise nothing would be shown by its silence.
#[test]
fn faults_are_found() {
    use serde_json::json;

    let dataplane = |name: &str, mesh: &str, workload: &str| {
        json!({
            "metadata": {
                "name": name, "namespace": "shop", "annotations": {"kuma.io/workload": workload},
            },
            "mesh": mesh,
            "spec": {"networking": {"inbound": [{}]}},
        })
    };
    let workload = |name: &str, manager: &str, total: u64| {
        json!({
            "metadata": {
                "name": name,
                "labels": {"kuma.io/mesh": "default", "kuma.io/managed-by": manager},
            },
            "status": {"dataplaneProxies": {"healthy": total, "total": total}},
        })
    };
    let live = Live {
        dataplanes: vec![
            dataplane("a", "default", "missing"),
            dataplane("b", "default", "right"),
            dataplane("c", "default", "miscounted"),
            dataplane("d", "other", "labelled"),
            dataplane("e", "default", "helms"),
            dataplane("f", "default", "both"),
            dataplane("g", "other", "both"),
            dataplane("h", "default", "neither"),
            dataplane("i", "other", "neither"),
        ],
        insights: Vec::new(),
        workloads: vec![
            workload("right", MANAGER, 1),
            workload("miscounted", MANAGER, 2),
            workload("labelled", MANAGER, 1),
            workload("helms", "helm", 7),
            workload("both", MANAGER, 2),
            workload("unneeded", MANAGER, 0),
            workload("hers", "helm", 0),
        ],
    };
    let found = faults(&live);
    let names: Vec<_> = found
        .iter()
        .filter_map(|fault| fault.split(':').next())
        .collect();
    let expected = ["both", "labelled", "miscounted", "missing", "unneeded"];
    assert_eq!(names, expected, "{found:#?}");
    let both = ["both", "neither"].map(|name| (name.to_owned(), 2));
    assert_eq!(conflicts(&live), both.into());
}

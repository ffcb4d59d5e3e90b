//! A naive model of who is meshed (I1), written apart from the policy.

use serde_json::Value;

/// Why a Pod is meshed, by the letters of I1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Reasons {
    pub(crate) gateway: bool,
    pub(crate) injected: bool,
    pub(crate) sidecar: bool,
    pub(crate) selected: bool,
    pub(crate) names_mesh: bool,
}

pub(crate) fn is_meshed(pod: &Value, namespace: &Value) -> bool {
    reasons(pod, namespace) != Reasons::default()
}

/// The reasons (a) to (c), which no Namespace decides.
pub(crate) fn marks(pod: &Value) -> [bool; 3] {
    let Reasons {
        gateway,
        injected,
        sidecar,
        ..
    } = reasons(pod, &Value::Null);
    [gateway, injected, sidecar]
}

pub(crate) fn reasons(pod: &Value, namespace: &Value) -> Reasons {
    let word = |value: &Value| match value.as_str() {
        Some("enabled" | "true" | "yes") => Some(true),
        Some("disabled" | "false" | "no") => Some(false),
        _ => None,
    };
    let label = |key: &str| &pod["metadata"]["labels"][key];
    let annotation = |key: &str| &pod["metadata"]["annotations"][key];
    let own = label("kuma.io/sidecar-injection");
    let is_off = word(own) == Some(false);
    let is_exempt = [
        "openshift.io/build.name",
        "openshift.io/deployer-pod-for.name",
    ]
    .iter()
    .any(|key| !label(key).is_null());
    let of_namespace = &namespace["metadata"]["labels"]["kuma.io/sidecar-injection"];
    Reasons {
        gateway: annotation("kuma.io/gateway") == "builtin",
        injected: word(annotation("kuma.io/sidecar-injected")) == Some(true),
        sidecar: ["containers", "initContainers"].iter().any(|list| {
            let containers = pod["spec"][list].as_array().into_iter().flatten();
            containers
                .into_iter()
                .any(|one| one["name"] == "kuma-sidecar")
        }),
        selected: !is_exempt
            && match of_namespace.as_str() {
                None => false,
                Some("enabled" | "true") => !is_off,
                Some(_) => own == "enabled",
            },
        names_mesh: !is_off
            && label("kuma.io/mesh")
                .as_str()
                .is_some_and(|mesh| !mesh.is_empty()),
    }
}

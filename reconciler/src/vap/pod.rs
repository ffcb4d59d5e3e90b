//! The variables about a Pod or Pod template: whether it is in a mesh, in which, and whether the
//! request makes it join (M1, M2, I1, I3, A8).
//!
//! The Pod is the variable `pod` and, before the request, `oldPod`: an empty object on CREATE, so
//! that no expression can fail on it.

use kuma_workload_rulebook::{
    admission::Settings,
    keys::{self, Switch},
    mesh::MeshAnnotations,
};

use super::{
    cel::{all, any, list, text, value},
    mesh_name,
    variables::Variables,
};

/// `pod` and `oldPod`, where they are in an object.
///
/// An object is `dyn`: else the API server's type checker would ask for each field in each kind.
pub(super) fn pods(path: impl Fn(&str) -> String) -> Variables {
    let mut variables = Variables::default();
    variables.define("pod", path("dyn(object)")).define(
        "oldPod",
        format!(
            "request.operation == 'UPDATE' ? {} : {{}}",
            path("dyn(oldObject)")
        ),
    );
    variables
}

/// The labels and annotations of `pod` and `oldPod`.
pub(super) fn metadata() -> Variables {
    let mut variables = Variables::default();
    variables
        .define("labels", "variables.pod.?metadata.?labels.orValue({})")
        .define(
            "annotations",
            "variables.pod.?metadata.?annotations.orValue({})",
        );
    variables.and_of_old()
}

/// Whether the Pod is in a mesh, in which, and whether it joins one by this request.
pub(super) fn membership(settings: &Settings<'_>) -> Variables {
    let mut variables = namespace(settings.mesh_annotations);
    variables
        .append(of_one_pod(settings.mesh_annotations).and_of_old())
        .define(
            "gainsMark",
            any(&[
                "variables.isGateway && !variables.oldIsGateway",
                "variables.isInjected && !variables.oldIsInjected",
                "variables.hasSidecar && !variables.oldHasSidecar",
            ]),
        )
        .define("certainlyStays", certainly_stays())
        .define(
            "joins",
            any(&[
                "request.operation == 'CREATE'",
                "variables.gainsMark",
                "variables.isMeshed && !(variables.oldIsMeshed && variables.mesh == variables.oldMesh)",
            ]),
        );
    variables
}

/// Whether the request makes the Pod join no mesh, whatever its Namespace is.
fn certainly_stays() -> String {
    let enabled = text(keys::INJECTED_POD);
    // The old Pod was injected in every Namespace that would inject the new one.
    let was_injected = format!(
        "variables.mayBeInjected && variables.oldMayBeInjected &&\n\
         (variables.injection != {enabled} || variables.oldInjection == {enabled})"
    );
    format!(
        "request.operation == 'UPDATE' && !variables.gainsMark &&\n\
         (!variables.isProven && !variables.mayBeInjected ||\n\
         variables.namedMesh == variables.oldNamedMesh && (variables.oldIsProven ||\n{was_injected}))"
    )
}

/// What the Namespace says: whether it injects (I1 (d)), and its own mesh (M1, M2).
fn namespace(annotations: MeshAnnotations) -> Variables {
    let mut variables = Variables::default();
    variables
        .define(
            "namespaceLabels",
            "namespaceObject.metadata.?labels.orValue({})",
        )
        .define(
            "namespaceAnnotations",
            "namespaceObject.metadata.?annotations.orValue({})",
        )
        .define(
            "namespaceHasKey",
            format!(
                "{} in variables.namespaceLabels",
                text(keys::SIDECAR_INJECTION)
            ),
        )
        .define(
            "namespaceInjects",
            format!(
                "{} in {}",
                value("variables.namespaceLabels", keys::SIDECAR_INJECTION),
                list(keys::INJECTING_NAMESPACE)
            ),
        )
        .define(
            "namespaceLabelledMesh",
            value("variables.namespaceLabels", keys::MESH),
        )
        .define(
            "namespaceNamedMesh",
            mesh_name::named(
                "variables.namespaceLabelledMesh",
                "variables.namespaceAnnotations",
                annotations,
            ),
        )
        .define(
            "namespaceMesh",
            mesh_name::or_default("variables.namespaceNamedMesh"),
        );
    variables
}

/// What a Pod says by itself, whether it is in a mesh in its Namespace, and in which.
fn of_one_pod(annotations: MeshAnnotations) -> Variables {
    let has_sidecar = |containers: &str| {
        let name = text(keys::SIDECAR_CONTAINER);
        format!("variables.pod.?spec.?{containers}.orValue([]).exists(c, c.name == {name})")
    };
    let exceptions =
        keys::INJECTION_EXCEPTIONS.map(|label| format!("!({} in variables.labels)", text(label)));
    let mut may_be_injected = vec!["!variables.isProven", "!variables.isOff"];
    may_be_injected.extend(exceptions.iter().map(|exception| &**exception));
    let mut variables = Variables::default();
    variables
        .define(
            "isGateway",
            format!(
                "{} == {}",
                value("variables.annotations", keys::GATEWAY),
                text(keys::GATEWAY_BUILTIN)
            ),
        )
        .define(
            "isInjected",
            format!(
                "{} in {}",
                value("variables.annotations", keys::SIDECAR_INJECTED),
                list(Switch::ON)
            ),
        )
        .define(
            "hasSidecar",
            any(&[has_sidecar("containers"), has_sidecar("initContainers")]),
        )
        .define(
            "injection",
            value("variables.labels", keys::SIDECAR_INJECTION),
        )
        .define(
            "isOff",
            format!("variables.injection in {}", list(Switch::OFF)),
        );
    mesh_name::define_named(&mut variables, annotations)
        .define(
            "isProven",
            any(&[
                "variables.isGateway",
                "variables.isInjected",
                "variables.hasSidecar",
                "variables.labelledMesh != '' && !variables.isOff",
            ]),
        )
        .define("mayBeInjected", all(&may_be_injected))
        .define(
            "isMeshed",
            format!(
                "variables.isProven ||\nvariables.mayBeInjected && (variables.namespaceInjects ||\n  \
                 variables.namespaceHasKey && variables.injection == {})",
                text(keys::INJECTED_POD)
            ),
        )
        .define(
            "mesh",
            "variables.namedMesh != '' ? variables.namedMesh : variables.namespaceMesh",
        );
    variables
}

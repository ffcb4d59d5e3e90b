//! UPDATEs of Pods that no rule looks at (A4).

use kuma_workload_rulebook::admission::{KEPT_ANNOTATIONS, KEPT_LABELS};

use super::{
    cel::{all, any, list},
    variables::Variables,
};

/// `isSettled`: the request leaves labels, annotations and spec as they were; or the Pod is being
/// deleted, and all that decides about its mesh is as it was. (Nothing changes the names of a Pod's
/// containers: the API server itself refuses that, before any policy is asked.)
pub(super) fn settled() -> Variables {
    let same = |map: &str, old: &str, keys: &[&str]| {
        let keys = list(keys.iter().copied());
        format!("{keys}.all(key, variables.{map}[?key] == variables.{old}[?key])")
    };
    let mut variables = Variables::default();
    variables
        .define(
            "isUnchanged",
            all(&[
                "variables.labels == variables.oldLabels",
                "variables.annotations == variables.oldAnnotations",
                "variables.pod.?spec.orValue({}) == variables.oldPod.?spec.orValue({})",
            ]),
        )
        .define(
            "isLeaving",
            all(&[
                "has(object.metadata.deletionTimestamp)",
                &same("labels", "oldLabels", &KEPT_LABELS),
                &same("annotations", "oldAnnotations", &KEPT_ANNOTATIONS),
            ]),
        )
        .define(
            "isSettled",
            format!(
                "request.operation == 'UPDATE' && ({})",
                any(&["variables.isLeaving", "variables.isUnchanged"])
            ),
        );
    variables
}

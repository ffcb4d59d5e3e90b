//! The words by which it is known what nobody should see.

/// What a Secret holds. A ConfigMap has `data` too.
pub(super) const SECRET_DATA: [&str; 3] = ["data", "stringData", "binaryData"];

/// Environment variables, as a list or as a map.
pub(super) const VARIABLES: [&str; 4] = ["env", "envVars", "extraEnv", "extraEnvVars"];

/// What is hidden wherever it stands: what only a Secret has, the data sources of Kuma that hold the data itself,
/// the copy of the whole object that kubectl keeps, and the environment variables of the sidecar.
pub(super) const HIDDEN: [&str; 6] = [
    "stringData",
    "inline",
    "inlineString",
    "insecureInline",
    "kubectl.kubernetes.io/last-applied-configuration",
    "kuma.io/sidecar-env-vars",
];

/// What of those is an annotation.
pub(super) const HIDDEN_ANNOTATIONS: [&str; 2] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    "kuma.io/sidecar-env-vars",
];

/// What the secretGenerator of kustomize holds.
pub(super) const GENERATED: [&str; 2] = ["literals", "literal"];

/// Where keys are names that somebody has chosen: they say nothing.
pub(super) const NAMES: [&str; 7] = [
    "labels",
    "annotations",
    "matchLabels",
    "nodeSelector",
    "selector",
    "tags",
    "topology",
];

/// What a Secret has beside its data. All else in it may be its data with a slip of the pen in the key.
pub(super) const BESIDE_DATA: [&str; 11] = [
    "apiVersion",
    "kind",
    "type",
    "metadata",
    "name",
    "mesh",
    "immutable",
    "labels",
    "creationTime",
    "modificationTime",
    "<<",
];

/// What the metadata of an object has.
pub(super) const OF_METADATA: [&str; 6] = [
    "namespace",
    "annotations",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
];

/// Whether a key is one of these. A slip of the pen, such as capital letters or a second colon, changes nothing.
pub(super) fn is_one(key: &str, words: &[&str]) -> bool {
    let bare = key.trim_matches(|one: char| !one.is_alphanumeric());
    let mut words = words.iter();
    words.any(|word| bare.eq_ignore_ascii_case(word))
}

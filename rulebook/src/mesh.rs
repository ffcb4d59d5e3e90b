//! Which mesh a Pod is in (M1 to M4).

use crate::{keys, metadata::Metadata};

/// The mesh of a Pod if nothing names one (M1).
pub const DEFAULT: &str = "default";

/// Where the name of a mesh was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MeshSource {
    /// Label `kuma.io/mesh` of the Pod.
    PodLabel,
    /// Annotation `kuma.io/mesh` of the Pod (M2).
    PodAnnotation,
    /// Label `kuma.io/mesh` of the Namespace.
    NamespaceLabel,
    /// Annotation `kuma.io/mesh` of the Namespace (M2).
    NamespaceAnnotation,
    /// Nothing names a mesh.
    Default,
}

/// A mesh's name and where it was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResolvedMesh<'a> {
    /// The name, as it was found.
    pub name: &'a str,
    /// Where it was found.
    pub source: MeshSource,
}

impl ResolvedMesh<'_> {
    /// Whether the Pod itself names it.
    pub fn is_named_by_pod(&self) -> bool {
        matches!(
            self.source,
            MeshSource::PodLabel | MeshSource::PodAnnotation
        )
    }
}

/// Whether annotations can name a mesh, as in Kuma before version 3 (M2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MeshAnnotations {
    /// Kuma 2: an annotation counts if the label is unset.
    Read,
    /// Kuma 3: only labels count.
    Ignored,
}

/// The mesh that a Pod itself names (M1, M2).
pub fn named_by_pod<'a>(
    pod: &'a Metadata<'_>,
    annotations: MeshAnnotations,
) -> Option<ResolvedMesh<'a>> {
    named_by(
        pod,
        annotations,
        [MeshSource::PodLabel, MeshSource::PodAnnotation],
    )
}

/// The mesh of a Namespace, which is the mesh of its Pods that name none (M1, M2).
pub fn of_namespace<'a>(
    namespace: &'a Metadata<'_>,
    annotations: MeshAnnotations,
) -> ResolvedMesh<'a> {
    named_by(
        namespace,
        annotations,
        [MeshSource::NamespaceLabel, MeshSource::NamespaceAnnotation],
    )
    .unwrap_or(ResolvedMesh {
        name: DEFAULT,
        source: MeshSource::Default,
    })
}

/// The mesh of a Pod that is in one: the one that it names itself, or that of its Namespace (M1, M2).
pub fn of_pod<'a>(
    pod: &'a Metadata<'_>,
    namespace: &'a Metadata<'_>,
    annotations: MeshAnnotations,
) -> ResolvedMesh<'a> {
    named_by_pod(pod, annotations).unwrap_or_else(|| of_namespace(namespace, annotations))
}

fn named_by<'a>(
    metadata: &'a Metadata<'_>,
    annotations: MeshAnnotations,
    [label, annotation]: [MeshSource; 2],
) -> Option<ResolvedMesh<'a>> {
    let found = |name, source| ResolvedMesh { name, source };
    metadata
        .labels
        .get_non_empty(keys::MESH)
        .map(|name| found(name, label))
        .or_else(|| match annotations {
            MeshAnnotations::Read => metadata
                .annotations
                .get_non_empty(keys::MESH)
                .map(|name| found(name, annotation)),
            MeshAnnotations::Ignored => None,
        })
}

/// The mesh of a Dataplane, by its top-level field; an absent or empty field means [`DEFAULT`]
/// (A6).
pub fn of_dataplane(field: Option<&str>) -> &str {
    field.filter(|mesh| !mesh.is_empty()).unwrap_or(DEFAULT)
}

/// Whether a mesh can have this name: a legal label value of 1 to 63 lower-case letters, digits,
/// `.`, `_` and `-` that begins and ends with a letter or digit (M4).
pub fn is_possible_name(name: &str) -> bool {
    let alphanumeric = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = name.as_bytes();
    bytes.len() <= 63
        && bytes.first().is_some_and(alphanumeric)
        && bytes.last().is_some_and(alphanumeric)
        && bytes
            .iter()
            .all(|byte| alphanumeric(byte) || matches!(byte, b'.' | b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn metadata<'a>(label: Option<&'a str>, annotation: Option<&'a str>) -> Metadata<'a> {
        let entry = |value: Option<&'a str>| value.map(|v| (keys::MESH, v)).into_iter().collect();
        Metadata {
            labels: entry(label),
            annotations: entry(annotation),
        }
    }

    fn resolve<'a>(
        pod: &'a Metadata<'_>,
        namespace: &'a Metadata<'_>,
        annotations: MeshAnnotations,
    ) -> (&'a str, MeshSource) {
        let mesh = of_pod(pod, namespace, annotations);
        (mesh.name, mesh.source)
    }

    #[rstest]
    #[case::pod_label(Some("a"), Some("b"), "a", MeshSource::PodLabel)]
    #[case::namespace_label(None, Some("b"), "b", MeshSource::NamespaceLabel)]
    #[case::default_mesh(None, None, "default", MeshSource::Default)]
    #[case::empty_is_unset(Some(""), Some("b"), "b", MeshSource::NamespaceLabel)]
    #[case::both_empty(Some(""), Some(""), "default", MeshSource::Default)]
    fn m1_first_non_empty_label_wins(
        #[case] pod: Option<&str>,
        #[case] namespace: Option<&str>,
        #[case] name: &str,
        #[case] source: MeshSource,
        #[values(MeshAnnotations::Read, MeshAnnotations::Ignored)] annotations: MeshAnnotations,
    ) {
        let (pod, namespace) = (metadata(pod, None), metadata(namespace, None));
        assert_eq!(resolve(&pod, &namespace, annotations), (name, source));
    }

    #[rstest]
    #[case::label_before_annotation(
        (Some("a"), Some("b")), (None, None), ("a", MeshSource::PodLabel), ("a", MeshSource::PodLabel))]
    #[case::pod_annotation_before_namespace(
        (None, Some("b")), (Some("c"), None),
        ("b", MeshSource::PodAnnotation), ("c", MeshSource::NamespaceLabel))]
    #[case::empty_label_falls_to_annotation(
        (Some(""), Some("b")), (None, None),
        ("b", MeshSource::PodAnnotation), ("default", MeshSource::Default))]
    #[case::namespace_annotation_last(
        (None, None), (None, Some("d")),
        ("d", MeshSource::NamespaceAnnotation), ("default", MeshSource::Default))]
    fn m2_annotations_count_up_to_kuma_2(
        #[case] pod: (Option<&str>, Option<&str>),
        #[case] namespace: (Option<&str>, Option<&str>),
        #[case] read: (&str, MeshSource),
        #[case] ignored: (&str, MeshSource),
    ) {
        let (pod, namespace) = (metadata(pod.0, pod.1), metadata(namespace.0, namespace.1));
        assert_eq!(resolve(&pod, &namespace, MeshAnnotations::Read), read);
        assert_eq!(resolve(&pod, &namespace, MeshAnnotations::Ignored), ignored);
    }

    #[test]
    fn m3_the_label_that_the_injector_pins_decides() {
        let (pod, namespace) = (
            metadata(Some("pinned"), None),
            metadata(Some("moved"), None),
        );
        assert_eq!(
            resolve(&pod, &namespace, MeshAnnotations::Read),
            ("pinned", MeshSource::PodLabel)
        );
    }

    #[rstest]
    #[case::short("a", true)]
    #[case::old_name_with_underscore("my_mesh.v-2", true)]
    #[case::longest(&"a".repeat(63), true)]
    #[case::too_long(&"a".repeat(64), false)]
    #[case::empty("", false)]
    #[case::upper_case("Mesh", false)]
    #[case::space("my mesh", false)]
    #[case::leading_dash("-a", false)]
    #[case::trailing_dot("a.", false)]
    #[case::not_ascii("mäsh", false)]
    #[case::selector_syntax("a,b!=c", false)]
    fn m4_possible_names(#[case] name: &str, #[case] possible: bool) {
        assert_eq!(is_possible_name(name), possible);
    }

    #[rstest]
    #[case::absent(None, "default")]
    #[case::empty(Some(""), "default")]
    #[case::named(Some("mesh2"), "mesh2")]
    fn a6_the_field_of_a_dataplane_decides(#[case] field: Option<&str>, #[case] mesh: &str) {
        assert_eq!(of_dataplane(field), mesh);
    }
}

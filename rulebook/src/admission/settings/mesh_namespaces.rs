//! The setting `meshNamespaces`: which Namespaces may be in which mesh (A20).

use super::names::{is_namespace, stands_for};
use crate::metadata::Text;

/// Which Namespaces may be in which mesh. A mesh that is not in it is open to all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MeshNamespaces<'a>(pub(super) Vec<(Text<'a>, Vec<Text<'a>>)>);

impl MeshNamespaces<'_> {
    /// Whether every mesh is open to all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each mesh, with the patterns of the Namespaces that may be in it.
    pub fn iter(&self) -> impl Iterator<Item = (&str, impl Iterator<Item = &str>)> {
        let meshes = self.0.iter();
        meshes.map(|(mesh, patterns)| (&**mesh, patterns.iter().map(|pattern| &**pattern)))
    }

    /// The patterns of the Namespaces that may be in this mesh, in order, if the Namespace is not
    /// among them: the mesh is closed to it.
    pub fn closed_to<'s>(&'s self, mesh: &str, namespace: &str) -> Option<&'s [Text<'s>]> {
        let (_, patterns) = self.0.iter().find(|(name, _)| **name == *mesh)?;
        (!is_open(patterns, namespace)).then_some(patterns)
    }

    /// Whether some mesh is closed to the Namespace; if only one mesh matters, whether that one is.
    pub fn may_close(&self, mesh: Option<&str>, namespace: &str) -> bool {
        self.0.iter().any(|(name, patterns)| {
            mesh.is_none_or(|mesh| *mesh == **name) && !is_open(patterns, namespace)
        })
    }
}

/// Whether a mesh for these patterns is open to the Namespace.
fn is_open(patterns: &[Text<'_>], namespace: &str) -> bool {
    patterns
        .iter()
        .any(|pattern| stands_for(pattern, namespace))
}

/// What is wrong with a pattern: it must be a Namespace's name, or the beginning of one with a `*`
/// at its end.
pub(super) fn pattern_fault(pattern: &str) -> Option<&'static str> {
    match pattern.strip_suffix('*') {
        Some("") => {
            Some("must not stand for every Namespace; leave out a mesh that is open to all")
        }
        // A legal beginning becomes a legal name by one more letter, unless it is as long as a name
        // can be.
        Some(beginning) if is_namespace(beginning) || is_namespace(&format!("{beginning}a")) => {
            None
        }
        None if is_namespace(pattern) => None,
        _ => Some("must be a Namespace's name, or the beginning of one with a \"*\" at its end"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::name("payments", true)]
    #[case::beginning("payments-*", true)]
    #[case::one_letter("p*", true)]
    #[case::longest(&"a".repeat(63), true)]
    #[case::longest_beginning(&format!("{}*", "a".repeat(63)), true)]
    #[case::too_long(&"a".repeat(64), false)]
    #[case::beginning_too_long(&format!("{}*", "a".repeat(64)), false)]
    #[case::empty("", false)]
    #[case::bare_star("*", false)]
    #[case::two_stars("p**", false)]
    #[case::star_first("*p", false)]
    #[case::star_in_the_middle("p*s", false)]
    #[case::stars_around("*p*", false)]
    #[case::upper_case("Payments", false)]
    #[case::beginning_with_a_dash("-*", false)]
    #[case::dot("a.b*", false)]
    #[case::white_space("payments ", false)]
    #[case::question_mark("payment?", false)]
    #[case::not_ascii("zahlungsmäßig", false)]
    fn a20_what_a_pattern_may_be(#[case] pattern: &str, #[case] possible: bool) {
        assert_eq!(pattern_fault(pattern).is_none(), possible);
    }

    #[rstest]
    #[case::by_name("payments", "payments", false)]
    #[case::by_its_beginning("payments", "payments-eu", false)]
    #[case::the_beginning_itself("payments", "payments-", false)]
    #[case::another("payments", "team-c", true)]
    #[case::a_longer_name("payments", "payments2", true)]
    #[case::an_open_mesh("default", "team-c", false)]
    #[case::another_case("Payments", "team-c", false)]
    #[case::closed_to_all("closed", "payments", true)]
    fn a20_to_whom_a_mesh_is_closed(
        #[case] mesh: &str,
        #[case] namespace: &str,
        #[case] closed: bool,
    ) {
        let meshes = MeshNamespaces(vec![
            (
                "payments".into(),
                vec!["payments".into(), "payments-*".into()],
            ),
            ("closed".into(), vec![]),
        ]);
        assert_eq!(meshes.closed_to(mesh, namespace).is_some(), closed);
    }
}

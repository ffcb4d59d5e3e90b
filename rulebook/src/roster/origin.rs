//! Which Dataplanes belong to this cluster, and which are copies from other zones.
//!
//! The namespace of a Global control plane contains copies of the Dataplanes of every zone. They
//! make no Workload there.

use crate::keys;

/// What a Dataplane on Kubernetes says about where it comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Origin<'a> {
    /// Whether its ownerReferences name a Pod as its controller. Kuma writes this on each Dataplane
    /// that it makes from a Pod; a copy does not have it.
    pub owned_by_pod: bool,
    /// Its label [`keys::HOME_NAMESPACE`].
    pub home_namespace: Option<&'a str>,
    /// Its label [`keys::ENVIRONMENT`].
    pub environment: Option<&'a str>,
    /// Its label and its annotation [`keys::DISPLAY_NAME`].
    pub display_names: [Option<&'a str>; 2],
}

impl Origin<'_> {
    /// Whether a Dataplane with this namespace and name belongs to this cluster (section 7).
    ///
    /// The labels decide only if no Pod owns it. Kuma copies the labels of a Pod to its Dataplane,
    /// so otherwise the owner of a Pod could hide its proxy with them.
    pub fn is_local(&self, namespace: &str, name: &str) -> bool {
        self.owned_by_pod
            || is_at_home(self.home_namespace, namespace)
                && self.environment != Some(keys::ENVIRONMENT_UNIVERSAL)
                && (self.display_names.into_iter().flatten())
                    .all(|display| display.is_empty() || display == name)
    }

    /// The same of a Workload, with its label [`keys::ORIGIN`] (S4). Where a Global control plane has
    /// it from a zone, that label says `zone` as well; the others show that it is a copy.
    pub fn is_local_workload(&self, origin: Option<&str>, namespace: &str, name: &str) -> bool {
        origin.is_none_or(|origin| origin == keys::ORIGIN_ZONE) && self.is_local(namespace, name)
    }
}

/// Whether a resource in this namespace comes from there, by its label
/// [`keys::HOME_NAMESPACE`].
fn is_at_home(home_namespace: Option<&str>, namespace: &str) -> bool {
    home_namespace.is_none_or(|home| home.is_empty() || home == namespace)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const COPY: Origin<'_> = Origin {
        owned_by_pod: false,
        home_namespace: Some("elsewhere"),
        environment: Some("universal"),
        display_names: [Some("web"), None],
    };

    #[rstest]
    #[case::nothing_is_said(Origin::default(), true)]
    #[case::of_a_pod(Origin { owned_by_pod: true, ..COPY }, true)]
    #[case::at_home(Origin { home_namespace: Some("team"), ..Origin::default() }, true)]
    #[case::empty(Origin { home_namespace: Some(""), ..Origin::default() }, true)]
    #[case::of_another_namespace(Origin { home_namespace: Some("other"), ..Origin::default() }, false)]
    #[case::of_kubernetes(Origin { environment: Some("kubernetes"), ..Origin::default() }, true)]
    #[case::of_a_universal_zone(Origin { environment: Some("universal"), ..Origin::default() }, false)]
    #[case::its_own_name(Origin { display_names: [Some("web-0"), None], ..Origin::default() }, true)]
    #[case::label_of_another_name(Origin { display_names: [Some("web"), None], ..Origin::default() }, false)]
    #[case::annotation_of_another_name(Origin { display_names: [None, Some("web")], ..Origin::default() }, false)]
    #[case::copy_in_a_namespace_of_the_same_name(
        Origin { home_namespace: Some("team"), display_names: [Some("web"), None], ..COPY }, false)]
    fn l1_which_dataplanes_are_local(#[case] origin: Origin<'_>, #[case] local: bool) {
        assert_eq!(origin.is_local("team", "web-0"), local);
    }

    #[rstest]
    #[case::nothing_is_said(None, Origin::default(), true)]
    #[case::of_this_zone(Some("zone"), Origin { home_namespace: Some("team"), display_names: [Some("web-0"), None], ..Origin::default() }, true)]
    #[case::of_global(Some("global"), Origin::default(), false)]
    #[case::of_a_zone_on_kubernetes(Some("zone"), Origin { home_namespace: Some("other"), ..Origin::default() }, false)]
    #[case::of_a_zone_on_universal(Some("zone"), Origin { environment: Some("universal"), ..Origin::default() }, false)]
    #[case::under_another_name(Some("zone"), Origin { home_namespace: Some("team"), display_names: [None, Some("web")], ..Origin::default() }, false)]
    fn s4_which_workloads_are_local(
        #[case] label: Option<&str>,
        #[case] origin: Origin<'_>,
        #[case] local: bool,
    ) {
        assert_eq!(origin.is_local_workload(label, "team", "web-0"), local);
    }
}

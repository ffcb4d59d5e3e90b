//! Which Dataplanes are at home where they are (DOMAIN section 7, "local").
//!
//! The namespace of a Global control plane holds copies of the Dataplanes of every zone. No Workload
//! is made for them.

/// What tells where a Dataplane of Kubernetes comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Origin<'a> {
    /// Whether a Pod is its controller, by its ownerReferences. Kuma writes one on each Dataplane
    /// that it makes of a Pod; a copy has none.
    pub owned_by_pod: bool,
    /// Its label [`keys::HOME_NAMESPACE`](crate::keys::HOME_NAMESPACE).
    pub home_namespace: Option<&'a str>,
    /// Its label [`keys::ENVIRONMENT`](crate::keys::ENVIRONMENT).
    pub environment: Option<&'a str>,
    /// The values of [`keys::DISPLAY_NAME`](crate::keys::DISPLAY_NAME): of the label, and of the
    /// annotation.
    pub display_names: [Option<&'a str>; 2],
}

impl Origin<'_> {
    /// Whether a Dataplane of this namespace and name is no copy from elsewhere.
    ///
    /// The labels decide only where no Pod owns it: Kuma copies the labels of Pods onto Dataplanes,
    /// so that whoever owns a Pod could hide its proxy by them.
    pub fn is_local(&self, namespace: &str, name: &str) -> bool {
        self.owned_by_pod
            || is_at_home(self.home_namespace, namespace)
                && self.environment != Some(crate::universal::ENVIRONMENT_UNIVERSAL)
                && (self.display_names.into_iter().flatten())
                    .all(|display| display.is_empty() || display == name)
    }
}

/// Whether a resource of this namespace, with this value of
/// [`keys::HOME_NAMESPACE`](crate::keys::HOME_NAMESPACE), is at home there.
pub(super) fn is_at_home(home_namespace: Option<&str>, namespace: &str) -> bool {
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
    fn which_dataplanes_are_local(#[case] origin: Origin<'_>, #[case] local: bool) {
        assert_eq!(origin.is_local("team", "web-0"), local);
    }
}

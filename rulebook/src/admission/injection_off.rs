//! A Namespace that stops to inject while proxies are in it is warned of (A21).

use super::{
    cluster::{Cluster, ClusterFailure, ListQuestion, MeshSelector},
    namespace_change::NamespaceChange,
    request::Operation,
    settings::Settings,
    verdict::{Objection, Rule},
};
use crate::{keys, membership, quoted::Quoted};

/// The warning, if an UPDATE takes the label away or turns it off while Dataplanes are in the
/// Namespace. Only such an UPDATE lists them.
pub(super) fn warning<C: Cluster>(
    change: NamespaceChange<'_>,
    settings: &Settings<'_>,
    cluster: &C,
) -> Option<Objection> {
    let NamespaceChange { name, new, old, .. } = change;
    let old = old.filter(|_| settings.mesh_rule && change.operation == Operation::Update)?;
    let key = keys::SIDECAR_INJECTION;
    let is_taken_away = old.labels.contains(key) && !new.labels.contains(key);
    let is_turned_off = membership::injects(old) && !membership::injects(new);
    if !is_taken_away && !is_turned_off {
        return None;
    }
    let question = ListQuestion {
        namespace: name,
        selector: MeshSelector::Any,
    };
    let still = match cluster.dataplanes(question) {
        Ok(dataplanes) if dataplanes.is_empty() => return None,
        Ok(_) => "still has",
        Err(ClusterFailure::KumaNotInstalled) => return None,
        Err(_) => "may still have",
    };
    let (how, strays) = if is_taken_away {
        (
            "loses the label",
            ", and of the policies for Pods only strays still selects the namespace",
        )
    } else {
        ("no longer injects by the label", "")
    };
    Some(Objection::new(
        Rule::InjectionOff,
        format!(
            "namespace {} {how} {key} and {still} dataplanes: new Pods are not injected, and the \
             MeshServices of Services that name no mesh are deleted{strays}",
            Quoted(name),
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admission::test_support::*;
    use rstest::rstest;

    const LABEL: &str = keys::SIDECAR_INJECTION;
    const TAKEN_AWAY: &str = "namespace \"team\" loses the label kuma.io/sidecar-injection and \
        still has dataplanes: new Pods are not injected, and the MeshServices of Services that \
        name no mesh are deleted, and of the policies for Pods only strays still selects the \
        namespace";
    const TURNED_OFF: &str = "namespace \"team\" no longer injects by the label \
        kuma.io/sidecar-injection and still has dataplanes: new Pods are not injected, and the \
        MeshServices of Services that name no mesh are deleted";

    /// A Namespace whose label has this value.
    fn labels(value: Option<&'static str>) -> Vec<(&'static str, &'static str)> {
        value.map(|value| (LABEL, value)).into_iter().collect()
    }

    fn update(old: Option<&'static str>, new: Option<&'static str>) -> NamespaceRequest {
        NamespaceRequest::new(&labels(new)).was(&labels(old))
    }

    #[rstest]
    #[case::taken_away(Some("enabled"), None, Some(TAKEN_AWAY))]
    #[case::taken_away_while_off(Some("disabled"), None, Some(TAKEN_AWAY))]
    #[case::turned_off(Some("true"), Some("disabled"), Some(TURNED_OFF))]
    #[case::a_word_that_no_webhook_selects(Some("enabled"), Some("yes"), Some(TURNED_OFF))]
    #[case::another_word_for_on(Some("enabled"), Some("true"), None)]
    #[case::off_before(Some("disabled"), Some("false"), None)]
    #[case::turned_on(Some("disabled"), Some("enabled"), None)]
    #[case::never_there(None, None, None)]
    fn a21_injection_that_ends_is_warned_of(
        #[case] old: Option<&'static str>,
        #[case] new: Option<&'static str>,
        #[case] warned: Option<&str>,
    ) {
        let cluster = FakeCluster::new(&[]).dataplane("a", Some("default"), Some("default"));
        let verdict = update(old, new).judge(&cluster);
        assert_eq!(message(&verdict), None);
        let told: Vec<_> = warnings(&verdict)
            .into_iter()
            .filter(|warning| warning.starts_with("namespace "))
            .collect();
        assert_eq!(told, warned.into_iter().collect::<Vec<_>>());
        let lists = usize::from(warned.is_some());
        assert_eq!((cluster.questions(), cluster.lists()), (lists, lists));
    }

    #[rstest]
    #[case::rule_off(update(Some("enabled"), None).settings("{}"))]
    #[case::a_system_namespace(update(Some("enabled"), None).named("kuma-system"))]
    #[case::on_its_way_out(update(Some("enabled"), None).terminating())]
    #[case::without_the_old_object(NamespaceRequest::new(&[]).updated().settings(
        r#"{"disallowMultipleMeshesPerNamespace":true,"action":"warn"}"#))]
    fn a21_is_silent(#[case] request: NamespaceRequest) {
        let told = request.judge(&FakeCluster::new(&[]));
        assert_eq!(warnings(&told), Vec::<&str>::new());
    }

    #[test]
    fn a21_an_empty_namespace_is_no_matter() {
        let cluster = FakeCluster::new(&[]);
        let verdict = update(Some("enabled"), None).judge(&cluster);
        assert_eq!((warnings(&verdict).len(), cluster.lists()), (0, 1));
    }

    #[rstest]
    #[case::failed(ClusterFailure::Unavailable("dataplanes.kuma.io"), 1)]
    #[case::forbidden(ClusterFailure::NotGranted("x".into()), 1)]
    #[case::kuma_not_installed(ClusterFailure::KumaNotInstalled, 0)]
    fn a21_without_an_answer_it_says_may(#[case] failure: ClusterFailure, #[case] warned: usize) {
        let verdict = update(Some("enabled"), Some("no")).judge(&FakeCluster::failing(failure));
        let warnings = warnings(&verdict);
        assert_eq!((message(&verdict), warnings.len()), (None, warned));
        assert!(
            warnings
                .iter()
                .all(|warning| warning.contains(" and may still have dataplanes"))
        );
    }
}

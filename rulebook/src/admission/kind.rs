//! The kinds that admission judges. [`TEMPLATE_KINDS`] is the only list of kinds with a Pod
//! template.

/// A kind that admission judges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JudgedKind {
    /// `v1` Pod.
    Pod,
    /// A kind with a Pod template.
    Template(&'static TemplateKind),
    /// `v1` Namespace.
    Namespace,
    /// `kuma.io/v1alpha1` Workload.
    Workload,
}

/// A kind whose objects contain a Pod template (A2).
#[derive(Debug, PartialEq, Eq)]
pub struct TemplateKind {
    /// The `apiVersion` of its objects, such as `apps/v1`.
    pub api_version: &'static str,
    /// The `kind` of its objects, such as `Deployment`.
    pub name: &'static str,
    /// The name of the resource, such as `deployments`.
    pub plural: &'static str,
    /// The path of the Pod template in an object, such as `spec.template`.
    pub template_path: &'static str,
    /// The kind of the same API group whose controller makes such objects from its own template,
    /// which was judged already (A2).
    pub made_by: Option<&'static str>,
}

/// Every kind whose Pod template is judged (A2). To judge another kind, add a line here.
#[rustfmt::skip]
pub static TEMPLATE_KINDS: &[TemplateKind] = &[
    kind("apps/v1", "Deployment", "deployments", "spec.template", None),
    kind("apps/v1", "ReplicaSet", "replicasets", "spec.template", Some("Deployment")),
    kind("apps/v1", "StatefulSet", "statefulsets", "spec.template", None),
    kind("apps/v1", "DaemonSet", "daemonsets", "spec.template", None),
    kind("v1", "ReplicationController", "replicationcontrollers", "spec.template", None),
    kind("batch/v1", "Job", "jobs", "spec.template", Some("CronJob")),
    kind("batch/v1", "CronJob", "cronjobs", "spec.jobTemplate.spec.template", None),
];

const fn kind(
    api_version: &'static str,
    name: &'static str,
    plural: &'static str,
    template_path: &'static str,
    made_by: Option<&'static str>,
) -> TemplateKind {
    TemplateKind {
        api_version,
        name,
        plural,
        template_path,
        made_by,
    }
}

impl TemplateKind {
    /// The kind with this API group and name, in whatever version, if its template is judged.
    pub fn of(group: &str, name: &str) -> Option<&'static Self> {
        TEMPLATE_KINDS
            .iter()
            .find(|kind| kind.name == name && kind.group() == group)
    }

    /// The kind with this `apiVersion` and name, if its template is judged.
    pub fn of_object(api_version: &str, name: &str) -> Option<&'static Self> {
        Self::of(group_of(api_version), name)
    }

    /// Whether controllers of this other kind make such objects (A2). Any other owner is somebody's
    /// claim: nothing says that its template was judged.
    pub fn is_made_by(&self, maker: &Self) -> bool {
        self.made_by == Some(maker.name) && self.group() == maker.group()
    }

    /// The API group; empty for the core group.
    pub fn group(&self) -> &'static str {
        group_of(self.api_version)
    }

    /// The path of the template's labels in an object (A2).
    pub fn labels_path(&self) -> String {
        format!("{}.metadata.labels", self.template_path)
    }
}

/// The API group of an `apiVersion`; empty for the core group.
fn group_of(api_version: &str) -> &str {
    api_version.split_once('/').map_or("", |(group, _)| group)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn a2_every_kind_of_the_table_is_found_by_group_and_name() {
        for kind in TEMPLATE_KINDS {
            assert_eq!(TemplateKind::of(kind.group(), kind.name), Some(kind));
            assert_eq!(TemplateKind::of("example.com", kind.name), None);
        }
    }

    #[test]
    fn a2_only_two_kinds_are_made_by_kinds_that_were_judged() {
        let pairs: Vec<_> = TEMPLATE_KINDS
            .iter()
            .flat_map(|maker| TEMPLATE_KINDS.iter().map(move |made| (maker, made)))
            .filter(|(maker, made)| made.is_made_by(maker))
            .map(|(maker, made)| (maker.name, made.name))
            .collect();
        assert_eq!(pairs, [("Deployment", "ReplicaSet"), ("CronJob", "Job")]);
    }

    #[rstest]
    #[case::deployment("apps", "Deployment", "spec.template.metadata.labels")]
    #[case::cron_job("batch", "CronJob", "spec.jobTemplate.spec.template.metadata.labels")]
    fn a2_where_the_labels_of_a_template_are(
        #[case] group: &str,
        #[case] name: &str,
        #[case] path: &str,
    ) {
        assert_eq!(TemplateKind::of(group, name).unwrap().labels_path(), path);
    }

    #[rstest]
    #[case::core("v1", "ReplicationController", true)]
    #[case::named_group("apps/v1", "ReplicaSet", true)]
    #[case::another_version("apps/v1beta1", "ReplicaSet", true)]
    #[case::another_group("v1", "ReplicaSet", false)]
    fn a2_the_kind_of_an_object(
        #[case] api_version: &str,
        #[case] name: &str,
        #[case] is_judged: bool,
    ) {
        let kind = TemplateKind::of_object(api_version, name);
        assert_eq!(kind.map(|kind| kind.name), is_judged.then_some(name));
    }
}

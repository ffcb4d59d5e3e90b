//! An admission request as the rules see it, and which requests they judge (A0, A14).

use super::kind::{JudgedKind, TemplateKind};
use crate::metadata::{Metadata, PodFacts, Text};

/// An operation that is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// `CREATE`.
    Create,
    /// `UPDATE`.
    Update,
    /// `DELETE`, of Workloads only (P1).
    Delete,
}

/// The kind and operation of a request that is judged. For any other request it returns nothing:
/// such a request is accepted without being read further (A0, A14).
pub fn scope(
    group: &str,
    kind: &str,
    operation: &str,
    sub_resource: &str,
) -> Option<(JudgedKind, Operation)> {
    let kind = match (group, kind) {
        ("", "Pod") => JudgedKind::Pod,
        ("", "Namespace") => JudgedKind::Namespace,
        ("kuma.io", "Workload") => JudgedKind::Workload,
        _ => JudgedKind::Template(TemplateKind::of(group, kind)?),
    };
    let is_workload = matches!(kind, JudgedKind::Workload);
    let operation = match operation {
        "CREATE" => Operation::Create,
        "UPDATE" => Operation::Update,
        "DELETE" if is_workload => Operation::Delete,
        _ => return None,
    };
    let is_judged = match sub_resource {
        "" => true,
        "status" => is_workload && operation == Operation::Update,
        _ => false,
    };
    is_judged.then_some((kind, operation))
}

/// An admission request that is in [`scope`].
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// What is done to the object.
    pub operation: Operation,
    /// The Namespace of the object; empty if the object is itself a Namespace.
    pub namespace: Text<'a>,
    /// The user who makes the request; absent in an audit (A15).
    pub user: Option<RequestUser<'a>>,
    /// Whether an UPDATE changes nothing that the rules for this kind look at (A4, P2).
    pub unchanged: bool,
    /// The object.
    pub object: RequestObject<'a>,
}

/// The user who makes a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestUser<'a> {
    /// `userInfo.username`, not empty.
    pub name: Text<'a>,
    /// `userInfo.groups`.
    pub groups: Vec<Text<'a>>,
}

/// The object of a request. `old` is the object before an UPDATE, if the request includes it.
#[derive(Debug, Clone)]
pub enum RequestObject<'a> {
    /// A Pod.
    Pod {
        /// The Pod as requested.
        new: PodFacts<'a>,
        /// The Pod before the request.
        old: Option<PodFacts<'a>>,
        /// Whether its containers and init containers have the names that they had before. It is
        /// asked of a Pod that is being deleted only (A4).
        keeps_containers: bool,
    },
    /// An object with a Pod template.
    Template {
        /// The kind of the object.
        kind: &'static TemplateKind,
        /// Its name or, without one, its `generateName`.
        name: Text<'a>,
        /// Whether its controller is an object whose template is judged as well (A2).
        owner_is_judged: bool,
        /// The template as requested.
        new: PodFacts<'a>,
        /// The template before the request.
        old: Option<PodFacts<'a>>,
    },
    /// A Namespace.
    Namespace {
        /// Its name.
        name: Text<'a>,
        /// Whether it is being deleted.
        terminating: bool,
        /// Its labels and annotations as requested.
        new: Metadata<'a>,
        /// Its labels and annotations before the request.
        old: Option<Metadata<'a>>,
    },
    /// A Workload.
    Workload {
        /// Its name.
        name: Text<'a>,
        /// Whether it is being deleted.
        terminating: bool,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::create_pod(("", "Pod", "CREATE", ""), true)]
    #[case::update_pod(("", "Pod", "UPDATE", ""), true)]
    #[case::delete_pod(("", "Pod", "DELETE", ""), false)]
    #[case::connect_pod(("", "Pod", "CONNECT", "exec"), false)]
    #[case::unknown_operation(("", "Pod", "PATCH", ""), false)]
    #[case::pod_status(("", "Pod", "UPDATE", "status"), false)]
    #[case::ephemeral_containers(("", "Pod", "UPDATE", "ephemeralcontainers"), false)]
    #[case::resize(("", "Pod", "UPDATE", "resize"), false)]
    #[case::binding(("", "Pod", "CREATE", "binding"), false)]
    #[case::eviction(("", "Pod", "CREATE", "eviction"), false)]
    #[case::scale(("apps", "Deployment", "UPDATE", "scale"), false)]
    #[case::namespace_finalize(("", "Namespace", "UPDATE", "finalize"), false)]
    #[case::deployment(("apps", "Deployment", "UPDATE", ""), true)]
    #[case::delete_deployment(("apps", "Deployment", "DELETE", ""), false)]
    #[case::workload(("kuma.io", "Workload", "CREATE", ""), true)]
    #[case::delete_workload(("kuma.io", "Workload", "DELETE", ""), true)]
    #[case::workload_status(("kuma.io", "Workload", "UPDATE", "status"), true)]
    #[case::workload_scale(("kuma.io", "Workload", "UPDATE", "scale"), false)]
    fn a0_which_requests_are_judged(
        #[case] (group, kind, operation, sub_resource): (&str, &str, &str, &str),
        #[case] is_judged: bool,
    ) {
        let scope = scope(group, kind, operation, sub_resource);
        assert_eq!(scope.is_some(), is_judged);
    }

    #[rstest]
    #[case::core("", "ConfigMap")]
    #[case::a_pod_of_another_group("example.com", "Pod")]
    #[case::a_deployment_of_another_group("extensions", "Deployment")]
    #[case::a_workload_of_another_group("example.com", "Workload")]
    #[case::pod_template("", "PodTemplate")]
    fn a14_unknown_kinds_are_accepted(#[case] group: &str, #[case] kind: &str) {
        assert_eq!(scope(group, kind, "CREATE", ""), None);
    }

    #[rstest]
    #[case::pod("", "Pod", JudgedKind::Pod)]
    #[case::namespace("", "Namespace", JudgedKind::Namespace)]
    #[case::workload("kuma.io", "Workload", JudgedKind::Workload)]
    #[case::job("batch", "Job", JudgedKind::Template(TemplateKind::of("batch", "Job").unwrap()))]
    fn a14_known_kinds_are_told_apart(
        #[case] group: &str,
        #[case] kind: &str,
        #[case] judged: JudgedKind,
    ) {
        let scope = scope(group, kind, "CREATE", "");
        assert_eq!(scope, Some((judged, Operation::Create)));
    }
}

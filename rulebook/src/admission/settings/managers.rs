//! The setting `workloadManagers`: the users and groups that may write Workloads (P1).

use super::{
    definition::Settings,
    names::{is_namespace, stands_for},
    service_account::{SERVICE_ACCOUNT, SERVICE_ACCOUNTS_OF, ServiceAccountUser, parts},
};
use crate::metadata::Text;

/// What an entry that names a group begins with. Every other entry names a user.
const GROUP: &str = "group:";

/// What the names that Kubernetes itself gives begin with.
const SYSTEM: &str = "system:";

/// The groups and users that are everybody, or everybody of a sort that has no end.
const EVERYBODY: [&str; 4] = [
    "system:authenticated",
    "system:unauthenticated",
    "system:serviceaccounts",
    "system:anonymous",
];

/// The other groups that Kubernetes itself makes.
const GROUPS: [&str; 4] = [
    "system:masters",
    "system:nodes",
    "system:bootstrappers",
    "system:monitoring",
];

impl Settings<'_> {
    /// Whether a user with these groups may write Workloads. An entry for users never stands for a
    /// group, and the other way round.
    pub fn is_workload_manager(&self, user: &str, groups: &[Text<'_>]) -> bool {
        self.workload_managers
            .iter()
            .any(|entry| match Manager::read(entry) {
                Manager::Groups(entry) => groups.iter().any(|group| stands_for(entry, group)),
                Manager::Users(entry) => stands_for(entry, user),
            })
    }
}

/// For whom an entry stands: for one name or, if it ends in `*`, for all with that beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manager<'e> {
    /// For users.
    Users(&'e str),
    /// For groups.
    Groups(&'e str),
}

impl<'e> Manager<'e> {
    /// Reads an entry.
    pub fn read(entry: &'e str) -> Self {
        match entry.strip_prefix(GROUP) {
            Some(entry) => Self::Groups(entry),
            None => Self::Users(entry),
        }
    }
}

/// What is wrong with an entry: it must name one user or group, or those with a certain beginning,
/// but never everybody.
pub(super) fn manager_fault(entry: &str) -> Option<&'static str> {
    const EVERYONE: &str = "must name a user or group, not nobody or everybody";
    let group = entry.strip_prefix(GROUP);
    let name = group.unwrap_or(entry);
    let beginning = name.strip_suffix('*');
    let plain = beginning.unwrap_or(name);
    if plain.trim().is_empty() || EVERYBODY.contains(&plain.trim()) {
        Some(EVERYONE)
    } else if name.trim() != name {
        Some("must not begin or end with white space")
    } else if plain.contains(char::is_control) {
        Some("must be without control characters")
    } else if plain.contains('*') {
        Some("must have its only \"*\" at the end")
    } else if beginning.is_some() && (plain.starts_with(SYSTEM) || SYSTEM.starts_with(plain)) {
        let of_namespace = parts(plain).filter(|_| group.is_none());
        let is_of_namespace = of_namespace
            .is_some_and(|(namespace, rest)| is_namespace(namespace) && rest.is_empty());
        (!is_of_namespace).then_some(
            "may stand for several names that begin with \"system:\" only as \
             system:serviceaccount:NAMESPACE:*",
        )
    } else if let Some(namespace) = plain.strip_prefix(SERVICE_ACCOUNTS_OF) {
        if group.is_none() {
            Some("must name a group as group:NAME")
        } else {
            (!is_namespace(namespace)).then_some("must read group:system:serviceaccounts:NAMESPACE")
        }
    } else if group.is_none() && GROUPS.contains(&plain) {
        Some("must name a group as group:NAME")
    } else if group.is_none() && plain.starts_with(SERVICE_ACCOUNT) {
        let is_possible = ServiceAccountUser::new(plain.into()).is_some();
        (!is_possible).then_some("must read system:serviceaccount:NAMESPACE:NAME")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const EVERYBODY: &str = "must name a user or group, not nobody or everybody";
    const SYSTEM: &str = "may stand for several names that begin with \"system:\" only as \
        system:serviceaccount:NAMESPACE:*";
    const GROUP: &str = "must name a group as group:NAME";
    const BLANKS: &str = "must not begin or end with white space";
    const STAR: &str = "must have its only \"*\" at the end";
    const ACCOUNT: &str = "must read system:serviceaccount:NAMESPACE:NAME";

    #[rstest]
    #[case::user("jane")]
    #[case::user_with_spaces("Jane van der Doe")]
    #[case::user_by_mail("jane@example.com")]
    #[case::user_by_url("https://oidc.example.com/#jane")]
    #[case::not_ascii("Jürgen")]
    #[case::users_by_their_beginning("robot-*")]
    #[case::one_letter("r*")]
    #[case::space_before_the_star("robot *")]
    #[case::service_account("system:serviceaccount:kong-mesh-system:kong-mesh-control-plane")]
    #[case::service_accounts_of_a_namespace("system:serviceaccount:kube-system:*")]
    #[case::controller_manager("system:kube-controller-manager")]
    #[case::a_node("system:node:worker-1")]
    #[case::group("group:mesh admins")]
    #[case::groups_by_their_beginning("group:oidc:mesh-*")]
    #[case::masters("group:system:masters")]
    #[case::service_accounts_as_a_group("group:system:serviceaccounts:kube-system")]
    #[case::a_user_who_is_named_like_a_word("groups")]
    fn p1_who_can_be_named(#[case] entry: &str) {
        assert_eq!(manager_fault(entry), None);
    }

    #[rstest]
    #[case::empty("", EVERYBODY)]
    #[case::blank(" \t", EVERYBODY)]
    #[case::star("*", EVERYBODY)]
    #[case::blank_and_star(" *", EVERYBODY)]
    #[case::no_group("group:", EVERYBODY)]
    #[case::blank_group("group: ", EVERYBODY)]
    #[case::every_group("group:*", EVERYBODY)]
    #[case::authenticated("system:authenticated", EVERYBODY)]
    #[case::unauthenticated("system:unauthenticated", EVERYBODY)]
    #[case::anonymous("system:anonymous", EVERYBODY)]
    #[case::service_accounts("system:serviceaccounts", EVERYBODY)]
    #[case::group_authenticated("group:system:authenticated", EVERYBODY)]
    #[case::group_unauthenticated("group:system:unauthenticated", EVERYBODY)]
    #[case::group_service_accounts("group:system:serviceaccounts", EVERYBODY)]
    #[case::authenticated_and_star("system:authenticated*", EVERYBODY)]
    #[case::group_authenticated_with_blanks("group: system:authenticated ", EVERYBODY)]
    #[case::all_of_kubernetes("system:*", SYSTEM)]
    #[case::all_of_kubernetes_and_more("s*", SYSTEM)]
    #[case::without_the_colon("system*", SYSTEM)]
    #[case::part_of_a_group("system:auth*", SYSTEM)]
    #[case::all_groups_of_kubernetes("group:system:*", SYSTEM)]
    #[case::all_groups_of_kubernetes_and_more("group:sys*", SYSTEM)]
    #[case::part_of_a_group_as_group("group:system:serviceaccount*", SYSTEM)]
    #[case::service_accounts_of_all_namespaces("group:system:serviceaccounts:*", SYSTEM)]
    #[case::service_accounts_of_some_namespaces("group:system:serviceaccounts:team-*", SYSTEM)]
    #[case::all_service_accounts("system:serviceaccount:*", SYSTEM)]
    #[case::all_service_accounts_in_some_namespaces("system:serviceaccount:team-*", SYSTEM)]
    #[case::some_service_accounts("system:serviceaccount:team:web-*", SYSTEM)]
    #[case::no_namespace("system:serviceaccount::*", SYSTEM)]
    #[case::a_user_as_a_group("group:system:serviceaccount:team:*", SYSTEM)]
    #[case::all_nodes("system:node:*", SYSTEM)]
    #[case::two_stars("system:serviceaccount:*:*", STAR)]
    #[case::star_in_the_middle("a*b", STAR)]
    #[case::star_first("*admin", STAR)]
    #[case::two_stars_at_the_end("a**", STAR)]
    #[case::stars_only("**", STAR)]
    #[case::star_of_a_group_in_the_middle("group:a*b", STAR)]
    #[case::masters("system:masters", GROUP)]
    #[case::nodes("system:nodes", GROUP)]
    #[case::service_accounts_of_a_namespace("system:serviceaccounts:kube-system", GROUP)]
    #[case::service_accounts_of_no_namespace(
        "group:system:serviceaccounts:",
        "must read group:system:serviceaccounts:NAMESPACE"
    )]
    #[case::leading_blank(" jane", BLANKS)]
    #[case::trailing_blank("jane ", BLANKS)]
    #[case::line_break("jane\n", BLANKS)]
    #[case::no_break_space("\u{a0}jane", BLANKS)]
    #[case::blank_after_group("group: ops", BLANKS)]
    #[case::blank_after_the_star("jane* ", BLANKS)]
    #[case::control_character("ja\u{7}ne", "must be without control characters")]
    #[case::namespace_only("system:serviceaccount:team", ACCOUNT)]
    #[case::no_account("system:serviceaccount:team:", ACCOUNT)]
    #[case::no_namespace_but_an_account("system:serviceaccount::web", ACCOUNT)]
    fn p1_who_cannot_be_named(#[case] entry: &str, #[case] fault: &str) {
        assert_eq!(manager_fault(entry), Some(fault));
    }

    #[test]
    fn p1_every_default_can_be_named() {
        let defaults = crate::admission::Settings::default().workload_managers;
        for name in defaults.iter() {
            assert_eq!(manager_fault(name), None, "{name}");
        }
    }
}

//! Workloads are written by their managers, not by hand (P1, P2).

use std::collections::BTreeSet;

use kuma_workload_rulebook::admission::{BOOKKEEPING, Manager, Operation, Settings};

use super::{
    asked,
    cel::{all, any, list, quoted, set, text},
    policy::{OnError, Policy, Rejection, Says, resources},
    sentence,
    variables::Variables,
};

/// The policy, unless Workloads are not protected.
pub(super) fn of_workloads(settings: &Settings<'_>) -> Option<Policy> {
    let action = settings.protect_workloads?;
    let verbs = [
        ("CREATE", Operation::Create),
        ("UPDATE", Operation::Update),
        ("DELETE", Operation::Delete),
    ];
    let sentences = verbs.map(|(operation, verb)| {
        let condition = format!("request.operation == {}", text(operation));
        (condition, asked::workload_object(verb))
    });
    let mut variables = Variables::default();
    variables
        .define("user", "request.userInfo.?username.orValue('')")
        .define("quotedUser", quoted("variables.user"))
        .define("groups", "request.userInfo.?groups.orValue([])")
        .append(managers(settings))
        .define("isUnchanged", is_unchanged())
        .define(
            "isTerminating",
            "request.operation == 'DELETE' ? has(oldObject.metadata.deletionTimestamp) :\n\
             has(object.metadata.deletionTimestamp)",
        );
    Some(Policy {
        name: "kuma-workload-workloads",
        description: "P1: Workloads are written by their managers, not by hand.",
        on_error: OnError::Refuse,
        action,
        resources: vec![
            resources(
                "kuma.io/v1alpha1",
                &["workloads"],
                &["CREATE", "UPDATE", "DELETE"],
            ),
            resources("kuma.io/v1alpha1", &["workloads/status"], &["UPDATE"]),
        ],
        exempt: Vec::new(),
        variables,
        validations: vec![Rejection {
            accepts: any(&[
                "variables.isTerminating",
                "variables.isManager",
                "variables.isUnchanged",
            ]),
            says: Says::Expression(sentence::choose(sentences.into())),
        }],
    })
}

/// `isManager`: whether the user or one of the groups is a manager.
fn managers(settings: &Settings<'_>) -> Variables {
    let (mut users, mut groups) = (Vec::new(), Vec::new());
    for entry in settings.workload_managers.iter() {
        match Manager::read(entry) {
            Manager::Users(entry) => users.push(entry),
            Manager::Groups(entry) => groups.push(entry),
        }
    }
    let mut variables = Variables::default();
    let is_user = stands_for("user", &users, "variables.user", &mut variables);
    let is_group = stands_for("group", &groups, "group", &mut variables);
    let is_group = format!("variables.groups.exists(group, {is_group})");
    variables.define("isManager", any(&[is_user, is_group]));
    variables
}

/// Whether one of the entries stands for a name. The entries become maps, which are asked once for
/// the name and once for each length of a beginning: a user can be in thousands of groups, and the
/// API server gives up where each of them is compared with each entry.
fn stands_for(of: &str, entries: &[&str], name: &str, variables: &mut Variables) -> String {
    let beginnings = entries.iter().filter_map(|entry| entry.strip_suffix('*'));
    let beginnings = without_longer(beginnings.collect());
    let names = entries
        .iter()
        .copied()
        .filter(|entry| !entry.ends_with('*'));
    variables.define(&format!("{of}Names"), set(names));
    let is_named = format!("{name} in variables.{of}Names");
    if beginnings.is_empty() {
        return is_named;
    }
    let lengths: BTreeSet<_> = beginnings.iter().map(|one| one.chars().count()).collect();
    let lengths: Vec<_> = lengths.iter().map(usize::to_string).collect();
    variables.define(&format!("{of}Beginnings"), set(beginnings));
    format!(
        "{is_named} ||\n[{}].exists(length, length <= size({name}) && \
         {name}.substring(0, length) in variables.{of}Beginnings)",
        lengths.join(", ")
    )
}

/// These beginnings, without those that begin with another one: whatever they stand for, it does, too.
fn without_longer(mut beginnings: Vec<&str>) -> Vec<&str> {
    // Whatever begins with a text is next to it.
    beginnings.sort_unstable();
    beginnings.dedup_by(|longer, kept| longer.starts_with(*kept));
    beginnings
}

/// Whether an UPDATE changes nothing but what the API server changes by itself (P2).
fn is_unchanged() -> String {
    let same_metadata = same_fields(
        "dyn(object).metadata",
        "dyn(oldObject).metadata",
        &BOOKKEEPING,
    );
    let same_rest = same_fields("dyn(object)", "dyn(oldObject)", &["metadata"]);
    all(&["request.operation == 'UPDATE'", &same_metadata, &same_rest])
}

/// Whether two maps have the same entries, apart from these.
fn same_fields(new: &str, old: &str, except: &[&str]) -> String {
    let except = list(except.iter().copied());
    all(&[
        format!("{new}.all(key, key in {except} || {new}[?key] == {old}[?key])"),
        format!("{old}.all(key, key in {except} || key in {new})"),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::none(&[], &[])]
    #[case::other_beginnings(&["b", "a"], &["a", "b"])]
    #[case::longer_ones(&["oidc:team-", "oidc:", "x", "oidc:a", "oidc"], &["oidc", "x"])]
    #[case::the_same_twice(&["a", "a"], &["a"])]
    #[case::letters_are_not_cut(&["ä", "ã", "äb"], &["ã", "ä"])]
    fn a_longer_beginning_adds_nothing(#[case] given: &[&str], #[case] kept: &[&str]) {
        assert_eq!(without_longer(given.to_vec()), kept);
    }

    #[test]
    fn p1_names_and_beginnings_are_looked_up() {
        let mut variables = Variables::default();
        let entries = ["jane", "robot-*", "robot-7*", "bot*"];
        assert_eq!(
            stands_for("user", &entries, "variables.user", &mut variables),
            "variables.user in variables.userNames ||\n\
             [3, 6].exists(length, length <= size(variables.user) && \
             variables.user.substring(0, length) in variables.userBeginnings)"
        );
        assert_eq!(
            stands_for("group", &["admins"], "group", &mut variables),
            "group in variables.groupNames"
        );
    }
}

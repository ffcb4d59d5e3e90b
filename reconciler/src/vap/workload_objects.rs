//! Workloads are written by their managers, not by hand (P1, P2).

use kuma_workload_rulebook::admission::{BOOKKEEPING, Manager, Operation, Settings};

use super::{
    asked,
    cel::{all, any, list, quoted, text},
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
        .define("isManager", is_manager(settings))
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
                "variables.isManager",
                "variables.isTerminating",
                "variables.isUnchanged",
            ]),
            says: Says::Expression(sentence::choose(sentences.into())),
        }],
    })
}

/// Whether the user or one of the groups is a manager.
fn is_manager(settings: &Settings<'_>) -> String {
    let (mut users, mut groups) = (Vec::new(), Vec::new());
    for entry in settings.workload_managers.iter() {
        match Manager::read(entry) {
            Manager::Users(entry) => users.push(entry),
            Manager::Groups(entry) => groups.push(entry),
        }
    }
    any(&[
        &stands_for(&users, "variables.user"),
        &format!(
            "variables.groups.exists(group, {})",
            stands_for(&groups, "group")
        ),
    ])
}

/// Whether one of the entries stands for a name.
fn stands_for(entries: &[&str], name: &str) -> String {
    let (beginnings, names): (Vec<_>, Vec<_>) = entries
        .iter()
        .copied()
        .partition(|entry| entry.ends_with('*'));
    let beginnings = beginnings
        .iter()
        .filter_map(|entry| entry.strip_suffix('*'));
    let beginnings = list(beginnings);
    format!(
        "{name} in {} || {beginnings}.exists(beginning, {name}.startsWith(beginning))",
        list(names)
    )
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
        &format!("{new}.all(key, key in {except} || {new}[?key] == {old}[?key])"),
        &format!("{old}.all(key, key in {except} || key in {new})"),
    ])
}

//! Who may do what in a cluster of manifests, by the RBAC objects among them.
//!
//! A rule of a role grants what the API server would grant by it. Aggregated roles are not put
//! together, as a controller does that, and what it writes is among the manifests of a real cluster.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{kinds::text, object::Key};

const API_VERSION: &str = "rbac.authorization.k8s.io/v1";

/// A user, and the groups that it is in.
#[derive(Clone, Debug)]
pub(super) struct User<'a> {
    pub(super) name: &'a str,
    pub(super) groups: Vec<String>,
}

impl<'a> User<'a> {
    /// The user of this name; if it is a ServiceAccount, in the groups that every one is in.
    pub(super) fn authenticated(name: &'a str) -> Self {
        let mut groups = vec!["system:authenticated".to_owned()];
        if let Some(namespace) = namespace_of(name) {
            groups.push(SERVICE_ACCOUNTS.to_owned());
            groups.push(format!("{SERVICE_ACCOUNTS}:{namespace}"));
        }
        Self { name, groups }
    }

    fn is(&self, subject: &Value) -> bool {
        let name = text(subject, "name");
        match text(subject, "kind") {
            "User" => name == self.name,
            "Group" => self.groups.iter().any(|group| group == name),
            "ServiceAccount" => {
                let namespace = text(subject, "namespace");
                self.name == format!("{SERVICE_ACCOUNT}{namespace}:{name}")
            }
            _ => false,
        }
    }
}

const SERVICE_ACCOUNT: &str = "system:serviceaccount:";
const SERVICE_ACCOUNTS: &str = "system:serviceaccounts";

/// The namespace of the ServiceAccount that has this user name.
fn namespace_of(user: &str) -> Option<&str> {
    let (namespace, _) = user.strip_prefix(SERVICE_ACCOUNT)?.split_once(':')?;
    Some(namespace)
}

/// What somebody wants to do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Action<'a> {
    pub(super) verb: &'a str,
    /// The API group; empty for the core group.
    pub(super) group: &'a str,
    /// The resource, plural, with its sub-resource behind a slash.
    pub(super) resource: &'a str,
    /// Empty for all namespaces, and for what is in none.
    pub(super) namespace: &'a str,
    /// Empty for all objects.
    pub(super) name: &'a str,
}

/// The RBAC objects of a cluster.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rbac<'a> {
    objects: &'a BTreeMap<Key, Value>,
}

impl<'a> Rbac<'a> {
    pub(super) fn of(objects: &'a BTreeMap<Key, Value>) -> Self {
        Self { objects }
    }

    /// Whether anything is bound to the user by name, or to the ServiceAccounts of its namespace. What
    /// every cluster binds to all ServiceAccounts says nothing about this one.
    pub(super) fn mentions(self, user: &str) -> bool {
        let own = User {
            name: user,
            groups: namespace_of(user)
                .map(|namespace| format!("{SERVICE_ACCOUNTS}:{namespace}"))
                .into_iter()
                .collect(),
        };
        ["ClusterRoleBinding", "RoleBinding"]
            .into_iter()
            .flat_map(|kind| self.all(kind))
            .any(|(_, binding)| binds(binding, &own))
    }

    /// Whether some role that is bound to the user grants this.
    pub(super) fn allows(self, user: &User<'_>, action: Action<'_>) -> bool {
        let in_cluster = self.all("ClusterRoleBinding");
        let in_namespace = self.all("RoleBinding").filter(|(namespace, _)| {
            !action.namespace.is_empty() && *namespace == action.namespace
        });
        in_cluster
            .chain(in_namespace)
            .filter(|(_, binding)| binds(binding, user))
            .filter_map(|(namespace, binding)| self.role(namespace, &binding["roleRef"]))
            .any(|role| items(&role["rules"]).any(|rule| grants(rule, action)))
    }

    /// The role that a binding in this namespace refers to.
    fn role(self, namespace: &str, reference: &Value) -> Option<&'a Value> {
        let kind = text(reference, "kind");
        let namespace = if kind == "Role" { namespace } else { "" };
        let key = [API_VERSION, kind, namespace, text(reference, "name")].map(str::to_owned);
        self.objects.get(&Key::from(key))
    }

    /// All objects of a kind, each with its namespace.
    fn all(self, kind: &'a str) -> impl Iterator<Item = (&'a str, &'a Value)> {
        let first = [API_VERSION, kind, "", ""].map(str::to_owned);
        self.objects
            .range(Key::from(first)..)
            .take_while(move |((api_version, found, ..), _)| {
                api_version == API_VERSION && found == kind
            })
            .map(|((_, _, namespace, _), object)| (namespace.as_str(), object))
    }
}

fn binds(binding: &Value, user: &User<'_>) -> bool {
    items(&binding["subjects"]).any(|subject| user.is(subject))
}

fn grants(rule: &Value, action: Action<'_>) -> bool {
    let Action {
        verb,
        group,
        resource,
        name,
        ..
    } = action;
    let names = &rule["resourceNames"];
    has(&rule["verbs"], verb)
        && has(&rule["apiGroups"], group)
        && has(&rule["resources"], resource)
        && (items(names).next().is_none() || items(names).any(|item| item == name))
}

fn has(list: &Value, wanted: &str) -> bool {
    items(list).any(|item| item == "*" || item == wanted)
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    const POLICY_SERVER: &str = "system:serviceaccount:kubewarden:policy-server";

    fn cluster(objects: &[Value]) -> BTreeMap<Key, Value> {
        objects
            .iter()
            .map(|object| {
                let metadata = &object["metadata"];
                let key = [
                    API_VERSION,
                    text(object, "kind"),
                    text(metadata, "namespace"),
                    text(metadata, "name"),
                ];
                (Key::from(key.map(str::to_owned)), object.clone())
            })
            .collect()
    }

    fn role(kind: &str, namespace: &str, rule: Value) -> Value {
        json!({"kind": kind, "metadata": {"name": "r", "namespace": namespace}, "rules": [rule]})
    }

    fn binding(kind: &str, namespace: &str, role: &str, subject: Value) -> Value {
        json!({
            "kind": kind, "metadata": {"name": "b", "namespace": namespace},
            "roleRef": {"kind": role, "name": "r"}, "subjects": [subject],
        })
    }

    fn account() -> Value {
        json!({"kind": "ServiceAccount", "namespace": "kubewarden", "name": "policy-server"})
    }

    fn rule(group: &str, resource: &str, verb: &str) -> Value {
        json!({"apiGroups": [group], "resources": [resource], "verbs": [verb]})
    }

    const LIST_PODS: Action<'_> = Action {
        verb: "list",
        group: "",
        resource: "pods",
        namespace: "team",
        name: "",
    };

    #[rstest]
    #[case::account(account(), true)]
    #[case::user(json!({"kind": "User", "name": POLICY_SERVER}), true)]
    #[case::group_of_its_namespace(json!({"kind": "Group", "name": "system:serviceaccounts:kubewarden"}), true)]
    #[case::group_of_all_accounts(json!({"kind": "Group", "name": "system:serviceaccounts"}), true)]
    #[case::everybody(json!({"kind": "Group", "name": "system:authenticated"}), true)]
    #[case::another_group(json!({"kind": "Group", "name": "system:serviceaccounts:team"}), false)]
    #[case::another_account(json!({"kind": "ServiceAccount", "namespace": "team", "name": "policy-server"}), false)]
    #[case::a_group_by_the_users_name(json!({"kind": "Group", "name": POLICY_SERVER}), false)]
    fn a_role_is_bound_to(#[case] subject: Value, #[case] allowed: bool) {
        let objects = cluster(&[
            role("ClusterRole", "", rule("", "pods", "list")),
            binding("ClusterRoleBinding", "", "ClusterRole", subject),
        ]);
        let user = User::authenticated(POLICY_SERVER);
        assert_eq!(Rbac::of(&objects).allows(&user, LIST_PODS), allowed);
    }

    #[rstest]
    #[case::exact(rule("", "pods", "list"), true)]
    #[case::all(rule("*", "*", "*"), true)]
    #[case::another_verb(rule("", "pods", "get"), false)]
    #[case::another_resource(rule("", "nodes", "list"), false)]
    #[case::another_group(rule("apps", "pods", "list"), false)]
    #[case::one_object(json!({"apiGroups": [""], "resources": ["pods"], "verbs": ["list"], "resourceNames": ["web"]}), false)]
    #[case::nothing(json!({}), false)]
    fn a_rule_grants(#[case] rule: Value, #[case] allowed: bool) {
        let objects = cluster(&[
            role("ClusterRole", "", rule),
            binding("ClusterRoleBinding", "", "ClusterRole", account()),
        ]);
        let user = User::authenticated(POLICY_SERVER);
        assert_eq!(Rbac::of(&objects).allows(&user, LIST_PODS), allowed);
    }

    #[rstest]
    #[case::role("Role", "team", "team", true)]
    #[case::cluster_role("ClusterRole", "", "team", true)]
    #[case::another_namespace("ClusterRole", "", "shop", false)]
    #[case::all_namespaces("ClusterRole", "", "", false)]
    fn a_role_binding_grants_in_its_namespace(
        #[case] kind: &str,
        #[case] home: &str,
        #[case] asked: &str,
        #[case] allowed: bool,
    ) {
        let objects = cluster(&[
            role(kind, home, rule("", "pods", "list")),
            binding("RoleBinding", "team", kind, account()),
        ]);
        let action = Action {
            namespace: asked,
            ..LIST_PODS
        };
        let user = User::authenticated(POLICY_SERVER);
        assert_eq!(Rbac::of(&objects).allows(&user, action), allowed);
    }

    #[rstest]
    #[case::by_name(account(), true)]
    #[case::by_its_namespace(json!({"kind": "Group", "name": "system:serviceaccounts:kubewarden"}), true)]
    #[case::with_all_others(json!({"kind": "Group", "name": "system:serviceaccounts"}), false)]
    #[case::another(json!({"kind": "User", "name": "jane"}), false)]
    fn who_is_mentioned(#[case] subject: Value, #[case] mentioned: bool) {
        let binding = binding("ClusterRoleBinding", "", "ClusterRole", subject);
        let objects = cluster(&[binding]);
        assert_eq!(Rbac::of(&objects).mentions(POLICY_SERVER), mentioned);
    }
}

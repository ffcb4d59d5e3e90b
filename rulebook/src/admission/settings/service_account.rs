//! The user name of a ServiceAccount.

use super::names::is_namespace;
use crate::{
    identifier::{self, NameForm},
    metadata::Text,
};

/// What the user name of every ServiceAccount begins with.
pub(super) const SERVICE_ACCOUNT: &str = "system:serviceaccount:";

/// What the name of the group of the ServiceAccounts of a Namespace begins with.
pub(super) const SERVICE_ACCOUNTS_OF: &str = "system:serviceaccounts:";

/// The user name of a ServiceAccount: `system:serviceaccount:NAMESPACE:NAME`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServiceAccountUser<'a>(Text<'a>);

impl<'a> ServiceAccountUser<'a> {
    /// The user with this name, if it is that of a ServiceAccount.
    pub fn new(name: Text<'a>) -> Option<Self> {
        let (namespace, account) = parts(&name)?;
        let is_possible =
            is_namespace(namespace) && identifier::check(account, NameForm::Kubernetes).is_ok();
        is_possible.then_some(Self(name))
    }

    /// The user of a ServiceAccount, whatever its Namespace and name are.
    pub fn of(namespace: &str, account: &str) -> Self {
        Self(Text(
            format!("{SERVICE_ACCOUNT}{namespace}:{account}").into(),
        ))
    }

    /// The groups that the API server puts it in.
    pub fn groups(&self) -> [Text<'static>; 3] {
        let of_its_namespace = format!("{SERVICE_ACCOUNTS_OF}{}", self.namespace());
        [
            "system:serviceaccounts".into(),
            Text(of_its_namespace.into()),
            "system:authenticated".into(),
        ]
    }

    /// The whole name.
    pub fn name(&self) -> &str {
        &self.0
    }

    /// The Namespace of the ServiceAccount.
    pub fn namespace(&self) -> &str {
        parts(&self.0).map_or("", |(namespace, _)| namespace)
    }
}

/// The Namespace in the name of a ServiceAccount's user, and what follows it.
pub(super) fn parts(name: &str) -> Option<(&str, &str)> {
    name.strip_prefix(SERVICE_ACCOUNT)?.split_once(':')
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::usual("system:serviceaccount:kubewarden:policy-server", Some("kubewarden"))]
    #[case::dots("system:serviceaccount:a:b.c", Some("a"))]
    #[case::another_user("jane", None)]
    #[case::a_group("system:serviceaccounts:kubewarden", None)]
    #[case::no_name("system:serviceaccount:kubewarden:", None)]
    #[case::no_namespace("system:serviceaccount::policy-server", None)]
    #[case::one_part("system:serviceaccount:kubewarden", None)]
    #[case::star("system:serviceaccount:kubewarden:*", None)]
    #[case::colon("system:serviceaccount:kubewarden:a:b", None)]
    #[case::white_space("system:serviceaccount:kubewarden:policy-server\n", None)]
    #[case::upper_case("system:serviceaccount:Kubewarden:policy-server", None)]
    #[case::empty("", None)]
    fn a13_the_user_of_a_service_account(#[case] name: &str, #[case] namespace: Option<&str>) {
        let user = ServiceAccountUser::new(Text::from(name));
        assert_eq!(user.as_ref().map(|user| user.namespace()), namespace);
        assert_eq!(
            user.as_ref().map(|user| user.name()),
            namespace.map(|_| name)
        );
    }
}

//! The protocol's access review: whether a user may do something.

use kuma_workload_rulebook::{
    admission::{ClusterFailure, ServiceAccountUser},
    quoted::Quoted,
};
use serde::Serialize;

use crate::{ask_error::not_granted, resource::Resource, view::view};

/// The groups that every ServiceAccount is in, besides that of its Namespace. The API server asks
/// about a user without groups as about a member of none.
const SERVICE_ACCOUNTS: &str = "system:serviceaccounts";
const AUTHENTICATED: &str = "system:authenticated";

/// The request of `can_i`.
#[derive(Serialize)]
pub(crate) struct CanI<'r> {
    subject_access_review: SubjectAccessReview<'r>,
    disable_cache: bool,
}

#[derive(Serialize)]
struct SubjectAccessReview<'r> {
    user: &'r str,
    groups: [String; 3],
    resource_attributes: ResourceAttributes<'r>,
}

#[derive(Serialize)]
struct ResourceAttributes<'r> {
    verb: &'r str,
    group: &'r str,
    resource: &'r str,
    namespace: &'r str,
}

view! {
    /// The answer of `can_i`.
    pub(crate) struct ReviewStatus<'a> {
        "allowed" => pub(crate) allowed: Option<bool>,
    }
}

impl<'r> CanI<'r> {
    /// Whether the ServiceAccount may do this to all objects of a kind in the Namespace.
    pub(crate) fn new(
        user: &'r ServiceAccountUser<'_>,
        verb: &'r str,
        resource: &Resource,
        namespace: &'r str,
    ) -> Self {
        let (plural, group) = resource.plural_and_group();
        Self {
            subject_access_review: SubjectAccessReview {
                user: user.name(),
                groups: [
                    SERVICE_ACCOUNTS.to_owned(),
                    format!("{SERVICE_ACCOUNTS}:{}", user.namespace()),
                    AUTHENTICATED.to_owned(),
                ],
                resource_attributes: ResourceAttributes {
                    verb,
                    group,
                    resource: plural,
                    namespace,
                },
            },
            disable_cache: true,
        }
    }

    /// The failure if the answer is no.
    pub(crate) fn denied(&self, resource: &Resource) -> ClusterFailure {
        let review = &self.subject_access_review;
        not_granted(format!(
            "{} of {} to {} (setting policyServerUser)",
            review.resource_attributes.verb,
            resource.plural,
            Quoted(review.user)
        ))
    }
}

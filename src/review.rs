//! Access reviews: whether a user may do something.

use kuma_workload_rulebook::admission::ServiceAccountUser;

use crate::{payload::Payload, resource::Resource, view::view};

view! {
    /// The answer to a review.
    pub(crate) struct ReviewStatus<'a> {
        "allowed" => pub(crate) allowed: Option<bool>,
    }
}

/// Calls `ask` with the question whether a ServiceAccount may do this to all objects of a kind in the
/// Namespace.
pub(crate) fn with_request<T>(
    user: &ServiceAccountUser<'_>,
    verb: &str,
    resource: &Resource,
    namespace: &str,
    ask: impl FnOnce(Payload<'_>) -> T,
) -> T {
    let (plural, group) = resource.plural_and_group();
    // The API server asks about a user without groups as about a member of none.
    let groups = user.groups();
    let groups = groups.each_ref().map(|group| &**group);
    let attributes = [
        ("verb", Payload::Text(verb)),
        ("group", Payload::Text(group)),
        ("resource", Payload::Text(plural)),
        ("namespace", Payload::Text(namespace)),
    ];
    let review = [
        ("user", Payload::Text(user.name())),
        ("groups", Payload::Texts(&groups)),
        ("resource_attributes", Payload::Map(&attributes)),
    ];
    ask(Payload::Map(&[
        ("subject_access_review", Payload::Map(&review)),
        ("disable_cache", Payload::True),
    ]))
}

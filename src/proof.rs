//! How it is proved that the policy server may list a kind (A13).
//!
//! The host never answers a list that the API server forbids, and where only watch is missing, it
//! goes on answering with the list that it has made first. So the proof comes before the first list
//! of a kind.

use kuma_workload_rulebook::{
    admission::{Grants, Request, RequestObject, ServiceAccountUser, Settings},
    identifier::{self, NameForm},
};

/// How it is proved that a kind may be listed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Proof<'r> {
    /// By a get of an object with this name, since a forbidden get is answered at once. It does not
    /// show whether list and watch are granted.
    Get {
        /// The name of the judged object or, without one, a fixed one.
        name: &'r str,
    },
    /// By access reviews: this user may list and watch the kind.
    Review {
        /// Who the policy server is.
        user: &'r ServiceAccountUser<'r>,
    },
    /// By nothing: the setting says that it is granted.
    Assumed,
}

/// The name that is asked for if the judged object has none. Only the permission matters.
const PROBE: &str = "kuma-workload-probe";

impl<'r> Proof<'r> {
    /// The proof for the questions about a request.
    pub(crate) fn of(settings: &'r Settings<'_>, request: &'r Request<'_>) -> Self {
        match (settings.grants, &settings.policy_server_user) {
            (Grants::Assume, _) => Self::Assumed,
            (Grants::Ask, Some(user)) => Self::Review { user },
            (Grants::Probe | Grants::Ask, _) => Self::Get {
                name: match &request.object {
                    RequestObject::Pod { new, .. }
                        if identifier::check(&new.name, NameForm::Kubernetes).is_ok() =>
                    {
                        &new.name
                    }
                    _ => PROBE,
                },
            },
        }
    }
}

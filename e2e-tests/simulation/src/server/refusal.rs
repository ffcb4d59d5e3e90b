//! What stands between a request and the objects: the authorizer, webhooks, overload, a server that is
//! not there.

use super::{
    request::{Request, Verb},
    resource::Resource,
    status::{self, About, Answer},
};

/// Whose requests these are, as the server names them.
pub const USER: &str = "system:serviceaccount:mesh:kuma-workload";

/// In seconds.
const HOUR: u32 = 60 * 60;

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Refusal {
    /// The grant is missing: 403.
    Ungranted,
    /// A webhook denies, with this code.
    Denied(u16),
    /// A webhook does not answer: 500.
    WebhookFailed,
    /// The database does not answer: 500.
    DatabaseFailed,
    /// The server starts or stops: 503.
    Unavailable,
    /// Too many requests: 429, in plain text, with `Retry-After`.
    Busy(u32),
    /// The same, as a Status.
    Initializing(u32),
    /// The kind is not served: 404.
    Unserved,
    /// The object has changed meanwhile: 409.
    Conflict,
    /// The list or the watch has expired: 410.
    Expired,
    /// A field has a value that it cannot have: 422.
    Invalid,
}

impl Refusal {
    /// The answer.
    pub fn answer(self, request: &Request) -> Answer {
        let about = request.about();
        match self {
            Self::Ungranted => about.forbidden(USER, request.verb.text()),
            Self::Denied(code) => status::denied(code),
            Self::WebhookFailed => status::webhook_failed(),
            Self::DatabaseFailed => status::database_failed(),
            Self::Unavailable => status::unavailable(),
            Self::Busy(seconds) => status::busy(seconds),
            Self::Initializing(seconds) => status::initializing(seconds),
            Self::Unserved => status::unserved(),
            Self::Conflict => about.modified(),
            Self::Expired => status::expired_watch(1, 2),
            Self::Invalid => {
                about.invalid("spec", "FieldValueInvalid", "Invalid value: \"\": not now")
            }
        }
    }

    /// Whether the real server could answer so to such a request.
    pub fn fits(self, request: &Request) -> bool {
        match self {
            // For longer than the simulation lasts, only single Workloads wait.
            Self::Busy(seconds) if seconds > HOUR => request.is_workload_write(),
            Self::Ungranted
            | Self::DatabaseFailed
            | Self::Unavailable
            | Self::Busy(_)
            | Self::Initializing(_) => true,
            Self::Denied(_) | Self::WebhookFailed => request.is_workload_write(),
            Self::Unserved => request.resource.is_custom(),
            Self::Conflict => matches!(request.verb, Verb::Update | Verb::Patch | Verb::Delete),
            Self::Expired => {
                request.verb == Verb::Watch || !request.parameter("continue").is_empty()
            }
            Self::Invalid => {
                request.resource == Resource::Workloads
                    && matches!(request.verb, Verb::Create | Verb::Patch)
            }
        }
    }
}

/// A refusal that lasts.
#[derive(Debug, Clone)]
pub struct StandingRefusal {
    /// Only requests with one of these verbs; all if there is none.
    pub verbs: Vec<Verb>,
    /// Only requests for this resource.
    pub resource: Option<Resource>,
    /// Only requests in this namespace.
    pub namespace: Option<String>,
    /// Only requests for the object of this name.
    pub name: Option<String>,
    /// What is answered.
    pub refusal: Refusal,
}

impl StandingRefusal {
    /// Whether it is about this request.
    pub fn matches(&self, request: &Request) -> bool {
        let name = match request.verb {
            Verb::Create => request.body["metadata"]["name"].as_str(),
            _ => Some(request.name.as_str()),
        };
        (self.verbs.is_empty() || self.verbs.contains(&request.verb))
            && self
                .resource
                .is_none_or(|resource| resource == request.resource)
            && (self.namespace.is_none() || self.namespace == request.namespace)
            && (self.name.is_none() || self.name.as_deref() == name)
            && self.refusal.fits(request)
    }
}

impl Request {
    /// What a failure of this request is about.
    pub fn about(&self) -> About<'_> {
        About {
            resource: self.resource,
            namespace: self.namespace.as_deref(),
            name: &self.name,
        }
    }
}

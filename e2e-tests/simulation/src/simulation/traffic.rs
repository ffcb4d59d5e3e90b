//! What is on its way between replicas and servers: requests, answers and watches.

use std::time::Duration;

use axum::body::{Body, Bytes};
use http::Response;
use tower::BoxError;

use crate::{
    checks::fence::Page,
    clock::Time,
    fault::Fault,
    server::{
        refusal::Refusal,
        request::{Request, Verb},
        resource::Resource,
        watch::Watch,
    },
    version::Version,
    wire::{BodySender, Responder},
};

/// A request on its way to a server.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) replica: usize,
    pub(super) incarnation: u32,
    /// The version of its sender.
    pub(super) version: Version,
    /// The request, if it is for a resource.
    pub(super) request: Option<Request>,
    pub(super) http: http::Request<Vec<u8>>,
    /// When it was sent, by the clock of its sender.
    pub(super) at: Duration,
    /// Until when its sender led when it was sent.
    pub(super) leads_until: Option<Time>,
    /// When its sender's latest list of Dataplanes began that covers the namespace.
    pub(super) fence: Option<u64>,
    pub(super) server: usize,
    pub(super) fault: Option<Fault>,
    pub(super) refusal: Option<Refusal>,
    /// None for a second copy.
    pub(super) responder: Option<Responder>,
}

impl Call {
    /// Whether the Lease names the sender, if this succeeds.
    pub(super) fn wins_lease(&self) -> bool {
        self.request.as_ref().is_some_and(|request| {
            let holder = request.body["spec"]["holderIdentity"].as_str();
            request.resource == Resource::Leases
                && matches!(request.verb, Verb::Create | Verb::Update)
                && holder.is_some_and(|holder| !holder.is_empty())
        })
    }

    /// The same request once more, without a fault; nobody waits for its answer.
    pub(super) fn copy(&self) -> Self {
        Self {
            replica: self.replica,
            incarnation: self.incarnation,
            version: self.version,
            request: self.request.clone(),
            http: self.http.clone(),
            at: self.at,
            leads_until: self.leads_until,
            fence: self.fence,
            server: self.server,
            fault: None,
            refusal: None,
            responder: None,
        }
    }
}

/// An answer on its way to a replica.
#[derive(Debug)]
pub(super) struct Delivery {
    pub(super) replica: usize,
    pub(super) incarnation: u32,
    pub(super) responder: Responder,
    pub(super) answer: Result<Response<Body>, BoxError>,
    /// What the replica has won with it.
    pub(super) gain: Gain,
}

/// What an answer means for the checks.
#[derive(Debug)]
pub(super) enum Gain {
    Nothing,
    /// The Lease, by a request that was sent at this moment of the replica's clock.
    Lease(Duration),
    /// A page of the list before a delete.
    Fence(Page),
    /// Writes of a Workload are to wait for so many seconds.
    Wait(String, u32),
}

/// A watch that a replica has begun.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) replica: usize,
    pub(super) watch: Watch,
    pub(super) sender: BodySender,
    /// When the last thing arrives that is on its way.
    pub(super) last: Time,
    /// How much later than others it shows things.
    pub(super) lag: Duration,
    pub(super) is_stalled: bool,
}

/// What happens to a watch.
#[derive(Debug)]
pub(super) enum StreamStep {
    /// It shows what is new.
    Show,
    /// It shows a bookmark.
    Bookmark,
    /// It shows a bookmark before the server ends it.
    LastBookmark,
    /// Something arrives.
    Arrive(Bytes),
    /// Its end arrives.
    End,
    /// The server ends it.
    TimeOut,
    /// It breaks.
    Break,
}

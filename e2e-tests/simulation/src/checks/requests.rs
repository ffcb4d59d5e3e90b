//! How many requests there are once all is well.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    scenario::{QUIET, Scenario},
    server::{
        request::{Request, Verb},
        resource::Resource,
    },
};

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// The Lease.
    Lease,
    /// A watch that begins.
    Watch,
    /// A list.
    List,
    /// A write of a Workload.
    Write,
    /// An event.
    Event,
    /// Anything else.
    Other,
}

impl Purpose {
    /// What this request is for.
    pub fn of(request: Option<&Request>) -> Self {
        match request.map(|request| (request.resource, request.verb)) {
            Some((Resource::Leases, _)) => Self::Lease,
            Some((Resource::Events, _)) => Self::Event,
            Some((_, Verb::Watch)) => Self::Watch,
            Some((_, Verb::List)) => Self::List,
            Some((Resource::Workloads, verb)) if verb.is_write() => Self::Write,
            _ => Self::Other,
        }
    }
}

/// The requests of the last minutes.
#[derive(Debug, Clone, Default)]
pub struct Requests(BTreeMap<Purpose, u64>);

impl Requests {
    /// A request was sent.
    pub fn count(&mut self, purpose: Purpose) {
        *self.0.entry(purpose).or_default() += 1;
    }

    /// What is more than it should be. `watches` is how many each replica has, `conditions` how many
    /// things are to be reported.
    pub fn excess(&self, scenario: &Scenario, watches: u64, conditions: u64) -> Vec<String> {
        let times = |every: Duration| u64::try_from(QUIET.as_millis() / every.as_millis().max(1));
        let times = |every: Duration| times(every).unwrap_or(u64::MAX) + 2;
        let replicas = u64::try_from(scenario.replicas.len()).unwrap_or_default();
        let bound = |purpose| match purpose {
            Purpose::Lease => replicas * times(scenario.lease.retry_period.mul_f64(0.9)),
            // The server ends one after 290 s.
            Purpose::Watch => replicas * watches * times(Duration::from_secs(280)),
            Purpose::List => replicas * watches * times(scenario.resync),
            // Each: a POST, a GET and a PATCH.
            Purpose::Event => 3 * conditions,
            Purpose::Write | Purpose::Other => 0,
        };
        let counted = self.0.iter().map(|(purpose, count)| (*purpose, *count));
        let excess = counted.filter(|(purpose, count)| *count > bound(*purpose));
        excess
            .map(|(purpose, count)| {
                let bound = bound(purpose);
                format!("{count} requests in {QUIET:?} for {purpose:?}, at most {bound} are needed")
            })
            .collect()
    }
}

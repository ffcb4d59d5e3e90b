//! How soon a process asks again after a failure (L15, L22).

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use crate::server::{
    request::{Request, Verb},
    resource::Resource,
};

/// `Retry-After` counts for this long at most.
const LONGEST_WAIT: Duration = Duration::from_secs(60 * 60);
/// Clocks of processes are read off to a millisecond, more or less.
const SLACK: Duration = Duration::from_millis(5);
/// So many lists in a row that fail take at least this long, with a backoff that doubles from 0.25 s on.
const LISTS: usize = 6;
const LISTS_LAST: Duration = Duration::from_secs(7);
/// A write that is refused is tried so often soon, until its backoff has come to half a minute, and then
/// no more than this often a second.
const REFUSED_SOON: f64 = 12.0;
const REFUSED_LATER: f64 = 1.0 / 30.0;

/// What one process has been told to wait for, and how often it has asked. All times are of its clock.
#[derive(Debug, Default)]
pub struct Pacing {
    /// Until when writes of each Workload wait, as an answer has asked for.
    waits: BTreeMap<String, Duration>,
    /// When the latest lists of each kind and namespace were sent that no watch has followed.
    lists: BTreeMap<(Resource, Option<String>), VecDeque<Duration>>,
    /// Since when each Workload has been refused, and how often.
    refused: BTreeMap<String, (Duration, u32)>,
}

impl Pacing {
    /// A write of this Workload was answered with so many seconds of `Retry-After`.
    pub fn asked_to_wait(&mut self, workload: String, seconds: u32, at: Duration) {
        let wait = Duration::from_secs(seconds.into()).min(LONGEST_WAIT);
        self.waits.insert(workload, at + wait);
    }

    /// A write of this Workload was refused, and nothing else changes. Returns what is wrong about that.
    pub fn refused(&mut self, workload: String, at: Duration) -> Option<String> {
        let (since, times) = self.refused.entry(workload.clone()).or_insert((at, 0));
        *times += 1;
        let lasts = at.saturating_sub(*since);
        let is_too_often = f64::from(*times) > REFUSED_SOON + REFUSED_LATER * lasts.as_secs_f64();
        is_too_often
            .then(|| format!("{workload} is refused, and was tried {times} times within {lasts:?}"))
    }

    /// A request is sent. Returns what is wrong about that.
    pub fn sent(&mut self, request: &Request, at: Duration) -> Option<String> {
        if request.is_workload_write() {
            let name = request.full_name();
            let until = *self.waits.get(&name)?;
            return (at + SLACK < until).then(|| {
                format!("{name} was written at {at:?}, which was to wait until {until:?}")
            });
        }
        let followed = (request.resource, request.namespace.clone());
        match request.verb {
            Verb::Watch => {
                self.lists.remove(&followed);
                None
            }
            Verb::List if is_followers(request) => {
                let lists = self.lists.entry(followed).or_default();
                lists.push_back(at);
                if lists.len() > LISTS {
                    lists.pop_front();
                }
                let took = at.checked_sub(*lists.front()?)?;
                let resource = request.resource;
                (lists.len() == LISTS && took < LISTS_LAST)
                    .then(|| format!("{LISTS} lists of {resource:?} in a row within {took:?}"))
            }
            _ => None,
        }
    }
}

/// Whether a list is the first page of one that a watch follows: neither that before a delete nor one
/// that only compares.
fn is_followers(request: &Request) -> bool {
    !request.is_partial
        && request.parameter("continue").is_empty()
        && request.number("limit") != Some(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::request::{Target, read};
    use http::Method;
    use rstest::rstest;

    fn request(method: Method, path: &str) -> Request {
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .body(Vec::new())
            .expect("a request");
        match read(&request) {
            Target::Resource(request) => *request,
            other => panic!("{other:?}"),
        }
    }

    #[rstest]
    #[case::before(29, false)]
    #[case::when_it_is_over(30, true)]
    fn retry_after_is_kept(#[case] seconds: u64, #[case] is_right: bool) {
        let mut pacing = Pacing::default();
        pacing.asked_to_wait("shop/cart".to_owned(), 30, Duration::ZERO);
        let path = "/apis/kuma.io/v1alpha1/namespaces/shop/workloads/cart";
        let at = Duration::from_secs(seconds);
        let wrong = pacing.sent(&request(Method::PATCH, path), at);
        assert_eq!(wrong.is_none(), is_right, "{wrong:?}");
        let other = "/apis/kuma.io/v1alpha1/namespaces/shop/workloads/other";
        assert_eq!(pacing.sent(&request(Method::PATCH, other), at), None);
    }

    #[rstest]
    #[case::each_five_seconds(5, false)]
    #[case::each_half_minute(30, true)]
    fn a_refused_write_is_tried_ever_more_slowly(#[case] every: u64, #[case] is_right: bool) {
        let mut pacing = Pacing::default();
        let times = (0..300 / every).map(|n| Duration::from_secs(n * every));
        let wrong: Vec<_> = times
            .filter_map(|at| pacing.refused("shop/cart".to_owned(), at))
            .collect();
        assert_eq!(wrong.is_empty(), is_right, "{wrong:?}");
    }

    #[rstest]
    #[case::each_second(&[0, 1, 2, 3, 4, 5], None, false)]
    #[case::ever_more_slowly(&[0, 1, 2, 3, 5, 9], None, true)]
    #[case::watched_between(&[0, 1, 2, 3, 4, 5], Some(3), true)]
    fn lists_back_off(#[case] lists: &[u64], #[case] watch: Option<u64>, #[case] is_right: bool) {
        let mut pacing = Pacing::default();
        let path = "/apis/kuma.io/v1alpha1/dataplanes";
        let mut wrong = None;
        for at in lists {
            let time = Duration::from_secs(*at);
            let list = request(Method::GET, &format!("{path}?limit=125"));
            wrong = wrong.or(pacing.sent(&list, time));
            if watch == Some(*at) {
                let watch = request(Method::GET, &format!("{path}?watch=true"));
                assert_eq!(pacing.sent(&watch, time), None);
            }
        }
        assert_eq!(wrong.is_none(), is_right, "{wrong:?}");
    }
}

//! L19: the list of Dataplanes before a delete.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::server::{
    request::{Request, Verb},
    resource::Resource,
};

/// The lists of Dataplanes that each replica has been answered: of a namespace, or of all.
#[derive(Debug, Default)]
pub struct Fences {
    /// When each list began that still goes on, by replica and token.
    under_way: BTreeMap<(usize, String), u64>,
    /// When the latest list began that has come to its end, by replica and namespace.
    complete: BTreeMap<(usize, Option<String>), u64>,
}

/// A page of a list that was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    namespace: Option<String>,
    began: u64,
    goes_on: Option<String>,
}

impl Fences {
    /// A request was answered at this step. If it was a page of such a list, it is to be given to
    /// [`arrived`](Self::arrived) when the answer arrives.
    pub fn answered(
        &mut self,
        replica: usize,
        request: &Request,
        body: &str,
        step: u64,
    ) -> Option<Page> {
        let is_fence = request.verb == Verb::List
            && request.resource == Resource::Dataplanes
            && request.is_partial
            && request.parameter("resourceVersion").is_empty();
        if !is_fence {
            return None;
        }
        let began = match request.parameter("continue") {
            "" => step,
            token => *self.under_way.get(&(replica, token.to_owned()))?,
        };
        let list: Value = serde_json::from_str(body).unwrap_or_default();
        let token = list["metadata"]["continue"].as_str().unwrap_or_default();
        Some(Page {
            namespace: request.namespace.clone(),
            began,
            goes_on: (!token.is_empty()).then(|| token.to_owned()),
        })
    }

    /// The answer has arrived.
    pub fn arrived(&mut self, replica: usize, page: Page) {
        match page.goes_on {
            Some(token) => {
                self.under_way.insert((replica, token), page.began);
            }
            None => {
                let complete = self.complete.entry((replica, page.namespace)).or_default();
                *complete = page.began.max(*complete);
            }
        }
    }

    /// When the latest list began that covers a namespace.
    pub fn latest(&self, replica: usize, namespace: &str) -> Option<u64> {
        let of = |namespace: Option<String>| self.complete.get(&(replica, namespace)).copied();
        of(None).max(of(Some(namespace.to_owned())))
    }

    /// Another process has taken the place of the replica.
    pub fn forget(&mut self, replica: usize) {
        self.under_way.retain(|(of, _), _| *of != replica);
        self.complete.retain(|(of, _), _| *of != replica);
    }
}

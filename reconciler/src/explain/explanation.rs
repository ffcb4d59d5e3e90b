//! The answer with all details, for programs.

use std::{collections::BTreeMap, time::Duration};

use serde::Serialize;

use super::{
    facts::{Facts, KnownWorkload, NamespaceState},
    verdict::{Verdict, verdict},
};
use crate::crd::DataplaneProxies;

/// Why a Workload is there or not, and what happens next.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Explanation {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) exists: bool,
    /// The answer in one sentence.
    pub(super) answer: String,
    /// The rules that decide.
    pub(super) rules: Vec<&'static str>,
    /// What they say.
    pub(super) decision: String,
    pub(super) namespace_state: NamespaceState,
    pub(super) workload: Option<KnownWorkload>,
    pub(super) dataplanes: BTreeMap<String, DataplaneProxies>,
    pub(super) unreadable_dataplanes: Vec<String>,
    /// Where nothing refers to it: the names that Dataplanes of its namespace refer to.
    pub(crate) other_workloads: Vec<String>,
    /// What the running reconciler says; none where none was asked.
    pub(crate) reconciler: Option<ReconcilerState>,
    /// Who leads; none without leader election.
    pub(crate) lease: Option<LeaseState>,
    /// What else there is to know.
    pub(crate) note: Option<String>,
}

/// What the running reconciler knows besides.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReconcilerState {
    /// The name of the replica that was asked.
    pub(crate) replica: String,
    /// Whether it leads.
    pub(crate) leads: bool,
    /// The mode in force, and why.
    pub(crate) mode: String,
    /// What it does with the Workload next. None if it does not know the Workload.
    pub(crate) next: Option<NextLook>,
    /// The last failure of a write.
    pub(crate) last_failure: Option<LastFailure>,
    /// What its delete waits for (L19).
    pub(crate) fence: Option<String>,
    /// The lists that are waited for, and the watches that are down.
    pub(crate) waiting_for: Vec<String>,
    /// For how long the API server has not answered.
    pub(crate) api_server_away_seconds: Option<u64>,
}

/// When a Workload is looked at next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NextLook {
    /// None while it is being written.
    pub(crate) due_in_seconds: Option<u64>,
    /// What it waits for.
    pub(crate) step: String,
}

/// The last failure of a write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LastFailure {
    /// What failed.
    pub(crate) sentence: String,
    /// How often in a row.
    pub(crate) times: u32,
    /// How long no write is tried; 0 if one may be.
    pub(crate) waits_seconds: u64,
    /// How long the API server has asked to wait.
    pub(crate) retry_after_seconds: Option<u64>,
}

/// Who leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LeaseState {
    pub(crate) namespace: String,
    pub(crate) name: String,
    /// None if nobody holds it, or where that is not known.
    pub(crate) holder: Option<String>,
    /// When it was renewed last, by the clock of its holder.
    pub(crate) renewed: Option<String>,
    /// Why the holder is not known.
    pub(crate) unknown: Option<String>,
}

impl Explanation {
    /// What follows from these facts.
    pub(crate) fn of(facts: Facts) -> Self {
        let Verdict {
            answer,
            rules,
            decision,
        } = verdict(&facts);
        Self {
            namespace: facts.key.namespace,
            name: facts.key.workload,
            exists: facts.workload.is_some(),
            answer,
            rules,
            decision,
            namespace_state: facts.namespace,
            workload: facts.workload,
            dataplanes: facts.dataplanes,
            unreadable_dataplanes: facts.unreadable,
            other_workloads: Vec::new(),
            reconciler: None,
            lease: None,
            note: None,
        }
    }
}

/// A length of time in whole seconds. What is left of one counts as a whole one.
pub(crate) fn seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

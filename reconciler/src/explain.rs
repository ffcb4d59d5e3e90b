//! "Why is there no Workload?": what the rules say about one Workload, and what its write waits for, in
//! words.
//!
//! | part | job |
//! |---|---|
//! | [`Facts`] | what is known, from a running reconciler or from lists |
//! | `verdict` | the answer in one sentence, the decision, and its rules |
//! | [`Explanation`] | the answer with all details, for programs |
//! | `text` | the same, for people |
//! | [`Target`] | the name of a Workload, as `--why` takes it |
//! | [`Answer`] | an explanation in the format that was asked for |

mod answer;
mod target;
mod text;
mod verdict;

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use kuma_workload_rulebook::roster::{Decision, Key, Mode, References};
use serde::Serialize;

use self::verdict::Verdict;
pub(crate) use self::{
    answer::Answer,
    target::{Target, loopback},
};
use crate::crd::DataplaneProxies;

/// The default of `--why-addr`.
pub(crate) const WHY_ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8081);

/// By this header its page is told from other programs that listen there.
pub(crate) const SERVER: &str = concat!("kuma-workload/", env!("CARGO_PKG_VERSION"));

/// What is known about a Workload.
#[derive(Debug)]
pub(crate) struct Facts {
    /// Which one.
    pub(crate) key: Key,
    /// What the rules say.
    pub(crate) decision: Decision,
    /// The Workload that exists.
    pub(crate) workload: Option<KnownWorkload>,
    /// The proxies that refer to it, by mesh.
    pub(crate) dataplanes: BTreeMap<String, DataplaneProxies>,
    /// The Dataplanes that name it and cannot be read, each with the reason.
    pub(crate) unreadable: Vec<String>,
    /// The state of its namespace.
    pub(crate) namespace: NamespaceState,
    /// The mode in force (L17).
    pub(crate) mode: Mode,
    /// The lists that are waited for. Nothing is decided before them.
    pub(crate) waiting_for: Vec<String>,
    /// Why what is due is not done yet, as a clause: `no replica leads`.
    pub(crate) obstacle: Option<String>,
}

/// The Workload that exists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct KnownWorkload {
    /// Its label `kuma.io/mesh`.
    pub(crate) mesh: Option<String>,
    /// Its label `kuma.io/managed-by`.
    pub(crate) manager: Option<String>,
    /// The numbers in its status.
    pub(crate) reported: Option<DataplaneProxies>,
    /// Whether it is being deleted, and waits for its finalizers.
    pub(crate) is_being_deleted: bool,
}

/// The state of a namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum NamespaceState {
    /// It is there, as far as is known.
    Present,
    /// It is being deleted.
    Terminating,
    /// It does not exist.
    Missing,
    /// Its Workloads are left alone.
    Unselected,
}

/// Why a Workload is there or not, and what happens next.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Explanation {
    namespace: String,
    name: String,
    exists: bool,
    /// The answer in one sentence.
    answer: String,
    /// The rules that decide.
    rules: Vec<&'static str>,
    /// What they say.
    decision: String,
    namespace_state: NamespaceState,
    workload: Option<KnownWorkload>,
    dataplanes: BTreeMap<String, DataplaneProxies>,
    unreadable_dataplanes: Vec<String>,
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
        } = verdict::verdict(&facts);
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

/// The proxies that refer to a Workload, by mesh.
pub(crate) fn by_mesh(references: References<'_>) -> BTreeMap<String, DataplaneProxies> {
    let meshes = references.iter();
    meshes
        .map(|(mesh, counts)| (mesh.to_owned(), counts.into()))
        .collect()
}

/// A length of time in whole seconds. What is left of one counts as a whole one.
pub(crate) fn seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

/// The command that asks a replica, which the holder of the Lease names. Without one, it asks any.
pub(crate) fn command(namespace: &str, holder: Option<&str>, key: &Key) -> String {
    // The identity is the name of the Pod and a random part.
    let pod = holder.and_then(|holder| holder.rsplit_once('_'));
    let replica = pod.map_or("deploy/kuma-workload", |(pod, _)| pod);
    let target = target::shell_word(&Target::from(key.clone()).to_string());
    format!("kubectl exec -n {namespace} {replica} -- kuma-workload status --why {target}")
}

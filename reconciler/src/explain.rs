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
mod explanation;
mod facts;
mod target;
mod text;
mod verdict;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use kuma_workload_rulebook::roster::Key;

pub(crate) use self::{
    answer::Answer,
    explanation::{Explanation, LastFailure, LeaseState, NextLook, ReconcilerState, seconds},
    facts::{Facts, KnownWorkload, NamespaceState, by_mesh},
    target::{Target, loopback},
};

/// The default of `--why-addr`.
pub(crate) const WHY_ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8081);

/// By this header its page is told from other programs that listen there.
pub(crate) const SERVER: &str = concat!("kuma-workload/", env!("CARGO_PKG_VERSION"));

/// The command that asks a replica, which the holder of the Lease names. Without one, it asks any.
pub(crate) fn command(namespace: &str, holder: Option<&str>, key: &Key) -> String {
    // The identity is the name of the Pod and a random part.
    let pod = holder.and_then(|holder| holder.rsplit_once('_'));
    let replica = pod.map_or("deploy/kuma-workload", |(pod, _)| pod);
    let target = target::shell_word(&Target::from(key.clone()).to_string());
    format!("kubectl exec -n {namespace} {replica} -- kuma-workload status --why {target}")
}

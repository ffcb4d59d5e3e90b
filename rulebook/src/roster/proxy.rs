//! What the index keeps about one proxy: 44 bytes, including its address.

use super::{
    generation::Generation,
    symbols::{Symbol, Symbols},
};
use crate::counts::{Counts, Inbounds};

/// The namespace and name of a Dataplane and of its DataplaneInsight.
///
/// Most names are those of Pods: the name of a Deployment, ten characters for the ReplicaSet and
/// five for the Pod. The first part is a symbol, which is often the name of a workload as well. The
/// rest is stored in place, so that a rollout needs no new symbols.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Address {
    pub(super) namespace: Symbol,
    stem: Symbol,
    tail: Tail,
}

/// Up to [`MAX_TAIL`] characters of six bits each; zero if the stem is the whole name.
type Tail = [u8; 12];

/// The longest tail, in characters.
const MAX_TAIL: usize = 16;

impl Address {
    /// The address of a proxy, if its names are in use.
    pub(super) fn find(symbols: &Symbols, namespace: &str, name: &str) -> Option<Self> {
        let (stem, tail) = split(name);
        Some(Self {
            namespace: symbols.find(namespace)?,
            stem: symbols.find(stem)?,
            tail,
        })
    }

    /// The address of a proxy, with one more use of its symbols.
    pub(super) fn acquire(symbols: &mut Symbols, namespace: &str, name: &str) -> Self {
        let (stem, tail) = split(name);
        Self {
            namespace: symbols.acquire(namespace),
            stem: symbols.acquire(stem),
            tail,
        }
    }

    /// No address of this namespace comes before this one.
    pub(super) fn first_of(namespace: Symbol) -> Self {
        Self {
            namespace,
            stem: Symbol::FIRST,
            tail: Tail::default(),
        }
    }

    pub(super) fn symbols(self) -> impl Iterator<Item = Symbol> {
        [self.namespace, self.stem].into_iter()
    }
}

/// Splits a name at the first `-` after which the tail is short enough.
fn split(name: &str) -> (&str, Tail) {
    let earliest = name.len().saturating_sub(MAX_TAIL + 1);
    let bytes = name.as_bytes();
    let dash = (earliest..bytes.len()).find(|&index| bytes[index] == b'-');
    dash.and_then(|dash| Some((&name[..dash], pack(&bytes[dash + 1..])?)))
        .unwrap_or((name, Tail::default()))
}

/// Packs a tail; nothing if it is empty or has a character that no name of a Pod has.
fn pack(tail: &[u8]) -> Option<Tail> {
    let mut bits = 0_u128;
    for byte in tail {
        let code = match byte {
            b'a'..=b'z' => byte - b'a' + 1,
            b'0'..=b'9' => byte - b'0' + 27,
            b'-' => 37,
            b'.' => 38,
            _ => return None,
        };
        bits = bits << 6 | u128::from(code);
    }
    let packed = bits.to_le_bytes().first_chunk().copied();
    packed.filter(|_| !tail.is_empty())
}

/// What the Dataplane and the DataplaneInsight of one proxy say. Either may be seen first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct ProxyEntry {
    /// What its Dataplane refers to; absent until the Dataplane is seen.
    pub(super) reference: Option<WorkloadReference>,
    /// The mesh in which its DataplaneInsight says that it is online.
    pub(super) online_in: Option<Symbol>,
    pub(super) inbounds: Inbounds,
    /// When its Dataplane was applied last.
    pub(super) dataplane_seen: Generation,
    /// When its DataplaneInsight was applied last.
    pub(super) insight_seen: Generation,
}

/// What a Dataplane refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct WorkloadReference {
    pub(super) workload: Symbol,
    pub(super) mesh: Symbol,
}

/// What a proxy adds to the counts of its workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Share {
    pub(super) workload: Symbol,
    pub(super) mesh: Symbol,
    pub(super) counts: Counts,
}

impl ProxyEntry {
    /// Whether nothing is known about it.
    pub(super) fn is_vacant(self) -> bool {
        self.reference.is_none() && self.online_in.is_none()
    }

    pub(super) fn share(self) -> Option<Share> {
        let WorkloadReference { workload, mesh } = self.reference?;
        // An insight of another mesh belongs to another proxy (S2).
        let connected = self.online_in == Some(mesh);
        Some(Share {
            workload,
            mesh,
            counts: Counts::of_one(connected, self.inbounds.is_healthy(connected)),
        })
    }

    pub(super) fn symbols(self) -> impl Iterator<Item = Symbol> {
        let reference = self
            .reference
            .into_iter()
            .flat_map(WorkloadReference::symbols);
        reference.chain(self.online_in)
    }
}

impl WorkloadReference {
    pub(super) fn symbols(self) -> impl Iterator<Item = Symbol> {
        [self.workload, self.mesh].into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use std::collections::HashSet;

    #[rstest]
    #[case::of_a_deployment("web-7d9f8b6c5d-x2k4q", "web", "7d9f8b6c5d-x2k4q")]
    #[case::with_a_dash("my-web-7d9f8b6c5d-x2k4q", "my-web", "7d9f8b6c5d-x2k4q")]
    #[case::of_a_stateful_set("web-0", "web", "0")]
    #[case::short_with_a_dash("my-web-0", "my", "web-0")]
    #[case::longer_tail("web-12345678901234567", "web-12345678901234567", "")]
    #[case::no_dash("web", "web", "")]
    #[case::empty("", "", "")]
    #[case::nothing_after_the_dash("web-", "web-", "")]
    #[case::nothing_before_the_dash("-0", "", "0")]
    #[case::not_of_a_pod("web-X", "web-X", "")]
    #[case::not_ascii("wäb-1", "wäb", "1")]
    #[case::not_ascii_at_the_cut("ä-7d9f8b6c5d-x2k4q", "ä", "7d9f8b6c5d-x2k4q")]
    fn names_are_split(#[case] name: &str, #[case] stem: &str, #[case] tail: &str) {
        let packed = pack(tail.as_bytes()).unwrap_or_default();
        assert_eq!(split(name), (stem, packed));
    }

    #[test]
    fn different_tails_are_packed_differently() {
        let alphabet = b"abcdefghijklmnopqrstuvwxyz0123456789-.";
        let mut tails = vec![vec![]];
        for &first in alphabet {
            tails.push(vec![first]);
            tails.extend(alphabet.iter().map(|&second| vec![first, second]));
            tails.push(vec![first; MAX_TAIL - 1]);
            tails.push(vec![first; MAX_TAIL]);
        }
        let packed: HashSet<_> = tails.iter().map(|tail| pack(tail)).collect();
        assert_eq!(packed.len(), tails.len());
    }

    #[test]
    fn the_size_that_the_budget_rests_on() {
        assert_eq!(size_of::<(Address, ProxyEntry)>(), 44);
    }
}

//! Tries the candidate in all circumstances, breadth first: of two or three replicas, at most one may write
//! at any instant.
//!
//! What is explored is [`LeaseCandidate`](super::candidate::LeaseCandidate), the very one that runs. The
//! elector around it only does what it says, later or not at all: here each step may come late, each
//! request and each answer may take any time or get lost, and a write of the Lease that was given up may
//! take effect at any time later. Everything may come in any order.
//!
//! The abstraction:
//!
//! - Things happen at moments that are a sixth (or a third) of the wait for an expired Lease apart, as a
//!   clock counts that is fast by 1 %. Any number of things happens at one moment, in any order. Between
//!   two moments, only what can begin there is looked at: that a replica begins to lead, to the
//!   nanosecond, and that a leader's time ends.
//! - A clock is slow by 1 % while its replica leads and fast by 1 % while it waits. No other clock within
//!   1 % lets a leader write longer or another take over earlier. Wall clocks stand still.
//! - A leader writes at every instant at which it may, and each write may take effect at any instant
//!   within the bound. So what is looked for is a replica that leads while another leads, or while what
//!   another wrote may still take effect.
//! - Worlds that differ only in names, dates and what is past are one ([`fingerprint`]).

mod bounds;
mod fingerprint;
mod search;
mod story;
mod world;

use std::time::Duration;

use rstest::rstest;

use self::{
    bounds::{Beyond, Bounds},
    search::{Limits, explore},
};

/// The usual times, and times whose parts are equal, in seconds.
const USUAL: [u64; 3] = [15, 10, 2];
const EVEN: [u64; 3] = [3, 2, 1];

/// How much is tried: less where the compiler does not optimise.
const WORLDS: usize = if cfg!(debug_assertions) {
    20_000
} else {
    1_000_000
};
const UNBOUNDED: usize = usize::MAX;

fn assert_one_writer(name: &str, bounds: &Bounds, limits: Limits) {
    let found = explore(bounds, limits);
    println!("{name}: {found}");
    if let Some(actions) = &found.violation {
        panic!("{name}\n{}", story::tell(actions, bounds));
    }
}

/// Within the stated bounds there is at most one writer.
#[rstest]
#[case::two_replicas(Bounds::stated(2, EVEN, 3))]
#[case::two_replicas_in_finer_steps(Bounds::stated(2, USUAL, 6))]
#[case::three_replicas(Bounds::stated(3, EVEN, 3))]
fn at_most_one_writer(#[case] bounds: Bounds) {
    let limits = Limits {
        depth: UNBOUNDED,
        worlds: WORLDS,
    };
    assert_one_writer("within the stated bounds", &bounds, limits);
}

/// Beyond them there can be two: each of these is found, and printed.
#[rstest]
#[case::clocks_wrong_by_60_percent(Bounds::plain(USUAL, 6).drift(600))]
#[case::late_writes(Bounds::plain(USUAL, 6).write_bound(Duration::from_secs(10)))]
#[case::suspended(Bounds::plain(EVEN, 3).beyond(Beyond::Suspension))]
#[case::one_identity(Bounds::plain(EVEN, 3).beyond(Beyond::OneIdentity))]
#[case::restored(Bounds::plain(EVEN, 3).beyond(Beyond::Restore))]
#[case::emptied_by_hand(Bounds::plain(EVEN, 3).beyond(Beyond::EmptiedByHand))]
fn beyond_the_bounds_there_are_two(#[case] bounds: Bounds) {
    show_two_writers(&bounds);
}

/// Each of these rules is needed: without it there are two writers within the stated bounds.
#[rstest]
#[case::who_makes_the_lease_waits(Bounds::plain(EVEN, 3).deletion().beyond(Beyond::MakerLeadsAtOnce))]
#[case::a_release_waits_for_writes(Bounds::plain(EVEN, 3).stops().beyond(Beyond::HastyRelease))]
#[case::clocks_differ(Bounds::plain(USUAL, 6).beyond(Beyond::NoAllowance))]
#[case::each_renewal_differs(Bounds::plain(EVEN, 3).beyond(Beyond::EqualRenewals))]
fn without_a_rule_there_are_two(#[case] bounds: Bounds) {
    show_two_writers(&bounds);
}

fn show_two_writers(bounds: &Bounds) {
    let limits = Limits {
        depth: UNBOUNDED,
        worlds: 5_000_000,
    };
    let found = explore(bounds, limits);
    let actions = found.violation.as_ref();
    let actions = actions.unwrap_or_else(|| panic!("no two writers in {found}"));
    println!("{found}\n{}", story::tell(actions, bounds));
}

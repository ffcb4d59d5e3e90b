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

use std::{env, time::Duration};

use rstest::rstest;

use self::{
    bounds::{Beyond, Bounds},
    search::explore,
};

/// The usual times, and times whose parts are equal, in seconds.
const USUAL: [u64; 3] = [15, 10, 2];
const EVEN: [u64; 3] = [3, 2, 1];

/// How many worlds are looked at, unless this variable says so: fewer where the compiler does not
/// optimise.
const WORLDS: (&str, usize) = match cfg!(debug_assertions) {
    true => ("KUMA_WORKLOAD_WORLDS", 5_000),
    false => ("KUMA_WORKLOAD_WORLDS", 1_000_000),
};

/// More than there are in any of the small explorations.
const ALL: usize = 10_000_000;

fn worlds() -> usize {
    let (name, default) = WORLDS;
    env::var(name).map_or(default, |number| number.parse().unwrap())
}

/// Within the stated bounds there is at most one writer.
#[rstest]
#[case::two_replicas("two replicas", Bounds::stated(2, EVEN, 3))]
#[case::two_in_finer_steps("two replicas, the usual times", Bounds::stated(2, USUAL, 6))]
#[case::two_undisturbed(
    "two replicas, the usual times, no deletion, no stops",
    Bounds::plain(USUAL, 6)
)]
#[case::two_and_deletion("two replicas, deletion, no stops", Bounds::plain(EVEN, 3).deletion())]
#[case::two_and_stops("two replicas, stops, no deletion", Bounds::plain(EVEN, 3).stops())]
#[case::three_replicas("three replicas", Bounds::stated(3, EVEN, 3))]
#[case::three_undisturbed("three replicas, no deletion, no stops", Bounds::plain(EVEN, 3).replicas(3))]
fn at_most_one_writer(#[case] what: &str, #[case] bounds: Bounds) {
    let found = explore(&bounds, worlds());
    println!("{what}: {found}");
    if let Some(actions) = &found.violation {
        panic!("two writers:\n{}", story::tell(actions, &bounds));
    }
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
    let found = explore(bounds, ALL);
    let actions = found.violation.as_ref();
    let actions = actions.unwrap_or_else(|| panic!("no two writers in {found}"));
    println!("{found}\n{}", story::tell(actions, bounds));
}

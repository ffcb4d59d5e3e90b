//! Tries everything, breadth first: a violation that is found is one of the shortest.

use std::{
    collections::HashSet,
    fmt,
    time::{Duration, Instant},
};

use super::{
    bounds::Bounds,
    fingerprint,
    world::{Action, World},
};

/// What an exploration has found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) worlds: usize,
    /// Everything was tried that takes so many actions in a row.
    pub(super) depth: usize,
    /// No world was left to go on from.
    pub(super) is_complete: bool,
    /// What leads to two writers.
    pub(super) violation: Option<Vec<Action>>,
    elapsed: Duration,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { worlds, depth, .. } = self;
        let whole = match self.is_complete {
            true => ", complete: every world there can be",
            false => "",
        };
        let seconds = self.elapsed.as_secs_f64();
        write!(f, "{worlds} worlds, depth {depth}{whole}, {seconds:.1} s")
    }
}

/// Tries everything that these bounds allow, in about so many worlds at most.
pub(super) fn explore(bounds: &Bounds, worlds: usize) -> Found {
    let begun = Instant::now();
    let first = World::new(bounds);
    let mut seen = HashSet::from([fingerprint::of(&first, bounds)]);
    // How each world came about: from which other, by which action.
    let mut origins: Vec<(usize, Action)> = vec![(0, Action::Tick)];
    let mut frontier = vec![(0, first)];
    let mut found = Found {
        worlds: 0,
        depth: 0,
        is_complete: false,
        violation: None,
        elapsed: Duration::ZERO,
    };
    'depths: while !frontier.is_empty() {
        let mut next = Vec::new();
        for (origin, world) in &frontier {
            if !world.between(bounds).is_empty() {
                found.violation = Some(path(&origins, *origin));
                break 'depths;
            }
            for (action, after) in world.next(bounds) {
                if !seen.insert(fingerprint::of(&after, bounds)) {
                    continue;
                }
                origins.push((*origin, action));
                let number = origins.len() - 1;
                if after.two_writers().is_some() {
                    found.violation = Some(path(&origins, number));
                    break 'depths;
                }
                next.push((number, after));
            }
            if seen.len() >= worlds {
                break 'depths;
            }
        }
        frontier = next;
        found.depth += 1;
    }
    found.worlds = seen.len();
    found.is_complete = frontier.is_empty();
    found.elapsed = begun.elapsed();
    found
}

fn path(origins: &[(usize, Action)], mut number: usize) -> Vec<Action> {
    let mut actions = Vec::new();
    while number != 0 {
        let (origin, action) = origins[number];
        actions.push(action);
        number = origin;
    }
    actions.reverse();
    actions
}

//! Functions that are measured by turns.

use std::{
    fmt,
    hint::black_box,
    time::{Duration, Instant},
};

use crate::Series;

/// Something that is measured, by its name.
pub struct Subject<'s> {
    name: &'s str,
    run: Box<dyn FnMut() + 's>,
    medians: Series,
}

impl fmt::Debug for Subject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subject")
            .field("name", &self.name)
            .field("medians", &self.medians)
            .finish_non_exhaustive()
    }
}

impl<'s> Subject<'s> {
    /// Measures what the closure does, with what it gives back kept from being optimised away.
    pub fn new<T>(name: &'s str, mut run: impl FnMut() -> T + 's) -> Self {
        Self {
            name,
            run: Box::new(move || {
                black_box(run());
            }),
            medians: Series::default(),
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name
    }

    /// The median of each round, in microseconds.
    #[must_use]
    pub fn medians(&self) -> &Series {
        &self.medians
    }
}

/// How often a subject runs in one turn. The first time does not count: it finds the caches as another
/// subject left them.
const RUNS: usize = 30;

/// Runs so many rounds. In each, all subjects have so many turns, one after the other; a round before the
/// first one warms up.
pub fn measure(subjects: &mut [Subject<'_>], rounds: usize, turns: usize) {
    for round in 0..=rounds {
        let mut taken = vec![Vec::with_capacity(turns * RUNS); subjects.len()];
        for _ in 0..turns {
            for (subject, taken) in subjects.iter_mut().zip(&mut taken) {
                (subject.run)();
                for _ in 1..RUNS {
                    let start = Instant::now();
                    (subject.run)();
                    taken.push(start.elapsed());
                }
            }
        }
        if round > 0 {
            for (subject, taken) in subjects.iter_mut().zip(taken) {
                let microseconds: Series = taken.iter().map(micros).collect();
                subject.medians.push(microseconds.median());
            }
        }
    }
}

fn micros(time: &Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[test]
    fn subjects_take_turns_and_the_first_round_does_not_count() {
        let order = RefCell::new(String::new());
        let mut subjects = [
            Subject::new("a", || order.borrow_mut().push('a')),
            Subject::new("b", || order.borrow_mut().push('b')),
        ];
        measure(&mut subjects, 2, 3);
        assert_eq!(subjects[0].medians().rounds(), 2);
        assert_eq!(subjects[1].name(), "b");
        drop(subjects);
        let turn = "a".repeat(RUNS) + &"b".repeat(RUNS);
        assert_eq!(order.into_inner(), turn.repeat(9));
    }
}

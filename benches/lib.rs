//! Measuring several things in one run, so that their ratios hold where absolute times do not.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

/// Something that is measured, by its name.
pub struct Subject<'s> {
    name: &'s str,
    run: Box<dyn FnMut() + 's>,
    samples: Vec<Duration>,
}

impl std::fmt::Debug for Subject<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Subject")
            .field("name", &self.name)
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
            samples: Vec::new(),
        }
    }

    /// The median of all samples; zero before the first.
    pub fn median(&self) -> Duration {
        let mut sorted = self.samples.clone();
        sorted.sort_unstable();
        sorted.get(sorted.len() / 2).copied().unwrap_or_default()
    }
}

/// Takes turns: each round samples every subject once, after a tenth as many rounds of warm-up. So
/// a machine that slows down slows all of them down.
pub fn measure(subjects: &mut [Subject<'_>], rounds: usize) {
    for round in 0..rounds + rounds / 10 {
        for subject in &mut *subjects {
            let start = Instant::now();
            (subject.run)();
            let elapsed = start.elapsed();
            if round >= rounds / 10 {
                subject.samples.push(elapsed);
            }
        }
    }
}

/// Prints the medians, and each one's ratio to the first.
pub fn report(subjects: &[Subject<'_>]) {
    let Some(base) = subjects.first().map(Subject::median) else {
        return;
    };
    for subject in subjects {
        let median = subject.median();
        let ratio = median.as_secs_f64() / base.as_secs_f64();
        println!(
            "  {:<58} {:>8.1} µs  {ratio:>5.2}",
            subject.name,
            median.as_secs_f64() * 1e6
        );
    }
}

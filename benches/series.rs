//! The numbers that rounds give, and bounds on them.

/// What was measured of one thing: a number for each round.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series(Vec<f64>);

impl Series {
    /// Adds the number of the next round.
    pub fn push(&mut self, number: f64) {
        self.0.push(number);
    }

    /// How many rounds there were.
    #[must_use]
    pub fn rounds(&self) -> usize {
        self.0.len()
    }

    /// Each round's ratio to another series in the same round.
    #[must_use]
    pub fn ratios(&self, base: &Self) -> Self {
        self.with(base, |number, base| number / base)
    }

    /// Each round's difference from another series in the same round.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Self {
        self.with(other, |number, other| number - other)
    }

    fn with(&self, other: &Self, combine: impl Fn(f64, f64) -> f64) -> Self {
        let pairs = self.0.iter().zip(&other.0);
        pairs
            .map(|(&number, &other)| combine(number, other))
            .collect()
    }

    /// The middle one, or the mean of the two in the middle; zero where there is none.
    #[must_use]
    pub fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        let half = sorted.len() / 2;
        match (sorted.get(half), sorted.len() % 2) {
            (Some(&middle), 1) => middle,
            (Some(&upper), _) => (sorted[half - 1] + upper) / 2.0,
            (None, _) => 0.0,
        }
    }

    /// The median, and the least and the most in parentheses: `1.07 (1.05 to 1.10)`.
    #[must_use]
    pub fn show(&self, digits: usize) -> String {
        let least = self.0.iter().copied().fold(f64::INFINITY, f64::min);
        let most = self.0.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let median = self.median();
        format!("{median:.digits$} ({least:.digits$} to {most:.digits$})")
    }
}

impl FromIterator<f64> for Series {
    fn from_iter<I: IntoIterator<Item = f64>>(numbers: I) -> Self {
        Self(numbers.into_iter().collect())
    }
}

/// How large a median may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// This, or less.
    AtMost(f64),
    /// This, or more.
    AtLeast(f64),
}

/// The bounds of a run: all of them are looked at before the run fails.
#[derive(Debug, Default)]
pub struct Bounds {
    broken: Vec<String>,
}

impl Bounds {
    /// Holds the median of this to a bound.
    pub fn hold(&mut self, what: &str, series: &Series, bound: Bound) {
        let median = series.median();
        let (holds, text) = match bound {
            Bound::AtMost(most) => (median <= most, format!("at most {most:.2}")),
            Bound::AtLeast(least) => (median >= least, format!("at least {least:.2}")),
        };
        if !holds {
            self.broken
                .push(format!("{what}: {median:.3}, where {text} is allowed"));
        }
    }

    /// Adds something else that was not as it must be.
    pub fn breach(&mut self, sentence: String) {
        self.broken.push(sentence);
    }

    /// Whether all bounds were held.
    ///
    /// # Errors
    ///
    /// A line for each that was not.
    pub fn verdict(self) -> Result<(), String> {
        match self.broken.as_slice() {
            [] => Ok(()),
            broken => Err(broken.join("\n")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(numbers: &[f64]) -> Series {
        numbers.iter().copied().collect()
    }

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(series(&[]).median(), 0.0);
        assert_eq!(series(&[3.0, 1.0, 2.0]).median(), 2.0);
        assert_eq!(series(&[4.0, 1.0, 3.0, 2.0]).median(), 2.5);
    }

    #[test]
    fn rounds_are_compared_with_each_other() {
        let (slow, fast) = (series(&[4.0, 8.0]), series(&[2.0, 4.0]));
        assert_eq!(slow.ratios(&fast), series(&[2.0, 2.0]));
        assert_eq!(slow.differences(&fast), series(&[2.0, 4.0]));
    }

    #[test]
    fn it_is_shown_with_its_spread() {
        let series = series(&[1.0, 1.05, 1.2]);
        assert_eq!(series.show(2), "1.05 (1.00 to 1.20)");
        assert_eq!(series.show(0), "1 (1 to 1)");
    }

    #[test]
    fn each_bound_that_is_not_held_is_told() {
        let mut bounds = Bounds::default();
        bounds.hold("at it", &series(&[1.0]), Bound::AtMost(1.0));
        bounds.hold("above it", &series(&[1.004]), Bound::AtMost(1.0));
        bounds.hold("too slow", &series(&[1.2]), Bound::AtMost(1.1));
        bounds.hold("too few", &series(&[0.5]), Bound::AtLeast(0.6));
        assert_eq!(
            bounds.verdict().unwrap_err(),
            "above it: 1.004, where at most 1.00 is allowed\n\
             too slow: 1.200, where at most 1.10 is allowed\n\
             too few: 0.500, where at least 0.60 is allowed"
        );
        assert_eq!(Bounds::default().verdict(), Ok(()));
    }
}

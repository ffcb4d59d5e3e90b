//! What was measured, and whether it is within its bound.

/// Prints measurements, and counts the bounds that hold.
#[derive(Debug, Default)]
pub(crate) struct Check {
    held: usize,
    broken: usize,
}

impl Check {
    /// What follows is about this.
    pub(crate) fn about(&self, what: &str) {
        println!("\n{what}");
    }

    /// Measured, and not bounded.
    pub(crate) fn note(&self, what: &str) {
        println!("        {what}");
    }

    /// Measured, and at most this.
    pub(crate) fn at_most(&mut self, what: &str, measured: f64, bound: f64, unit: &str) {
        let sentence = format!("{what}: {measured:.1} {unit}, of {bound} {unit}");
        self.holds(measured <= bound, &sentence);
    }

    /// It has to be so.
    pub(crate) fn holds(&mut self, is_so: bool, what: &str) {
        match is_so {
            true => self.held += 1,
            false => self.broken += 1,
        }
        let verdict = if is_so { "ok    " } else { "BROKEN" };
        println!("{verdict}  {what}");
    }

    /// Says how many hold. Returns whether all do.
    pub(crate) fn ended(&self) -> bool {
        println!("\n{} passed, {} failed", self.held, self.broken);
        self.broken == 0
    }
}

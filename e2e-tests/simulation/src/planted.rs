//! Faults that are planted in the program, to show that the simulation finds them.

use std::{fmt, ops::Range};

use kuma_workload::run::PlantedFault;

use crate::{campaign::run_seeds, checks::Violation, tamper::Tamper};

/// Where a fault is planted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Planted {
    /// In the program, by a switch that only tests have.
    InProgram(PlantedFault),
    /// In what it asks and is answered.
    AtTheWire(Tamper),
}

impl Planted {
    /// All of them; those in the program only where it has the switches.
    pub fn all() -> Vec<Self> {
        let in_program = PlantedFault::ALL.into_iter().map(Self::InProgram);
        let in_program = in_program.filter(|_| cfg!(feature = "planted-faults"));
        let at_the_wire = Tamper::ALL.into_iter().map(Self::AtTheWire);
        in_program.chain(at_the_wire).collect()
    }

    /// Runs seeds until one finds the fault.
    pub fn search(self, seeds: Range<u64>, threads: usize) -> Option<(u64, Violation)> {
        let (fault, tamper) = match self {
            Self::InProgram(fault) => (Some(fault), None),
            Self::AtTheWire(tamper) => (None, Some(tamper)),
        };
        let summary = run_seeds(seeds, threads, tamper, true, || plant(fault), |_, _| ());
        plant(None);
        summary.failed.into_iter().next()
    }
}

#[cfg(feature = "planted-faults")]
fn plant(fault: Option<PlantedFault>) {
    kuma_workload::run::plant(fault);
}

#[cfg(not(feature = "planted-faults"))]
fn plant(_: Option<PlantedFault>) {}

impl fmt::Display for Planted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::InProgram(fault) => format!("{fault:?}"),
            Self::AtTheWire(tamper) => format!("{tamper:?} (at the wire)"),
        };
        f.pad(&name)
    }
}

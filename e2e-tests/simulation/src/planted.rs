//! Faults that are planted in the program, to show that the simulation finds them.

use std::fmt;

use kuma_workload::run::PlantedFault;

use crate::tamper::Tamper;

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

    /// The switch in the program, if it is one.
    pub fn in_program(self) -> Option<PlantedFault> {
        match self {
            Self::InProgram(fault) => Some(fault),
            Self::AtTheWire(_) => None,
        }
    }

    /// What is altered at the wire, if something is.
    pub fn at_the_wire(self) -> Option<Tamper> {
        match self {
            Self::InProgram(_) => None,
            Self::AtTheWire(tamper) => Some(tamper),
        }
    }
}

impl fmt::Display for Planted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::InProgram(fault) => format!("{fault:?}"),
            Self::AtTheWire(tamper) => format!("{tamper:?} (at the wire)"),
        };
        f.pad(&name)
    }
}

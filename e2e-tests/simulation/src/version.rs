//! The version of a replica: during an upgrade, and on the way back, two run side by side.

use kuma_workload::run::PlantedFault;

use crate::planted::Planted;

/// The version of a replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// The one before this one. What it does wrong is known, and does not count.
    Previous,
    /// This one.
    Current,
}

impl Version {
    /// The other version.
    pub fn other(self) -> Self {
        match self {
            Self::Previous => Self::Current,
            Self::Current => Self::Previous,
        }
    }

    /// The faults in a replica of this version, with the one that is planted in all.
    pub fn faults(self, planted: Option<Planted>) -> Vec<PlantedFault> {
        let of_version = match self {
            Self::Previous => &PlantedFault::OF_PREVIOUS_VERSION[..],
            Self::Current => &[],
        };
        let planted = planted.and_then(Planted::in_program);
        of_version.iter().copied().chain(planted).collect()
    }
}

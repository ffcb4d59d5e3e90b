//! How a mesh rule ends before it has accepted an object.

use super::{
    cluster::ClusterFailure,
    enforcement::enforce,
    settings::EnforcementAction,
    verdict::{Objection, Rule, Ruling},
    witness::{Step, Witness},
};

/// Why a mesh rule ends early.
#[derive(Debug)]
pub(super) enum Stop {
    /// The object is accepted, because no mesh can be in conflict.
    Accept,
    /// The object is rejected. The setting `action` can turn this into a warning (A9).
    Reject(Objection),
    /// The object is accepted with a warning, whatever the settings say.
    Warn(Objection),
}

impl From<ClusterFailure> for Stop {
    /// What it means that a question failed (A13).
    fn from(failure: ClusterFailure) -> Self {
        match failure {
            ClusterFailure::KumaNotInstalled => Self::Accept,
            failure => Self::Reject(Objection::new(
                Rule::ClusterQuestion,
                format!("the mesh rule cannot be checked: {failure}"),
            )),
        }
    }
}

impl Stop {
    /// The ruling under the setting `action` (A9).
    pub(super) fn into_ruling(
        self,
        action: EnforcementAction,
        warnings: &mut Vec<Objection>,
        witness: &impl Witness,
    ) -> Ruling {
        let (action, objection) = match self {
            Self::Accept => {
                witness.step(Step::WithoutKuma);
                return Ok(());
            }
            Self::Reject(objection) => {
                if action == EnforcementAction::Warn {
                    witness.step(Step::OnlyWarned);
                }
                (action, objection)
            }
            Self::Warn(objection) => (EnforcementAction::Warn, objection),
        };
        enforce(action, objection, warnings, witness)
    }
}

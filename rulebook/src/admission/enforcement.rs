//! Makes rejections and warnings of objections, and tells the witness.

use super::{
    settings::EnforcementAction,
    verdict::{Objection, Ruling},
    witness::Witness,
};

/// Turns an objection into a rejection or, under [`EnforcementAction::Warn`], into a warning.
pub(super) fn enforce(
    action: EnforcementAction,
    objection: Objection,
    warnings: &mut Vec<Objection>,
    witness: &impl Witness,
) -> Ruling {
    match action {
        EnforcementAction::Deny => {
            witness.objects(&objection, true);
            Err(objection)
        }
        EnforcementAction::Warn => {
            warn(objection, warnings, witness);
            Ok(())
        }
    }
}

/// Warns the user.
pub(super) fn warn(objection: Objection, warnings: &mut Vec<Objection>, witness: &impl Witness) {
    witness.objects(&objection, false);
    warnings.push(objection);
}

//! The annotated policy against what Kuma's own code answered (`../../upstream`).
#![allow(clippy::unwrap_used, clippy::panic)]

mod admissions;
mod answers;
mod identifiers;
mod memberships;
mod model;

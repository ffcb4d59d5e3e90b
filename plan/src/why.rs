//! Why a Pod or template has its mesh, its workload and its verdict: the walk through the rules.
//!
//! The facts are what the report itself says of the Pod, and the rest comes from the rules as they judge:
//! [`Trail`] is their witness. A step becomes a sentence when it is written.

pub(crate) mod facts;
mod sentence;
mod trail;
mod walk;

pub(crate) use trail::Trail;
pub(crate) use walk::Entry;
pub use walk::{StepReport, Walk};

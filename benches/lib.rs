//! Measuring several things in one run, so that their ratios hold where absolute times do not.
//!
//! A run has rounds, and each round measures all of them: a machine that slows down for a while slows
//! all of them down. What counts is the median of the rounds' ratios; the spread says how far to trust it.

#![forbid(unsafe_code)]

mod series;
mod subject;

pub use series::{Bound, Bounds, Series};
pub use subject::{Subject, measure};

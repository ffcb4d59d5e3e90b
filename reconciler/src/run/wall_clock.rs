//! What time of day it is.

use std::sync::Arc;

use jiff::Timestamp;

/// What time of day it is. Only what is written for people comes from it, never a decision.
pub type WallClock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

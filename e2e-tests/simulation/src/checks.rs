//! What must hold at each instant.
//!
//! | check | rule |
//! |---|---|
//! | [`leadership`] | no write is sent outside of the sender's leadership, none takes effect long after it, no two replicas lead |
//! | [`fence`] | no Workload is deleted that was referred to all along (L19); one that is missed is back soon |
//! | [`ownership`] | no Workload of another manager is written (L16), none outside of the scope |
//! | [`announcements`] | each conflict is announced, once per episode (L10) |
//! | [`pacing`] | who was refused, or asked to wait, does not ask again too soon (L15, L22) |
//! | [`requests`] | nobody asks more than it must once all is well |

pub mod announcements;
pub mod fence;
pub mod leadership;
pub mod ownership;
pub mod pacing;
pub mod references;
pub mod requests;

use crate::clock::Time;

/// What is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Check {
    /// A write was sent by a replica that did not lead.
    SentWithoutLeading,
    /// A write took effect too long after its sender's leadership.
    TookEffectTooLate,
    /// Two replicas led at once.
    TwoLeaders,
    /// A Workload was deleted although Dataplanes referred to it all along.
    DeletedWhatIsNeeded,
    /// A Workload that was deleted while a Dataplane came is not back in time.
    NotBackInTime,
    /// A Workload of somebody else was written.
    WroteForeign,
    /// A conflict was announced twice.
    AnnouncedTwice,
    /// A conflict was not announced.
    NotAnnounced,
    /// The Workloads are not what they should be at the end.
    Wrong,
    /// Requests went on that nothing asks for.
    TooManyRequests,
    /// Something was asked again too soon.
    TooSoon,
    /// The program ended by itself, or panicked.
    Ended,
}

/// Something that must not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// When.
    pub time: Time,
    /// Which check found it.
    pub check: Check,
    /// What it is.
    pub what: String,
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let seconds = self.time.as_secs_f64();
        write!(f, "{seconds:.3} s: {:?}: {}", self.check, self.what)
    }
}

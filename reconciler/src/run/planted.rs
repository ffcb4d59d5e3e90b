//! Faults that the simulation plants in this program, to show that it finds them. Without the feature
//! `planted-faults`, which nothing but the simulation turns on, there are none and nothing asks for them.

/// A fault that once was in this program, or could be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlantedFault {
    /// Nothing is listed before a delete (L19).
    NoFence,
    /// Two watches share one mark-and-sweep scope.
    SharedMarks,
    /// A Pod that changes marks its Dataplane as listed.
    PodMarksDataplane,
    /// A write that was answered 400 or 403 is never tried again (L15).
    RefusedForever,
    /// A list waits for the rest of its body for ever (L23).
    NoBodyTimeout,
    /// A create that found no namespace is not tried again.
    NamespaceGoneForgets,
    /// Numbers below those that a watch has had mean nothing (L21).
    NoRestoreDetection,
    /// A label alone is evidence of a control plane, and for ever (L17).
    LabelIsEvidence,
    /// A new leader announces what the old one has announced (L10).
    AnnouncesAnew,
    /// A list that fails resets the backoff of its watch (L22).
    ListResetsBackoff,
    /// Writes of numbers do not back off (L22).
    NumbersDoNotBackOff,
    /// A change shortens a `Retry-After` (L22).
    ChangeShortensRetryAfter,
    /// `Retry-After` has no bound (L22).
    UnboundedRetryAfter,
    /// The publisher of events ends, and nobody notices (L23).
    PublisherEnds,
    /// What a list did not show stays.
    SweepSkipped,
    /// A renewal of the Lease counts from its answer.
    LeaseCountsFromAnswer,
    /// A write does not look whether this replica still leads.
    WritesWithoutLeading,
    /// The numbers of a Workload are those of all meshes (S6).
    NumbersOfAllMeshes,
    /// A conflict that lasts is not announced again (L10).
    NeverAnnouncedAgain,
    /// Who makes the Lease leads at once, though the holder of one that was deleted may still lead.
    MakerLeadsAtOnce,
}

impl PlantedFault {
    /// All of them.
    pub const ALL: [Self; 20] = [
        Self::NoFence,
        Self::SharedMarks,
        Self::PodMarksDataplane,
        Self::RefusedForever,
        Self::NoBodyTimeout,
        Self::NamespaceGoneForgets,
        Self::NoRestoreDetection,
        Self::LabelIsEvidence,
        Self::AnnouncesAnew,
        Self::ListResetsBackoff,
        Self::NumbersDoNotBackOff,
        Self::ChangeShortensRetryAfter,
        Self::UnboundedRetryAfter,
        Self::PublisherEnds,
        Self::SweepSkipped,
        Self::LeaseCountsFromAnswer,
        Self::WritesWithoutLeading,
        Self::NumbersOfAllMeshes,
        Self::NeverAnnouncedAgain,
        Self::MakerLeadsAtOnce,
    ];

    /// What the version before this one does otherwise than this one. Replicas of both run side by side
    /// during a rolling upgrade.
    pub const OF_PREVIOUS_VERSION: [Self; 10] = [
        Self::NoFence,
        Self::RefusedForever,
        Self::NoBodyTimeout,
        Self::NamespaceGoneForgets,
        Self::NoRestoreDetection,
        Self::LabelIsEvidence,
        Self::AnnouncesAnew,
        Self::ListResetsBackoff,
        Self::NumbersDoNotBackOff,
        Self::MakerLeadsAtOnce,
    ];

    /// Its place in a set.
    #[cfg(feature = "planted-faults")]
    const fn bit(self) -> u32 {
        1 << self as u32
    }
}

#[cfg(feature = "planted-faults")]
thread_local! {
    static PLANTED: std::cell::Cell<u32> = const { std::cell::Cell::new(0) };
}

/// Plants these faults, and no others, in what this thread does from now on.
#[cfg(feature = "planted-faults")]
pub fn plant(faults: &[PlantedFault]) {
    PLANTED.set(faults.iter().fold(0, |set, fault| set | fault.bit()));
}

/// Whether a fault is planted.
#[cfg(feature = "planted-faults")]
#[allow(dead_code)]
pub(crate) fn planted(fault: PlantedFault) -> bool {
    PLANTED.get() & fault.bit() != 0
}

/// Whether a fault is planted: never, in this build.
#[cfg(not(feature = "planted-faults"))]
#[allow(dead_code)]
pub(crate) const fn planted(_: PlantedFault) -> bool {
    false
}

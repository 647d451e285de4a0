//! What a run must keep, and what it looks like when it does not.

use std::fmt;

use serde::Serialize;

/// What must always hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// Once events stop and the vendor answers, the vendor holds what the source holds.
    Converges,
    /// Every event that was accepted ends in the ledger with a status.
    NothingLost,
    /// At most one vendor record per entity, none of a deleted one.
    NoDuplicates,
    /// The vendor never gets an older state after a newer one.
    NeverBackwards,
    /// A failing entity or vendor delays no other.
    NoBlocking,
    /// From the ledger alone one can say why an entity is or is not at the vendor.
    ExplainsItself,
    /// At most two write units per synced event, one per other.
    Cheap,
    /// No call to a vendor that is paused or whose circuit is open, except for probes that were claimed.
    Gated,
    /// A permanent refusal is not repeated without a new notification.
    RefusedOnce,
    /// A wake has an effect at most once.
    WokenOnce,
    /// What follows another entity is not booked while that one is known to wait.
    Waits,
    /// An event about our own write-back leads to no call.
    NoEcho,
    /// The ledger's records only go forwards.
    LedgerForwards,
    /// The answer to a batch names messages of the batch only.
    Answer,
    /// The engine does not panic.
    NoPanic,
}

/// A rule that was broken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// Which.
    pub rule: Rule,
    /// When, in virtual microseconds.
    pub at: u64,
    /// At which vendor.
    pub unit: usize,
    /// With which entity; `None` if it concerns all of them.
    pub entity: Option<usize>,
    /// How.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} at vendor v{}", self.rule, self.unit)?;
        if let Some(entity) = self.entity {
            write!(f, ", entity #{entity}")?;
        }
        write!(f, ": {}", self.what)
    }
}

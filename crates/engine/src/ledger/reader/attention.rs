//! The kinds of entities that wait, or need a person.

use crate::ledger::Status;

/// Why an entity stands in the index `attention`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttentionKind {
    /// A retry waits. The one that is due first comes first.
    Wake,
    /// It cannot succeed until the data changes. The newest comes first.
    Rejected,
    /// Retries are used up. The newest comes first.
    Dead,
}

impl AttentionKind {
    /// The status that an entity of this kind has.
    #[must_use]
    pub const fn status(self) -> Status {
        match self {
            Self::Wake => Status::Parked,
            Self::Rejected => Status::Rejected,
            Self::Dead => Status::Dead,
        }
    }

    /// The start of the index's sort key.
    pub(crate) const fn prefix(self) -> &'static str {
        match self {
            Self::Wake => "wake#",
            Self::Rejected => "rejected#",
            Self::Dead => "dead#",
        }
    }

    pub(super) const fn soonest_first(self) -> bool {
        matches!(self, Self::Wake)
    }
}

//! What was found, for programs.

use jiff::Timestamp;
use serde::Serialize;
use vendorbridge::Version;
use vendorbridge::ledger::Status;

use crate::failure::Failure;

/// A link of the chain of causes. The codes are fixed; the fields are those of the ledger's records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "code", rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the fields are named as in the ledger's records")]
pub enum Finding {
    /// The vendor never saw the entity.
    NeverSeen,
    /// The vendor holds what the source held when it was last read.
    AtVendor {
        read_at: Option<Timestamp>,
        settled_at: Timestamp,
        link: Option<String>,
        version: Option<Version>,
    },
    /// Neither the source nor the vendor has it.
    Removed { since: Timestamp },
    /// A rule of ours keeps it out.
    Excluded { since: Timestamp, rule: Option<String> },
    /// A retry waits.
    Parked {
        since: Timestamp,
        until: Timestamp,
        is_due: bool,
        attempts: u32,
        event_id: String,
        event_time: Timestamp,
        detail_type: String,
        error: Failure,
    },
    /// It cannot succeed until the data changes.
    Rejected {
        since: Timestamp,
        attempts: u32,
        error: Option<Failure>,
    },
    /// Its retries are used up.
    UsedUp {
        since: Timestamp,
        attempts: u32,
        error: Option<Failure>,
    },
    /// A person paused the vendor.
    Paused {
        since: Timestamp,
        until: Option<Timestamp>,
        reason: Option<String>,
    },
    /// The vendor's circuit is open.
    CircuitOpen {
        since: Timestamp,
        probes_from: Timestamp,
        probes_are_due: bool,
        times: u32,
        error: &'static str,
        reason: String,
    },
    /// Something may have happened at the vendor that the ledger does not know.
    InDoubt {
        is_unsure: bool,
        is_tried: bool,
        reserved_until: Option<Timestamp>,
        begun: Vec<String>,
        effects: Vec<String>,
    },
    /// Steps of the plan that are completed and not done again.
    Completed { steps: Vec<String> },
    /// The vendor holds an earlier state.
    HoldsEarlier {
        read_at: Option<Timestamp>,
        link: Option<String>,
    },
    /// The vendor holds nothing of it, as far as the ledger knows.
    HoldsNothing,
    /// The latest event is covered by a read of the source.
    Covered {
        event_id: String,
        event_time: Timestamp,
        read_at: Option<Timestamp>,
    },
    /// Another event does the work of the latest.
    Coalesced {
        event_id: String,
        event_time: Timestamp,
        by_event: Option<String>,
    },
    /// The latest event.
    LastEvent {
        event_id: String,
        event_time: Timestamp,
        status: Status,
        settled_at: Timestamp,
    },
}

//! What a write costs: DynamoDB counts whole kilobytes, and every change of an index as another write.

use std::io;

use serde::Serialize;
use vendorbridge::ledger::Status;

/// The write units of an item, by the size of its JSON.
pub(crate) fn units(item: &impl Serialize) -> usize {
    let mut size = Size(0);
    // Writing into a counter cannot fail; a record that is no JSON would be found by the engine's own tests.
    let _ = serde_json::to_writer(&mut size, item);
    size.0.div_ceil(1024).max(1)
}

/// The write units of an index: a changed key is a deletion and an insertion.
pub(crate) fn index_units(before: Option<&str>, after: Option<&str>) -> usize {
    match (before, after) {
        (None, None) => 0,
        (Some(before), Some(after)) if before == after => 1,
        (Some(_), Some(_)) => 2,
        _ => 1,
    }
}

/// Under what an outcome is counted.
pub(crate) fn status_label(status: Status) -> &'static str {
    match status {
        Status::Synced => "status SYNCED",
        Status::Deleted => "status DELETED",
        Status::Unchanged => "status UNCHANGED",
        Status::Covered => "status COVERED",
        Status::Excluded => "status EXCLUDED",
        Status::Coalesced => "status COALESCED",
        Status::Parked => "status PARKED",
        Status::Rejected => "status REJECTED",
        Status::Dead => "status DEAD",
    }
}

/// Under what an entity record's write is counted.
pub(crate) fn entity_label(status: Status) -> &'static str {
    match status {
        Status::Synced => "write units: entity SYNCED",
        Status::Deleted => "write units: entity DELETED",
        Status::Unchanged => "write units: entity UNCHANGED",
        Status::Covered => "write units: entity COVERED",
        Status::Excluded => "write units: entity EXCLUDED",
        Status::Coalesced => "write units: entity COALESCED",
        Status::Parked => "write units: entity PARKED",
        Status::Rejected => "write units: entity REJECTED",
        Status::Dead => "write units: entity DEAD",
    }
}

/// Under what an event record's write is counted.
pub(crate) fn event_label(status: Status) -> &'static str {
    match status {
        Status::Synced => "write units: event SYNCED",
        Status::Deleted => "write units: event DELETED",
        Status::Unchanged => "write units: event UNCHANGED",
        Status::Covered => "write units: event COVERED",
        Status::Excluded => "write units: event EXCLUDED",
        Status::Coalesced => "write units: event COALESCED",
        Status::Parked => "write units: event PARKED",
        Status::Rejected => "write units: event REJECTED",
        Status::Dead => "write units: event DEAD",
    }
}

struct Size(usize);

impl io::Write for Size {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

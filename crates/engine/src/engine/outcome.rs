//! What became of a message, and the record of it.

use jiff::Timestamp;

use crate::ledger::{EntityRecord, ErrorRecord, EventRecord, Recent, Status};
use crate::message::{Delivery, Excluded, Malformed, Notification};
use crate::{Error, ErrorKind, Stage};

/// What became of one message of a batch.
pub(super) enum Outcome {
    /// Acknowledged once this record is written.
    Settled(Box<EventRecord>),
    /// Acknowledged: handed to its lane, or its outcome is in the ledger already.
    Done,
    /// Left to the queue.
    Returned,
}

/// The record of a message that cannot be understood.
pub(super) fn malformed(
    vendor: &str,
    delivery: &Delivery,
    malformed: Malformed,
    now: Timestamp,
) -> EventRecord {
    let mut error = Error::permanent(ErrorKind::Invalid, Stage::Intake, &malformed.reason);
    if let Some(pointer) = malformed.pointer {
        error = error.at(pointer);
    }
    EventRecord {
        vendor: vendor.to_owned(),
        entity: crate::ledger::NO_ENTITY.to_owned(),
        event_id: malformed.event_id.unwrap_or_else(|| delivery.message_id.clone()),
        detail_type: malformed.detail_type.map(|text| text.chars().take(128).collect()),
        status: Status::Rejected,
        event_time: malformed.time.unwrap_or(now),
        settled_at: now,
        message_id: delivery.message_id.clone(),
        attempt: None,
        by_event: None,
        rule: None,
        link: None,
        receipt: None,
        version: None,
        source_ms: None,
        vendor_ms: None,
        wake_at: None,
        error: Some(ErrorRecord::from(&error)),
        is_second_hand: false,
        request_id: String::new(),
    }
}

/// The record of an event that a rule keeps out.
pub(super) fn kept_out(vendor: &str, delivery: &Delivery, excluded: Excluded, now: Timestamp) -> EventRecord {
    let Excluded {
        event_id,
        detail_type,
        time,
        entity,
        rule,
    } = excluded;
    let entity = entity.map_or_else(
        || crate::ledger::NO_ENTITY.to_owned(),
        |entity| entity.to_string(),
    );
    EventRecord {
        vendor: vendor.to_owned(),
        entity,
        event_id,
        detail_type: Some(detail_type.chars().take(128).collect()),
        status: Status::Excluded,
        event_time: time,
        settled_at: now,
        message_id: delivery.message_id.clone(),
        attempt: None,
        by_event: None,
        rule: Some(rule),
        link: None,
        receipt: None,
        version: None,
        source_ms: None,
        vendor_ms: None,
        wake_at: None,
        error: None,
        is_second_hand: false,
        request_id: String::new(),
    }
}

/// The record of a notification, before anything is known but its status.
pub(super) fn event(
    vendor: &str,
    notification: &Notification,
    delivery: &Delivery,
    status: Status,
    now: Timestamp,
) -> EventRecord {
    EventRecord {
        vendor: vendor.to_owned(),
        entity: notification.entity.as_str().to_owned(),
        event_id: notification.event_id.clone(),
        detail_type: Some(notification.detail_type.clone()),
        status,
        event_time: notification.time,
        settled_at: now,
        message_id: delivery.message_id.clone(),
        attempt: None,
        by_event: None,
        rule: None,
        link: None,
        receipt: None,
        version: notification.version.clone(),
        source_ms: None,
        vendor_ms: None,
        wake_at: None,
        error: None,
        is_second_hand: false,
        request_id: String::new(),
    }
}

/// The record of a notification whose work another event does.
pub(super) fn coalesced(
    vendor: &str,
    notification: &Notification,
    delivery: &Delivery,
    into: &str,
    now: Timestamp,
) -> EventRecord {
    let mut event = event(vendor, notification, delivery, Status::Coalesced, now);
    event.by_event = Some(into.to_owned());
    event
}

/// The record of an event whose outcome only the entity record may have. What stands beside the outcome in the entity record
/// is this event's if its outcome is the latest.
pub(super) fn remembered(
    vendor: &str,
    record: &EntityRecord,
    known: &Recent,
    delivery: &Delivery,
) -> EventRecord {
    let latest = record.recent.last() == Some(known);
    let beside = latest.then_some(record);
    let parked = beside.and_then(|record| record.parked.as_ref());
    EventRecord {
        vendor: vendor.to_owned(),
        entity: record.entity.as_str().to_owned(),
        event_id: known.event_id.clone(),
        detail_type: None,
        status: known.status,
        event_time: known.time,
        settled_at: known.at,
        message_id: delivery.message_id.clone(),
        attempt: None,
        by_event: None,
        rule: None,
        link: beside.and_then(|record| record.link.clone()),
        receipt: None,
        version: beside.and_then(|record| record.pushed_version.clone()),
        source_ms: None,
        vendor_ms: None,
        wake_at: parked.map(|parked| parked.wake_at),
        error: parked
            .map(|parked| parked.error.clone())
            .or_else(|| beside?.error.clone()),
        is_second_hand: true,
        request_id: String::new(),
    }
}

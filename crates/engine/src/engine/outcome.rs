//! What became of a message, and the record of it.

use jiff::Timestamp;

use crate::ledger::{EntityRecord, ErrorRecord, EventRecord, Recent, Status};
use crate::message::{Delivery, Excluded, Malformed, Notification};
use crate::{EntityKey, Error, ErrorKind, Stage};

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
    let event_id = malformed.event_id.as_deref().unwrap_or(&delivery.message_id);
    EventRecord {
        detail_type: malformed.detail_type.map(|text| text.chars().take(128).collect()),
        error: Some(ErrorRecord::from(&error)),
        ..EventRecord::new(
            vendor,
            crate::ledger::NO_ENTITY,
            event_id,
            Status::Rejected,
            malformed.time.unwrap_or(now),
            now,
            &delivery.message_id,
        )
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
    let entity = entity
        .as_ref()
        .map_or(crate::ledger::NO_ENTITY, EntityKey::as_str);
    EventRecord {
        detail_type: Some(detail_type.chars().take(128).collect()),
        rule: Some(rule),
        ..EventRecord::new(
            vendor,
            entity,
            &event_id,
            Status::Excluded,
            time,
            now,
            &delivery.message_id,
        )
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
        detail_type: Some(notification.detail_type.clone()),
        version: notification.version.clone(),
        trace: notification.trace,
        ..EventRecord::new(
            vendor,
            notification.entity.as_str(),
            &notification.event_id,
            status,
            notification.time,
            now,
            &delivery.message_id,
        )
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
        link: beside.and_then(|record| record.link.clone()),
        version: beside.and_then(|record| record.pushed_version.clone()),
        wake_at: parked.map(|parked| parked.wake_at),
        error: parked
            .map(|parked| parked.error.clone())
            .or_else(|| beside?.error.clone()),
        is_second_hand: true,
        ..EventRecord::new(
            vendor,
            record.entity.as_str(),
            &known.event_id,
            known.status,
            known.time,
            known.at,
            &delivery.message_id,
        )
    }
}

//! What to do with a message, given what the ledger knows: a pure function.

use std::cmp::Ordering;

use jiff::{SignedDuration, Timestamp};

use crate::circuit::Gate;
use crate::ledger::{EntityRecord, Parked};
use crate::message::{Carried, Message, Notification};
use crate::sabotage::{self, Sabotage};

/// EventBridge cuts times to whole seconds, and clocks differ: a notification must be this much older than a read to
/// be covered by it.
pub const COVERED_MARGIN: SignedDuration = SignedDuration::from_secs(2);
/// The waker's clock and the function's may differ by this much.
const WAKE_MARGIN: SignedDuration = SignedDuration::from_secs(5);

/// What to do with a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// An earlier read of the source already saw this change.
    Covered,
    /// A retry waits for this entity: it will do this one's work too. One that somebody forces does not wait for it, where the
    /// entity fails by itself and the vendor may be called: then the retry is made now.
    Join,
    /// Read the source and bring the vendor up to date.
    Sync,
    /// The vendor may not be called: what this message asks for waits.
    Paused,
    /// A wake for a retry that is no longer waiting, or was put off: nothing to do.
    Stale,
}

/// Decides on one message.
///
/// `redelivered`: the queue handed the message out before. What that attempt did is unknown, so no shortcut is taken.
/// `gate`: how the vendor stands; probes are for the caller to hand out.
#[must_use]
pub fn decide(
    record: &EntityRecord,
    gate: Gate,
    message: &Message,
    redelivered: bool,
    now: Timestamp,
) -> Decision {
    let decision = without_gate(record, message, redelivered, now);
    match (decision, gate) {
        // Whoever forces a retry that waits gains nothing as long as nobody may call: it waits as it did.
        (Decision::Sync, Gate::Paused | Gate::Open { .. })
            if record.parked.is_some() && matches!(message, Message::Notification(_)) =>
        {
            Decision::Join
        }
        (Decision::Sync, Gate::Paused | Gate::Open { .. }) => Decision::Paused,
        (decision, _) => decision,
    }
}

fn without_gate(record: &EntityRecord, message: &Message, redelivered: bool, now: Timestamp) -> Decision {
    match message {
        Message::Wake(_) if sabotage::is(Sabotage::WakeTwice) => Decision::Sync,
        Message::Wake(_) => match &record.parked {
            Some(parked) if parked.wake_at <= later(now, WAKE_MARGIN) => Decision::Sync,
            _ => Decision::Stale,
        },
        Message::Notification(notification) => {
            if let Some(parked) = &record.parked {
                return if is_retry_now(parked, notification) {
                    Decision::Sync
                } else {
                    Decision::Join
                };
            }
            let sure = !redelivered && !record.unsure && !notification.is_forced;
            let covered = match &notification.carried {
                Some(carried) => is_overtaken(record, carried, sure),
                None => sure && is_covered(record, notification),
            };
            if covered {
                Decision::Covered
            } else {
                Decision::Sync
            }
        }
    }
}

/// Whether the retry that waits is made now because somebody forces it. The waiting event itself, delivered again, does not.
fn is_retry_now(parked: &Parked, notification: &Notification) -> bool {
    notification.is_forced && parked.fails_alone() && notification.event_id != parked.event_id
}

/// An older state never follows a newer one, however often it is delivered and whatever is uncertain. Nobody is asked for a
/// newer one, so times tell nothing.
fn is_overtaken(record: &EntityRecord, carried: &Carried, sure: bool) -> bool {
    match &record.pushed_version {
        _ if sabotage::is(Sabotage::CarriedInAnyOrder) => false,
        Some(pushed) if carried.version == *pushed => {
            // What was refused may be tried again. And a removal may be announced with the place of the state that it removes.
            let is_news = record.error.is_some() || (carried.state.is_none() && record.pushed_hash.is_some());
            sure && !is_news
        }
        Some(pushed) => carried.is_older_than(pushed),
        None => false,
    }
}

/// A version decides where both sides have comparable ones; time decides otherwise.
///
/// An older version that was announced clearly after the read is no old news: the source may have begun to count anew.
fn is_covered(record: &EntityRecord, notification: &Notification) -> bool {
    let Some(read_at) = record.read_at else {
        return false;
    };
    let order = match (&record.pushed_version, &notification.version) {
        (Some(pushed), Some(announced)) => pushed.partial_cmp(announced),
        _ => None,
    };
    match order {
        Some(Ordering::Equal) => true,
        Some(Ordering::Less) => false,
        Some(Ordering::Greater) => notification.time <= later(read_at, COVERED_MARGIN),
        None if sabotage::is(Sabotage::CoveredWithoutMargin) => notification.time <= read_at,
        None => later(notification.time, COVERED_MARGIN) <= read_at,
    }
}

fn later(time: Timestamp, by: SignedDuration) -> Timestamp {
    time.saturating_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::ledger::{ErrorRecord, Status};
    use crate::{EntityKey, Error, ErrorKind, Stage, Version};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + second).unwrap()
    }

    fn entity() -> EntityKey {
        EntityKey::new("customer", "1").unwrap()
    }

    fn synced(read_at: i64, version: Option<Version>) -> EntityRecord {
        let mut record =
            EntityRecord::unknown("mailchimp", entity()).next(Status::Synced, "e0", at(read_at), at(read_at));
        record.read_at = Some(at(read_at));
        record.pushed_version = version;
        record
    }

    fn parked(wake_at: i64) -> EntityRecord {
        let mut record = synced(0, None);
        record.parked = Some(Parked {
            trace: None,
            wake_at: at(wake_at),
            since: at(0),
            event_id: "e1".into(),
            event_time: at(0),
            detail_type: "t".into(),
            version: None,
            lagging_since: None,
            denied_since: None,
            carried: None,
            asks: false,
            error: ErrorRecord::from(&Error::retry(ErrorKind::Unavailable, Stage::Push, "down")),
        });
        record
    }

    fn waits_for_the_vendor(wake_at: i64) -> EntityRecord {
        let mut record = parked(wake_at);
        if let Some(parked) = &mut record.parked {
            parked.error.kind = ErrorKind::CircuitOpen;
        }
        record
    }

    fn waits_as(event_id: &str) -> EntityRecord {
        let mut record = parked(90);
        if let Some(parked) = &mut record.parked {
            event_id.clone_into(&mut parked.event_id);
        }
        record
    }

    fn notification(time: i64, version: Option<Version>) -> Message {
        Message::Notification(Notification {
            trace: None,
            event_id: "e2".into(),
            detail_type: "t".into(),
            time: at(time),
            entity: entity(),
            version,
            carried: None,
            is_forced: false,
        })
    }

    fn carried(version: u64) -> Message {
        let Message::Notification(mut notification) = notification(90, V(version)) else {
            unreachable!("made as one")
        };
        notification.carried = Some(Carried {
            version: Version::Number(version),
            state: None,
        });
        Message::Notification(notification)
    }

    fn forced() -> Message {
        let Message::Notification(mut notification) = notification(8, None) else {
            unreachable!("made as one")
        };
        notification.is_forced = true;
        Message::Notification(notification)
    }

    const V: fn(u64) -> Option<Version> = |number| Some(Version::Number(number));

    #[rstest]
    #[case::older_than_the_read(synced(10, None), notification(8, None), Decision::Covered)]
    #[case::within_the_margin(synced(10, None), notification(9, None), Decision::Sync)]
    #[case::newer(synced(10, None), notification(11, None), Decision::Sync)]
    #[case::same_version(synced(10, V(3)), notification(90, V(3)), Decision::Covered)]
    #[case::older_version(synced(10, V(3)), notification(8, V(2)), Decision::Covered)]
    #[case::older_version_of_the_same_seconds(synced(10, V(3)), notification(12, V(2)), Decision::Covered)]
    #[case::older_version_announced_later(synced(10, V(3)), notification(90, V(2)), Decision::Sync)]
    #[case::newer_version_with_an_old_time(synced(10, V(3)), notification(1, V(4)), Decision::Sync)]
    #[case::tag_against_number_falls_back_to_time(
        synced(10, Some(Version::Tag("x".into()))), notification(8, V(1)), Decision::Covered
    )]
    #[case::never_seen(EntityRecord::unknown("m", entity()), notification(1, V(1)), Decision::Sync)]
    #[case::waits_already(parked(60), notification(99, V(9)), Decision::Join)]
    #[case::due(parked(60), Message::Wake(entity()), Decision::Sync)]
    #[case::not_due(parked(90), Message::Wake(entity()), Decision::Stale)]
    #[case::no_longer_waiting(synced(10, None), Message::Wake(entity()), Decision::Stale)]
    #[case::carried_older_though_announced_later(synced(10, V(3)), carried(2), Decision::Covered)]
    #[case::carried_the_same(synced(10, V(3)), carried(3), Decision::Covered)]
    #[case::carried_newer(synced(99, V(3)), carried(4), Decision::Sync)]
    #[case::carried_after_a_tag(synced(99, Some(Version::Tag("x".into()))), carried(4), Decision::Sync)]
    #[case::carried_while_one_waits(parked(60), carried(1), Decision::Join)]
    #[case::forced(synced(10, V(3)), forced(), Decision::Sync)]
    #[case::forced_while_one_waits(parked(90), forced(), Decision::Sync)]
    #[case::forced_while_one_waits_for_the_vendor(waits_for_the_vendor(90), forced(), Decision::Join)]
    #[case::forced_and_delivered_again(waits_as("e2"), forced(), Decision::Join)]
    fn decides(#[case] record: EntityRecord, #[case] message: Message, #[case] expected: Decision) {
        assert_eq!(decide(&record, Gate::Closed, &message, false, at(60)), expected);
    }

    #[rstest]
    #[case(Gate::Probe, Decision::Sync)]
    #[case(Gate::Paused, Decision::Join)]
    #[case(Gate::Open { retry_at: at(99) }, Decision::Join)]
    fn a_forced_retry_asks_the_gate(#[case] gate: Gate, #[case] expected: Decision) {
        assert_eq!(decide(&parked(90), gate, &forced(), false, at(60)), expected);
    }

    #[test]
    fn a_redelivery_and_an_unsure_record_are_never_covered() {
        let mut record = synced(10, V(3));
        let old = notification(1, V(1));
        assert_eq!(decide(&record, Gate::Closed, &old, true, at(60)), Decision::Sync);
        record.unsure = true;
        assert_eq!(decide(&record, Gate::Closed, &old, false, at(60)), Decision::Sync);
    }

    #[test]
    fn an_older_carried_state_is_covered_whatever_is_uncertain() {
        let mut record = synced(10, V(3));
        record.unsure = true;
        assert_eq!(
            decide(&record, Gate::Closed, &carried(2), true, at(60)),
            Decision::Covered
        );
        assert_eq!(
            decide(&record, Gate::Closed, &carried(3), true, at(60)),
            Decision::Sync
        );
    }
}

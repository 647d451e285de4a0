use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::circuit::Gate;
use crate::engine::admission::Admission;
use crate::engine::attempt::Leader;
use crate::engine::truth::Truth;
use crate::ledger::{EntityRecord, VendorRecord};
use crate::message::EntityKey;

/// A delivery of a message.
type Delivered<'a> = (&'a str, u32);

fn record(revision: u64) -> EntityRecord {
    let mut record = EntityRecord::unknown("names", EntityKey::new("person", "1").unwrap());
    record.revision = revision;
    record
}

/// What is tried for this payload, in the name of this delivery, while the record stands so.
fn tries(record: &EntityRecord, (message_id, receive_count): Delivered<'_>, hash: &str) -> Tried {
    let leader = Leader {
        trace: None,
        event_id: "e-1".to_owned(),
        event_time: Timestamp::UNIX_EPOCH,
        detail_type: "PersonChanged".to_owned(),
        message_id: message_id.to_owned(),
        receive_count,
        is_retry: false,
    };
    let work = Work {
        entity: &record.entity.clone(),
        record: record.clone(),
        leader: &leader,
        admission: &Admission::new(VendorRecord::new("names"), Gate::Closed, 0),
        deadline: Timestamp::MAX,
        at_least: None,
        truth: Truth::default(),
        is_folded: false,
        forced_by: None,
        denied_since: None,
        is_fresh: receive_count <= 1,
    };
    tried(&work, hash)
}

/// The record after the push was settled in the name of this delivery, as `Engine::next_record` leaves it.
fn settled(record: &EntityRecord, (message_id, receive_count): Delivered<'_>, tried: &Tried) -> EntityRecord {
    let mut next = record.clone();
    next.revision += 1;
    next.tried = None;
    next.pushed_hash = (tried.hash != REMOVED).then(|| tried.hash.clone());
    next.pushed_revision = Some(tried.revision);
    next.pushed_by = Some(delivery_mark(message_id, receive_count));
    next
}

/// The record after the push failed, or was written ahead.
fn failed(record: &EntityRecord, tried: &Tried) -> EntityRecord {
    let mut next = record.clone();
    next.revision += 1;
    next.tried = Some(tried.clone());
    next.pushed_revision = None;
    next.pushed_by = None;
    next
}

fn hash() -> impl Strategy<Value = String> {
    prop_oneof![1 => Just(REMOVED.to_owned()), 4 => "[0-9a-f]{32}"]
}

fn message() -> impl Strategy<Value = String> {
    "[0-9a-f]{8}-[0-9a-f]{4}"
}

proptest! {
    /// However often it fails and in whose name ever it is tried again, it is the same push.
    #[test]
    fn what_is_not_settled_keeps_its_key(
        start in 0..u64::MAX / 2, hash in hash(), again in prop::collection::vec((message(), 1..9_u32), 0..6),
    ) {
        let mut record = record(start);
        let first = tries(&record, ("first", 1), &hash);
        prop_assert_eq!(&first, &Tried { hash: hash.clone(), revision: start });
        for (message, count) in &again {
            record = failed(&record, &first);
            prop_assert_eq!(&tries(&record, (message, *count), &hash), &first);
        }
    }

    /// The process died between the settle and the acknowledgement.
    #[test]
    fn the_next_delivery_of_what_settled_it_is_the_same_push(
        start in 0..u64::MAX / 2, hash in hash(), message in message(), count in 1..u32::MAX - 9,
    ) {
        let mut record = record(start);
        let first = tries(&record, (&message, count), &hash);
        for again in 0..4 {
            record = settled(&record, (&message, count + again), &first);
            prop_assert_eq!(&tries(&record, (&message, count + again + 1), &hash), &first);
        }
    }

    /// What was settled and is pushed by anything but its next delivery is a new push: in between the vendor may have got
    /// another state, and would take the old key for done.
    #[test]
    fn what_was_settled_is_pushed_under_a_new_key(
        start in 0..u64::MAX / 2, hash in hash(), messages in (message(), message()), counts in (1..99_u32, 1..99_u32),
    ) {
        let before = (messages.0.as_str(), counts.0);
        let now = (messages.1.as_str(), counts.1);
        prop_assume!(now != (before.0, before.1 + 1));
        let first = tries(&record(start), before, &hash);
        let record = settled(&record(start), before, &first);
        prop_assert_eq!(tries(&record, now, &hash), Tried { hash, revision: start + 1 });
    }

    #[test]
    fn another_payload_is_another_push(
        start in 0..u64::MAX / 2, hashes in (hash(), hash()), message in message(), count in 1..99_u32, got_through in any::<bool>(),
    ) {
        prop_assume!(hashes.0 != hashes.1);
        let delivered = (message.as_str(), count);
        let first = tries(&record(start), delivered, &hashes.0);
        let record = if got_through { settled(&record(start), delivered, &first) } else { failed(&record(start), &first) };
        let second = tries(&record, (&message, count + 1), &hashes.1);
        prop_assert_eq!(&second, &Tried { hash: hashes.1, revision: start + 1 });
        // And back again: the first payload is not what was tried last, so it is not repeated either.
        let record = failed(&record, &second);
        prop_assert!(tries(&record, (&message, count + 2), &hashes.0).revision > first.revision);
    }

    #[test]
    fn a_mark_names_one_delivery(messages in (".{0,40}", ".{0,40}"), counts in (any::<u32>(), any::<u32>())) {
        let mark = delivery_mark(&messages.0, counts.0);
        prop_assert!(mark.len() == 8 && mark.bytes().all(|byte| byte.is_ascii_hexdigit()));
        prop_assert_eq!(&mark, &delivery_mark(&messages.0, counts.0));
        prop_assert_ne!(&mark, &delivery_mark(&messages.0, counts.0.wrapping_add(1)));
        prop_assume!((&messages.0, counts.0) != (&messages.1, counts.1));
        prop_assert_ne!(mark, delivery_mark(&messages.1, counts.1));
    }

    #[test]
    fn a_digest_names_one_text(texts in (".{0,80}", ".{0,80}")) {
        prop_assert_eq!(digest(&texts.0).len(), 32);
        prop_assert_eq!(digest(&texts.0) == digest(&texts.1), texts.0 == texts.1);
    }
}

/// Digits of the message and of the count do not run together, and the largest count is no special one.
#[test]
fn neighbouring_deliveries_have_marks_of_their_own() {
    let deliveries = [
        ("m", 11),
        ("m1", 1),
        ("m", 1),
        ("m", 2),
        ("m1", 11),
        ("m", u32::MAX),
        ("", 0),
        ("m", 0),
    ];
    let marks: std::collections::HashSet<_> = deliveries
        .iter()
        .map(|(id, count)| delivery_mark(id, *count))
        .collect();
    assert_eq!(marks.len(), deliveries.len());
    let first = tries(&record(3), ("m", u32::MAX), REMOVED);
    assert_eq!(first.revision, 3);
}

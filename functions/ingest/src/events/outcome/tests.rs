use rstest::rstest;
use vendorbridge::ledger::{EntityRecord, EventRecord, Parked};
use vendorbridge::{EntityKey, Error, ErrorKind, Stage};

use super::*;

fn at() -> Timestamp {
    "2026-01-29T14:36:26Z".parse().unwrap()
}

fn event(status: Status) -> EventRecord {
    EventRecord::new(
        "discovery",
        "course/acme:1",
        "acme:e-1",
        status,
        at(),
        at(),
        "m-1",
    )
}

fn error() -> ErrorRecord {
    ErrorRecord::from(&Error::retry(ErrorKind::Timeout, Stage::Push, "late").in_step("course"))
}

fn entity(status: Status, pushed: Option<u64>) -> EntityRecord {
    let key = EntityKey::new("course", "acme:1").unwrap();
    let mut record = EntityRecord::unknown("discovery", key);
    record.status = status;
    record.synced_version = pushed.map(Version::Number);
    record
}

fn told(event: &EventRecord, entity: Option<&EntityRecord>, revision: u64) -> Standing {
    let outcome = Outcome {
        event: Some(event.clone()),
        entity: entity.cloned(),
    };
    standing(&outcome, "acme:e-1", revision)
}

fn name(standing: &Standing) -> &'static str {
    match standing {
        Standing::Pending => "pending",
        Standing::Done(_) => "done",
        Standing::Retrying(..) => "retrying",
        Standing::Failed(_) => "failed",
    }
}

#[rstest]
#[case(Status::Synced, "done")]
#[case(Status::Unchanged, "done")]
#[case(Status::Parked, "retrying")]
#[case(Status::Rejected, "failed")]
#[case(Status::Dead, "failed")]
fn an_events_own_outcome(#[case] status: Status, #[case] expected: &str) {
    let mut event = event(status);
    event.error = Some(error());
    event.wake_at = (status == Status::Parked).then(at);
    assert_eq!(name(&told(&event, None, 1)), expected);
}

/// Another event's work: it counts once it includes this one.
#[rstest]
#[case(entity(Status::Synced, Some(7)), "done")]
#[case(entity(Status::Synced, Some(6)), "pending")]
#[case(entity(Status::Synced, None), "pending")]
fn work_that_another_event_does(#[case] entity: EntityRecord, #[case] expected: &str) {
    for status in [Status::Coalesced, Status::Covered] {
        assert_eq!(name(&told(&event(status), Some(&entity), 7)), expected);
        assert_eq!(name(&told(&event(status), None, 7)), "pending");
    }
}

#[test]
fn work_of_another_event_that_waits_or_failed() {
    let mut waiting = entity(Status::Parked, Some(6));
    waiting.parked = Some(Parked {
        trace: None,
        wake_at: at(),
        since: at(),
        event_id: "acme:e-0".to_owned(),
        event_time: at(),
        detail_type: "LineStateChanged".to_owned(),
        version: None,
        lagging_since: None,
        denied_since: None,
        carried: None,
        asks: false,
        error: error(),
    });
    let found = told(&event(Status::Coalesced), Some(&waiting), 7);
    assert!(
        matches!(&found, Standing::Retrying(failure, again) if failure.error.step.as_deref() == Some("course") && *again == at())
    );
    let mut refused = entity(Status::Rejected, Some(6));
    refused.error = Some(error());
    assert_eq!(
        name(&told(&event(Status::Coalesced), Some(&refused), 7)),
        "failed"
    );
}

/// Nothing is written of the event itself: another one may have brought what it brought.
#[rstest]
#[case(None, false, "pending")]
#[case(Some(6), false, "pending")]
#[case(Some(7), false, "done")]
#[case(Some(7), true, "pending")]
fn an_event_without_a_record(#[case] synced: Option<u64>, #[case] is_own: bool, #[case] expected: &str) {
    let mut entity = entity(Status::Synced, synced);
    if is_own {
        entity = entity.next(Status::Synced, "acme:e-1", at(), at());
    }
    let outcome = Outcome {
        event: None,
        entity: Some(entity),
    };
    assert_eq!(name(&standing(&outcome, "acme:e-1", 7)), expected);
}

#[test]
fn what_was_brought_stays_done_whatever_fails_later() {
    let mut later = entity(Status::Rejected, Some(7));
    later.error = Some(error());
    assert_eq!(name(&told(&event(Status::Covered), Some(&later), 7)), "done");
    assert_eq!(name(&told(&event(Status::Covered), Some(&later), 8)), "failed");
}

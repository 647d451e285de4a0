//! What happens when something fails: nothing is lost, nobody else waits.

use std::slice;

use rstest::rstest;
use vendorbridge::ledger::{KeepSent, Status};
use vendorbridge::{ErrorKind, Stage, Verdict};

use crate::bench::{Bench, event_id, lock};

const LATER: Verdict = Verdict::Retry { after: None };

fn fail(bench: &Bench, id: &str, kind: ErrorKind, verdict: Verdict) {
    lock(&bench.world)
        .fail_push
        .insert(id.to_owned(), (kind, verdict));
}

#[tokio::test]
async fn a_bad_message_is_recorded_and_blocks_nobody() {
    let mut bench = Bench::new();
    let mut batch = Vec::new();
    for id in 0..9 {
        bench.set(&id.to_string(), "Ada", None);
        batch.push(bench.event(&id.to_string(), None));
    }
    let bad = bench.message("intake", "{{{");
    batch.insert(4, bad.clone());
    assert_eq!(bench.deliver(&batch).await, Vec::<String>::new());
    assert_eq!(bench.pushes(), 9);
    let record = bench.ledger.event(&bad.message_id).unwrap();
    assert_eq!((record.status, record.entity.as_str()), (Status::Rejected, "-"));
    assert!(record.error.unwrap().message.contains("expected JSON"));
}

#[tokio::test]
async fn a_record_that_cannot_be_mapped_is_rejected_by_field() {
    let mut bench = Bench::new();
    bench.set("1", "", None);
    let event = bench.event("1", None);
    assert_eq!(bench.settle(&event).await, Status::Rejected);
    let error = bench.record("1").error.unwrap();
    assert_eq!(
        (error.stage, error.pointer.as_deref()),
        (Stage::Map, Some("/name"))
    );
    bench.set("1", "Ada", None);
    let event = bench.event("1", None);
    assert_eq!(bench.settle(&event).await, Status::Synced);
    assert_eq!(bench.record("1").error, None);
}

#[tokio::test]
async fn a_retryable_failure_parks_the_entity_alone() {
    let mut bench = Bench::new();
    lock(&bench.world).natural = true;
    for id in ["1", "2"] {
        bench.set(id, "Ada", None);
    }
    fail(&bench, "1", ErrorKind::Unavailable, Verdict::Unknown);
    let batch = [bench.event("1", None), bench.event("2", None)];
    assert_eq!(bench.deliver(&batch).await, Vec::<String>::new());
    let parked = bench.record("1");
    assert_eq!(
        (parked.status, parked.attempts, parked.unsure),
        (Status::Parked, 1, true)
    );
    assert_eq!(
        (parked.link, parked.maybe_links),
        (None, vec!["natural-Ada".to_owned()])
    );
    let wait = parked.parked.unwrap();
    assert!(wait.wake_at > bench.now() && wait.error.code.as_deref() == Some("E42"));
    assert_eq!(bench.record("2").status, Status::Synced);
}

#[tokio::test]
async fn what_may_have_happened_is_pushed_again() {
    let mut bench = Bench::new();
    bench.set("1", "Ada", None);
    let first = bench.event("1", None);
    bench.settle(&first).await;
    // The push of another state gets through, but nobody learns of it; then the source goes back.
    bench.set("1", "Bob", None);
    bench.advance(10);
    fail(&bench, "1", ErrorKind::Timeout, Verdict::Unknown);
    lock(&bench.world).accept_anyway = true;
    let second = bench.event("1", None);
    assert_eq!(bench.settle(&second).await, Status::Parked);
    assert_eq!(bench.held("1").as_deref(), Some("Bob"));
    lock(&bench.world).fail_push.clear();
    bench.set("1", "Ada", None);
    bench.advance(3600);
    bench.wake().await;
    assert_eq!(bench.held("1").as_deref(), Some("Ada"));
    assert_eq!(bench.ledger.status(&event_id(&second)), Some(Status::Synced));
}

#[tokio::test]
async fn a_lagging_source_is_asked_again() {
    let mut bench = Bench::new();
    bench.set("1", "Ada", Some(1));
    let event = bench.event("1", Some(2));
    assert_eq!(bench.settle(&event).await, Status::Parked);
    let parked = bench.record("1");
    assert_eq!(parked.parked.unwrap().error.kind, ErrorKind::Lagging);
    assert!(!parked.unsure);
    assert_eq!(bench.pushes(), 0);
    bench.set("1", "Bob", Some(2));
    bench.advance(60);
    bench.wake().await;
    assert_eq!(bench.held("1").as_deref(), Some("Bob"));
}

#[tokio::test]
async fn an_older_answer_never_overwrites_a_newer_state() {
    let mut bench = Bench::new();
    bench.set("1", "Bob", Some(2));
    let first = bench.event("1", Some(2));
    bench.settle(&first).await;
    bench.set("1", "Ada", Some(1));
    bench.advance(10);
    let second = bench.event("1", None);
    assert_eq!(bench.settle(&second).await, Status::Parked);
    assert_eq!(bench.held("1").as_deref(), Some("Bob"));
}

#[tokio::test]
async fn retries_end_at_the_horizon() {
    let mut bench = Bench::new();
    bench.set("1", "Ada", None);
    fail(&bench, "1", ErrorKind::Unavailable, LATER);
    let event = bench.event("1", None);
    bench.settle(&event).await;
    let mut rounds = 0;
    while bench.record("1").status == Status::Parked {
        rounds += 1;
        assert!(rounds < 200, "the retries never end");
        bench.advance(3600);
        bench.wake().await;
    }
    assert_eq!(bench.record("1").status, Status::Dead);
    assert!((72..=74).contains(&rounds), "{rounds}");
    assert_eq!(bench.ledger.status(&event_id(&event)), Some(Status::Dead));
    lock(&bench.world).fail_push.clear();
    let fresh = bench.event("1", None);
    assert_eq!(bench.settle(&fresh).await, Status::Synced);
}

#[tokio::test]
async fn a_panic_fails_its_entity_only() {
    let mut bench = Bench::new();
    for id in ["1", "2"] {
        bench.set(id, "Ada", None);
    }
    lock(&bench.world).panic_on = Some("1".to_owned());
    let batch = [bench.event("1", None), bench.event("2", None)];
    assert_eq!(bench.deliver(&batch).await, Vec::<String>::new());
    let parked = bench.record("1").parked.unwrap();
    assert_eq!(parked.error.kind, ErrorKind::Panicked);
    assert_eq!(bench.record("2").status, Status::Synced);
}

#[tokio::test]
async fn an_unreachable_ledger_leaves_the_messages_in_the_queue() {
    let mut bench = Bench::new();
    bench.set("1", "Ada", None);
    let event = bench.event("1", None);
    bench.ledger.fail_reads(true);
    bench.gives_back(&event).await;
    assert_eq!(bench.pushes(), 0);
    bench.ledger.fail_reads(false);
    bench.ledger.fail_settles(true);
    bench.gives_back(&event).await;
    bench.ledger.fail_settles(false);
    bench.ledger.fail_records(true);
    bench.gives_back(&event).await;
    assert_eq!(bench.ledger.event(&event_id(&event)), None);
}

#[tokio::test]
async fn a_lost_race_is_synced_again_instead_of_overwriting() {
    let mut bench = Bench::new();
    bench.set("1", "Ada", None);
    let first = bench.event("1", None);
    bench.settle(&first).await;
    let stale = bench.record("1");
    bench.set("1", "Bob", None);
    bench.advance(10);
    let event = bench.event("1", None);
    // Somebody settles between this batch's read and its settle: the conditional write must lose.
    let mut theirs = stale.clone();
    theirs.revision += 1;
    bench.ledger.overwrite_after_read(theirs);
    assert_eq!(bench.settle(&event).await, Status::Synced);
    // Theirs, the doubt written ahead of the second push, and the settle.
    assert_eq!(bench.record("1").revision, stale.revision + 3);
}

#[tokio::test]
async fn no_work_starts_without_the_time_for_it() {
    let mut bench = Bench::new();
    bench.set("1", "Ada", None);
    let event = bench.event("1", None);
    assert_eq!(bench.deliver_before(slice::from_ref(&event), 15).await.len(), 1);
    assert_eq!(bench.pushes(), 0);
}

#[tokio::test]
async fn what_is_given_back_keeps_the_order_of_its_group() {
    let mut bench = Bench::new();
    for id in ["1", "2"] {
        bench.set(id, "Ada", None);
    }
    // The first event of a lane is a duplicate that is covered, the second must be given back with what follows.
    let batch = [
        bench.event("1", None),
        bench.event("2", None),
        bench.event("1", None),
    ];
    bench.ledger.fail_settles(true);
    let ids: Vec<_> = batch.iter().map(|delivery| delivery.message_id.clone()).collect();
    assert_eq!(bench.deliver(&batch).await, ids);
}

#[tokio::test]
async fn a_source_that_denies_what_it_announced_is_asked_once_more() {
    let mut bench = Bench::new();
    let event = bench.event("1", Some(1));
    assert_eq!(bench.settle(&event).await, Status::Parked);
    bench.set("1", "Ada", Some(1));
    bench.advance(60);
    bench.wake().await;
    assert_eq!(bench.held("1").as_deref(), Some("Ada"));
    // The second answer is believed.
    lock(&bench.world).source.clear();
    bench.advance(10);
    let event = bench.event("1", Some(2));
    assert_eq!(bench.settle(&event).await, Status::Parked);
    assert_eq!(bench.held("1").as_deref(), Some("Ada"));
    bench.advance(60);
    bench.wake().await;
    assert_eq!(bench.ledger.status(&event_id(&event)), Some(Status::Deleted));
    assert_eq!(bench.held("1"), None);
}

#[tokio::test]
async fn a_wrong_version_does_not_stop_an_entity_for_ever() {
    let mut bench = Bench::new();
    bench.set("1", "Ada", Some(1));
    let wrong = bench.event("1", Some(u64::MAX));
    assert_eq!(bench.settle(&wrong).await, Status::Parked);
    for _ in 0..20 {
        bench.advance(120);
        bench.wake().await;
    }
    assert_eq!(bench.held("1").as_deref(), Some("Ada"));
    assert_eq!(bench.record("1").status, Status::Synced);
}

#[tokio::test]
async fn a_source_that_counts_anew_is_followed() {
    let mut bench = Bench::new();
    bench.set("1", "Ada", Some(9));
    let first = bench.event("1", Some(9));
    bench.settle(&first).await;
    bench.set("1", "Bob", Some(1));
    bench.advance(60);
    let anew = bench.event("1", Some(1));
    assert_eq!(bench.settle(&anew).await, Status::Parked);
    for _ in 0..20 {
        bench.advance(120);
        bench.wake().await;
    }
    assert_eq!(bench.held("1").as_deref(), Some("Bob"));
}

/// The process dies between the settle and the acknowledgement: the queue delivers again what is settled.
#[tokio::test]
async fn the_next_delivery_of_a_settled_message_repeats_its_push() {
    let mut bench = Bench::new();
    bench.set("1", "Ada", None);
    let mut event = bench.event("1", None);
    for receive_count in [1, 2, 3] {
        event.receive_count = receive_count;
        bench.settle(&event).await;
    }
    // A delivery in between may have pushed anything: this one is no repeat.
    event.receive_count = 5;
    bench.settle(&event).await;
    let keys = lock(&bench.world).keys.clone();
    assert_eq!(keys.len(), 4);
    assert!(
        keys[0] == keys[1] && keys[1] == keys[2] && keys[2] != keys[3],
        "{keys:?}"
    );
}

/// Otherwise a message that is set aside as a dead letter would take the doubt with it.
#[tokio::test]
async fn a_redelivery_writes_its_doubt_ahead_of_the_call() {
    let mut bench = Bench::new();
    bench.set("1", "Ada", None);
    let first = bench.event("1", None);
    bench.settle(&first).await;
    bench.set("1", "Bob", None);
    bench.advance(10);
    let mut second = bench.event("1", None);
    second.receive_count = 2;
    bench.ledger.fail_settles_after(1);
    bench.gives_back(&second).await;
    assert!(bench.record("1").unsure);
    // It never comes again. The source is back at what the record says was pushed last.
    bench.ledger.fail_settles(false);
    bench.set("1", "Ada", None);
    bench.advance(10);
    let third = bench.event("1", None);
    assert_eq!(bench.settle(&third).await, Status::Synced);
    assert_eq!(bench.held("1").as_deref(), Some("Ada"));
}

/// The attempt before may have pushed what the record does not say.
#[tokio::test]
async fn a_redelivery_that_fails_at_the_source_leaves_the_record_unsure() {
    let mut bench = Bench::new();
    bench.set("1", "Ada", None);
    let first = bench.event("1", None);
    bench.settle(&first).await;
    bench.advance(10);
    let mut second = bench.event("1", None);
    second.receive_count = 2;
    lock(&bench.world).fail_source = Some((ErrorKind::Unavailable, Verdict::Retry { after: None }));
    assert_eq!(bench.settle(&second).await, Status::Parked);
    assert!(bench.record("1").unsure);
}

/// A receiver that drops repeats by their key must not take the last A for the first.
#[tokio::test]
async fn what_was_tried_before_something_else_is_no_repeat() {
    let mut bench = Bench::new();
    let mut event = bench.event("1", None);
    for (receive_count, name) in [(1, "Ada"), (2, "Ada"), (3, "Bob"), (4, "Ada"), (5, "Ada")] {
        bench.set("1", name, None);
        event.receive_count = receive_count;
        // What is written ahead is written; the settle after the push is not.
        bench
            .ledger
            .fail_settles_after(u32::from([2, 3, 4].contains(&receive_count)));
        bench.gives_back(&event).await;
    }
    let keys = lock(&bench.world).keys.clone();
    assert_eq!(keys.len(), 5);
    assert_eq!(keys[0], keys[1], "a repeat");
    assert_ne!(keys[1], keys[3], "Bob was tried in between");
    assert_eq!(keys[3], keys[4], "a repeat");
}

/// A message that was settled, died before its event's record was written, and comes back from the dead-letter queue
/// counts its deliveries anew.
#[tokio::test]
async fn a_redriven_message_is_recorded() {
    let mut bench = Bench::new();
    bench.set("1", "Ada", None);
    let event = bench.event("1", None);
    bench.advance(10);
    bench.ledger.fail_records(true);
    bench.gives_back(&event).await;
    assert_eq!(bench.ledger.status(&event_id(&event)), None);
    bench.ledger.fail_records(false);
    bench.advance(10);
    assert_eq!(bench.settle(&event).await, Status::Synced);
    assert_eq!(bench.pushes(), 1);
}

/// A late copy of an event knows less of it than its record does.
#[tokio::test]
async fn a_duplicate_of_a_rejected_event_leaves_its_reason() {
    let mut bench = Bench::new();
    bench.set("1", "Ada", Some(1));
    fail(&bench, "1", ErrorKind::Refused, Verdict::Permanent);
    let first = bench.event("1", Some(1));
    assert_eq!(bench.settle(&first).await, Status::Rejected);
    lock(&bench.world).fail_push.clear();
    bench.advance(60);
    let second = bench.event("1", Some(1));
    assert_eq!(bench.settle(&second).await, Status::Synced);
    let before = bench.ledger.event(&event_id(&first)).unwrap();
    bench.advance(60);
    let copy = bench.message(&first.group, &first.body);
    assert_eq!(bench.settle(&copy).await, Status::Rejected);
    assert_eq!(bench.ledger.event(&event_id(&first)).unwrap(), before);
}

/// The patience with a lagging source begins when it lags, not when something else failed before.
#[tokio::test]
async fn an_outage_before_does_not_use_up_the_patience_with_a_lagging_source() {
    let mut bench = Bench::new();
    bench.set("1", "Ada", Some(1));
    lock(&bench.world).fail_source = Some((ErrorKind::Unavailable, Verdict::Retry { after: None }));
    let event = bench.event("1", Some(2));
    assert_eq!(bench.settle(&event).await, Status::Parked);
    bench.advance(3_000);
    lock(&bench.world).fail_source = None;
    for seconds in [0, 120] {
        bench.advance(seconds);
        bench.wake().await;
        let parked = bench.record("1").parked.unwrap();
        assert_eq!(parked.error.kind, ErrorKind::Lagging);
    }
    assert_eq!(bench.held("1"), None);
}

/// That a source denied an entity before the latest event of it says nothing: it may be there again.
#[rstest]
#[case::which_came_while_it_waited(false, false, Some(3))]
#[case::which_comes_with_the_retry(false, true, Some(3))]
#[case::which_tells_no_version(false, false, None)]
#[case::after_an_hour_of_other_trouble(true, false, Some(3))]
#[tokio::test]
async fn what_is_announced_while_it_is_denied_gives_the_source_its_time_anew(
    #[case] after_an_outage: bool,
    #[case] with_the_retry: bool,
    #[case] version: Option<u64>,
) {
    let mut bench = Bench::new();
    bench.set("1", "Ada", Some(1));
    let event = bench.event("1", Some(1));
    assert_eq!(bench.settle(&event).await, Status::Synced);
    bench.advance(10);
    lock(&bench.world).source.clear();
    let deletion = bench.event("1", Some(2));
    if after_an_outage {
        lock(&bench.world).fail_source = Some((ErrorKind::Unavailable, Verdict::Retry { after: None }));
        assert_eq!(bench.settle(&deletion).await, Status::Parked);
        lock(&bench.world).fail_source = None;
        bench.advance(4_000);
        bench.wake().await;
    } else {
        assert_eq!(bench.settle(&deletion).await, Status::Parked);
    }
    let is_denied = |bench: &Bench| {
        let parked = bench.record("1").parked.unwrap();
        parked.error.kind == ErrorKind::Lagging && parked.denied_since.is_some()
    };
    assert!(is_denied(&bench));
    bench.advance(200);
    let again = bench.event("1", version);
    if with_the_retry {
        let (_, wakes) = bench.wakes().await;
        bench.deliver(&[vec![again], wakes].concat()).await;
    } else {
        assert_eq!(bench.settle(&again).await, Status::Coalesced);
        bench.wake().await;
    }
    assert!(is_denied(&bench), "it was denied too early to be believed");
    assert_eq!(bench.held("1").as_deref(), Some("Ada"));
    bench.set("1", "Bob", Some(3));
    bench.advance(300);
    bench.wake().await;
    assert_eq!(bench.held("1").as_deref(), Some("Bob"));
}

/// Who is there and only lags keeps no entity waiting for longer because there are many events of it.
#[tokio::test]
async fn what_is_announced_meanwhile_does_not_lengthen_the_patience_with_an_older_answer() {
    let mut bench = Bench::new();
    bench.set("1", "Ada", Some(1));
    let event = bench.event("1", Some(2));
    assert_eq!(bench.settle(&event).await, Status::Parked);
    for version in 3..6 {
        bench.advance(400);
        let next = bench.event("1", Some(version));
        bench.settle(&next).await;
    }
    bench.wake().await;
    assert_eq!(bench.held("1").as_deref(), Some("Ada"));
}

/// A part of what failed may stand at the vendor.
#[tokio::test]
async fn a_lagging_source_brings_back_nothing_older_than_what_was_tried() {
    let mut bench = Bench::new();
    bench.set("1", "Ada", Some(3));
    fail(&bench, "1", ErrorKind::Refused, Verdict::Permanent);
    let first = bench.event("1", Some(3));
    assert_eq!(bench.settle(&first).await, Status::Rejected);
    lock(&bench.world).fail_push.clear();
    bench.set("1", "older", Some(2));
    let late = bench.event("1", Some(1));
    assert_eq!(bench.settle(&late).await, Status::Parked);
    assert_eq!(bench.pushes(), 0);
}

/// Whoever no longer keeps values finds none where anything was settled since.
#[rstest]
#[case(KeepSent::Values, true)]
#[case(KeepSent::Fields, false)]
#[tokio::test]
async fn values_go_with_the_next_settle(#[case] keep: KeepSent, #[case] stay: bool) {
    let mut bench = Bench::new().keeping(KeepSent::Values);
    bench.set("1", "Ada", None);
    let event = bench.event("1", None);
    bench.settle(&event).await;
    assert!(bench.record("1").sent.is_some());
    let mut bench = bench.keeping(keep);
    lock(&bench.world).fail_source = Some((ErrorKind::Unavailable, Verdict::Unknown));
    bench.advance(10);
    let event = bench.event("1", None);
    assert_eq!(bench.settle(&event).await, Status::Parked);
    assert_eq!(bench.record("1").sent.is_some(), stay);
}

//! A call that may happen once only: broken at every point, delivered again, it happened once.

use std::time::Duration;

use jiff::SignedDuration;
use rstest::rstest;
use serde_json::json;
use vendorbridge::ledger::Status;
use vendorbridge::{Error, ErrorKind, Stage, Verdict};

use crate::bench::{Bench, event_id, lock};
use crate::vendors::{Booking, VISIBLE_AFTER};

fn unknown() -> Error {
    Error::new(
        ErrorKind::Timeout,
        Verdict::Unknown,
        Stage::Push,
        "no answer in time",
    )
}

fn refused() -> Error {
    Error::permanent(ErrorKind::Refused, Stage::Push, "no")
}

fn calls(bench: &Bench) -> Vec<String> {
    std::mem::take(&mut lock(&bench.world).calls)
}

fn rows(bench: &Bench) -> Vec<String> {
    let world = lock(&bench.world);
    world.rows.iter().map(|row| row.title.clone()).collect()
}

#[tokio::test]
async fn it_is_made_once_for_all_payloads_and_undone_by_another_that_is() {
    let mut bench = Bench::of(Booking);
    for (round, name) in (1..).zip(["Ada", "Bob"]) {
        bench.set("1", name, Some(round));
        bench.advance(10);
        let event = bench.event("1", Some(round));
        assert_eq!(bench.settle(&event).await, Status::Synced);
    }
    assert_eq!(calls(&bench), ["create", "note", "note"]);
    assert_eq!(rows(&bench), ["1:charge"]);
    lock(&bench.world).source.clear();
    bench.advance(10);
    let mut event = bench.event("1", None);
    assert_eq!(bench.settle(&event).await, Status::Deleted);
    // Whoever delivers it again, and whatever comes back.
    event.receive_count = 2;
    bench.settle(&event).await;
    bench.set("1", "Ada", Some(9));
    bench.advance(10);
    let event = bench.event("1", Some(9));
    bench.settle(&event).await;
    assert_eq!(rows(&bench), ["1:charge", "1:reversal"]);
}

#[rstest]
#[case::nothing_happened(false, &["create", "find", "find", "create", "note"])]
#[case::it_happened(true, &["create", "find", "find", "note"])]
#[tokio::test]
async fn after_an_unknown_outcome_it_is_looked_for(#[case] happened: bool, #[case] expected: &[&str]) {
    let mut bench = Bench::of(Booking);
    bench.set("1", "Ada", None);
    lock(&bench.world).script.push_back((unknown(), happened));
    let event = bench.event("1", None);
    assert_eq!(bench.settle(&event).await, Status::Parked);
    // Too early: what is not found may not be visible yet.
    bench.advance(31);
    bench.wake().await;
    let parked = bench.record("1").parked.unwrap();
    assert_eq!(parked.error.step.as_deref(), Some("charge"));
    assert!(parked.wake_at.duration_since(bench.now()) >= jiff::SignedDuration::from_secs(40));
    bench.advance(VISIBLE_AFTER.as_secs() + 60);
    bench.wake().await;
    assert_eq!(bench.record("1").status, Status::Synced);
    assert_eq!(calls(&bench), expected);
    assert_eq!(rows(&bench), ["1:charge"]);
}

#[tokio::test]
async fn a_refusal_does_not_say_that_it_did_not_happen() {
    let mut bench = Bench::of(Booking);
    bench.set("1", "Ada", Some(1));
    lock(&bench.world).script.push_back((refused(), true));
    let event = bench.event("1", Some(1));
    assert_eq!(bench.settle(&event).await, Status::Rejected);
    bench.set("1", "Bob", Some(2));
    bench.advance(VISIBLE_AFTER.as_secs() + 60);
    let event = bench.event("1", Some(2));
    assert_eq!(bench.settle(&event).await, Status::Synced);
    assert_eq!(calls(&bench), ["create", "find", "note"]);
    assert_eq!(rows(&bench), ["1:charge"]);
}

#[tokio::test]
async fn what_was_turned_away_is_made_anew_when_it_is_mended() {
    let mut bench = Bench::of(Booking);
    bench.set("1", "Ada", Some(1));
    lock(&bench.world)
        .script
        .push_back((refused().turned_away(), false));
    let event = bench.event("1", Some(1));
    assert_eq!(bench.settle(&event).await, Status::Rejected);
    bench.set("1", "Bob", Some(2));
    bench.advance(10);
    let event = bench.event("1", Some(2));
    assert_eq!(bench.settle(&event).await, Status::Synced);
    assert_eq!(calls(&bench), ["create", "create", "note"]);
}

#[tokio::test]
async fn what_was_certainly_not_sent_is_made_at_the_next_try() {
    let mut bench = Bench::of(Booking);
    bench.set("1", "Ada", None);
    let down = Error::retry(ErrorKind::Unavailable, Stage::Push, "could not connect");
    lock(&bench.world).script.push_back((down, false));
    let event = bench.event("1", None);
    assert_eq!(bench.settle(&event).await, Status::Parked);
    assert_eq!(bench.record("1").effects, []);
    bench.advance(60);
    bench.wake().await;
    assert_eq!(calls(&bench), ["create", "create", "note"]);
}

#[tokio::test]
async fn looking_that_is_refused_is_tried_again() {
    let mut bench = Bench::of(Booking);
    bench.set("1", "Ada", None);
    lock(&bench.world)
        .script
        .extend([(unknown(), true), (refused(), false)]);
    let event = bench.event("1", None);
    assert_eq!(bench.settle(&event).await, Status::Parked);
    bench.advance(200);
    bench.wake().await;
    assert_eq!(bench.record("1").status, Status::Parked);
    bench.advance(200);
    bench.wake().await;
    assert_eq!(bench.record("1").status, Status::Synced);
    assert_eq!(rows(&bench), ["1:charge"]);
}

/// The ledger fails at each of its writes in turn, then the message is delivered again, as after a crash.
#[rstest]
#[tokio::test]
async fn broken_at_every_write_and_delivered_again(#[values(0, 1, 2)] after: u32) {
    let mut bench = Bench::of(Booking);
    bench.set("1", "Ada", None);
    bench.ledger.fail_settles_after(after);
    let mut event = bench.event("1", None);
    let returned = bench.deliver(std::slice::from_ref(&event)).await;
    for count in 2..6 {
        if bench
            .ledger
            .entity(&crate::bench::key("1"))
            .is_some_and(|record| record.status == Status::Synced)
        {
            break;
        }
        bench.ledger.fail_settles(false);
        bench.advance(VISIBLE_AFTER.as_secs() + 120);
        event.receive_count = count;
        bench.deliver(std::slice::from_ref(&event)).await;
        bench.wake().await;
    }
    assert_eq!(returned.is_empty(), after == 2, "two writes are made");
    assert_eq!(bench.record("1").status, Status::Synced);
    assert_eq!(rows(&bench), ["1:charge"]);
}

#[tokio::test]
async fn a_link_that_cannot_be_written_back_is_tried_alone_and_is_no_fault_of_the_vendor() {
    let mut bench = Bench::of(Booking);
    bench.set("1", "Ada", None);
    lock(&bench.world).fail_at = Some((
        2,
        Error::retry(ErrorKind::Unavailable, Stage::Link, "down"),
        false,
    ));
    let event = bench.event("1", None);
    assert_eq!(bench.settle(&event).await, Status::Parked);
    let record = bench.record("1");
    assert_eq!(record.effects[0].output, json!("1"));
    assert_eq!(record.parked.unwrap().error.stage, Stage::Link);
    bench.advance(60);
    bench.wake().await;
    assert_eq!(bench.record("1").status, Status::Synced);
    assert_eq!(calls(&bench), ["create", "note", "note"]);
}

#[tokio::test]
async fn who_waited_for_another_long_is_soon_tried_again_after_its_own_failure() {
    let mut bench = Bench::of(Booking);
    bench.set("2", "after 1", None);
    let second = bench.event("2", None);
    assert_eq!(bench.settle(&second).await, Status::Parked);
    for _ in 0..12 {
        bench.advance(60);
        bench.wake().await;
        let record = bench.record("2");
        assert_eq!(record.parked.unwrap().error.kind, ErrorKind::Waiting);
        assert_eq!(record.attempts, 0);
        let event = bench.ledger.event(&event_id(&second)).unwrap();
        assert_eq!((event.status, event.attempt), (Status::Parked, None));
    }
    bench.set("1", "Ada", None);
    let first = bench.event("1", None);
    assert_eq!(bench.settle(&first).await, Status::Synced);
    let down = Error::retry(ErrorKind::Unavailable, Stage::Push, "down");
    let next = lock(&bench.world).calls.len() + 1;
    lock(&bench.world).fail_at = Some((next, down, false));
    bench.advance(60);
    bench.wake().await;
    let record = bench.record("2");
    let parked = record.parked.unwrap();
    assert_eq!((parked.error.kind, record.attempts), (ErrorKind::Unavailable, 1));
    let wait = parked.wake_at.duration_since(record.settled_at);
    assert!(wait <= SignedDuration::from_secs(30), "{wait}");
}

#[tokio::test]
async fn another_entitys_standing_is_read_from_the_ledger() {
    let mut bench = Bench::of(Booking);
    bench.set("2", "after 1", None);
    let second = bench.event("2", None);
    assert_eq!(bench.settle(&second).await, Status::Parked);
    assert_eq!(bench.record("2").parked.unwrap().error.kind, ErrorKind::Waiting);
    bench.set("1", "Ada", None);
    let first = bench.event("1", None);
    assert_eq!(bench.settle(&first).await, Status::Synced);
    bench.advance(Duration::from_mins(1).as_secs());
    bench.wake().await;
    assert_eq!(bench.record("2").status, Status::Synced);
    assert_eq!(rows(&bench), ["1:charge", "2:charge"]);
}

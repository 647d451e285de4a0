//! A vendor without a natural key gets one record per entity, whatever crashes and times out.

use std::time::Duration;

use vendorbridge::ledger::Status;
use vendorbridge::{Error, ErrorKind, Stage, Verdict};

use crate::bench::{Bench, event_id, lock};
use crate::vendors::{Once, VISIBLE_AFTER};

fn unknown() -> Error {
    Error::new(
        ErrorKind::Timeout,
        Verdict::Unknown,
        Stage::Push,
        "no answer in time",
    )
}

fn calls(bench: &Bench) -> Vec<String> {
    std::mem::take(&mut lock(&bench.world).calls)
}

fn rows(bench: &Bench) -> Vec<String> {
    lock(&bench.world)
        .rows
        .iter()
        .map(|row| row.title.clone())
        .collect()
}

#[tokio::test]
async fn a_create_is_reserved_linked_and_then_updated() {
    let mut bench = Bench::of(Once);
    bench.set("1", "Ada", Some(1));
    let event = bench.event("1", Some(1));
    assert_eq!(bench.settle(&event).await, Status::Synced);
    assert_eq!(bench.ledger.counts().settles, 2, "the reservation and the settle");
    let record = bench.record("1");
    assert_eq!((record.link.as_deref(), record.reservation), (Some("1"), None));
    bench.set("1", "Bob", Some(2));
    bench.advance(10);
    let event = bench.event("1", Some(2));
    assert_eq!(bench.settle(&event).await, Status::Synced);
    assert_eq!(bench.ledger.counts().settles, 3, "an update is not reserved");
    assert_eq!(calls(&bench), ["create", "update"]);
    assert_eq!(rows(&bench), ["Bob"]);
}

#[tokio::test]
async fn what_was_created_unnoticed_is_found_once_it_is_visible() {
    let mut bench = Bench::of(Once);
    bench.set("1", "Ada", None);
    lock(&bench.world).script.push_back((unknown(), true));
    let event = bench.event("1", None);
    assert_eq!(bench.settle(&event).await, Status::Parked);
    // The first look comes too early: no answer is no proof.
    bench.advance(31);
    bench.wake().await;
    let record = bench.record("1");
    assert_eq!(record.status, Status::Parked);
    let parked = record.parked.unwrap();
    assert_eq!(
        parked.error.message,
        "a create of unknown outcome may not be visible yet"
    );
    assert!(parked.wake_at.duration_since(bench.now()) >= jiff::SignedDuration::from_secs(40));
    bench.advance(VISIBLE_AFTER.as_secs() + 60);
    bench.wake().await;
    assert_eq!(bench.ledger.status(&event_id(&event)), Some(Status::Synced));
    assert_eq!(calls(&bench), ["create", "find", "find", "update"]);
    assert_eq!(rows(&bench), ["Ada"]);
}

#[tokio::test]
async fn what_was_not_created_is_created_after_the_look() {
    let mut bench = Bench::of(Once);
    bench.set("1", "Ada", None);
    lock(&bench.world).script.push_back((unknown(), false));
    let event = bench.event("1", None);
    assert_eq!(bench.settle(&event).await, Status::Parked);
    bench.advance(200);
    bench.wake().await;
    assert_eq!(calls(&bench), ["create", "find", "create"]);
    assert_eq!(bench.record("1").status, Status::Synced);
    assert_eq!(rows(&bench), ["Ada"]);
}

#[tokio::test]
async fn a_refused_create_needs_no_look() {
    let mut bench = Bench::of(Once);
    bench.set("1", "Ada", None);
    let busy = Error::retry(ErrorKind::RateLimited, Stage::Push, "429");
    lock(&bench.world).script.push_back((busy, false));
    let event = bench.event("1", None);
    assert_eq!(bench.settle(&event).await, Status::Parked);
    assert_eq!(bench.record("1").reservation, None);
    bench.advance(60);
    bench.wake().await;
    assert_eq!(calls(&bench), ["create", "create"]);
}

#[tokio::test]
async fn an_unknown_create_is_not_retried_at_once() {
    let mut bench = Bench::of(Once);
    bench.set("1", "Ada", None);
    lock(&bench.world).script.push_back((unknown().brief(), true));
    let event = bench.event("1", None);
    assert_eq!(bench.settle(&event).await, Status::Parked);
    assert_eq!(calls(&bench), ["create"]);
}

#[tokio::test]
async fn what_was_created_unnoticed_and_deleted_since_goes() {
    let mut bench = Bench::of(Once);
    bench.set("1", "Ada", None);
    lock(&bench.world).script.push_back((unknown(), true));
    let event = bench.event("1", None);
    assert_eq!(bench.settle(&event).await, Status::Parked);
    lock(&bench.world).source.clear();
    bench.advance(31);
    bench.wake().await;
    assert_eq!(bench.record("1").status, Status::Parked, "it may appear yet");
    bench.advance(200);
    bench.wake().await;
    assert_eq!(bench.record("1").status, Status::Deleted);
    assert_eq!(rows(&bench), Vec::<String>::new());
}

#[tokio::test]
async fn a_create_that_died_before_its_settle_is_found() {
    let mut bench = Bench::of(Once);
    bench.set("1", "Ada", None);
    let mut event = bench.event("1", None);
    bench.ledger.fail_settles_after(1);
    bench.gives_back(&event).await;
    bench.ledger.fail_settles(false);
    assert_eq!(
        bench.record("1").reservation.map(|reserved| reserved.until),
        Some(bench.now() + jiff::SignedDuration::from_secs(30))
    );
    event.receive_count = 2;
    bench.advance(200);
    assert_eq!(bench.settle(&event).await, Status::Synced);
    assert_eq!(calls(&bench), ["create", "find", "update"]);
    assert_eq!(rows(&bench), ["Ada"]);
}

#[tokio::test]
async fn nothing_is_created_without_a_reservation() {
    let mut bench = Bench::of(Once);
    bench.set("1", "Ada", None);
    let event = bench.event("1", None);
    bench.ledger.fail_settles(true);
    bench.gives_back(&event).await;
    assert_eq!(calls(&bench), Vec::<String>::new());
}

#[tokio::test]
async fn a_brief_failure_is_tried_again_at_once() {
    let mut bench = Bench::of(Once);
    bench.set("1", "Ada", None);
    let wait = Verdict::Retry {
        after: Some(Duration::from_secs(2)),
    };
    let busy = || Error::new(ErrorKind::RateLimited, wait, Stage::Push, "429").brief();
    lock(&bench.world)
        .script
        .extend([(busy(), false), (busy(), false)]);
    let started = bench.now();
    let event = bench.event("1", None);
    assert_eq!(bench.settle(&event).await, Status::Synced);
    assert_eq!(calls(&bench), ["create", "create", "create"]);
    assert_eq!(
        bench.now().duration_since(started).as_secs(),
        4,
        "Retry-After was kept"
    );
}

#[tokio::test]
async fn no_more_than_two_quick_retries_and_none_without_the_time() {
    let mut bench = Bench::of(Once);
    bench.set("1", "Ada", None);
    let down = || {
        (
            Error::retry(ErrorKind::Unavailable, Stage::Push, "503").brief(),
            false,
        )
    };
    lock(&bench.world).script.extend([down(), down(), down()]);
    let event = bench.event("1", None);
    assert_eq!(bench.settle(&event).await, Status::Parked);
    assert_eq!(calls(&bench), ["create", "create", "create"]);
    // 16 s is what the slowest call needs: there is time for one try, not for a pause on top.
    bench.set("2", "Ada", None);
    lock(&bench.world).script.push_back(down());
    let event = bench.event("2", None);
    assert!(
        bench
            .deliver_before(std::slice::from_ref(&event), 16)
            .await
            .is_empty()
    );
    assert_eq!(calls(&bench), ["create"]);
    assert_eq!(bench.record("2").status, Status::Parked);
}

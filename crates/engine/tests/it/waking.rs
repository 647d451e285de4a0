//! Parked entities come back, once.

use std::time::Duration;

use vendorbridge::circuit::Policy;
use vendorbridge::ledger::{Ledger, Status};
use vendorbridge::message::wake_body;
use vendorbridge::wake::{Waker, Woken};
use vendorbridge::{Error, ErrorKind, Verdict, Version};

use crate::bench::{Bench, event_id, key, lock};

async fn parked(after: Option<Duration>) -> (Bench, String) {
    let mut bench = Bench::new();
    bench.set("1", "Ada", Some(1));
    lock(&bench.world)
        .fail_push
        .insert("1".to_owned(), (ErrorKind::RateLimited, Verdict::Retry { after }));
    let event = bench.event("1", Some(1));
    assert_eq!(bench.settle(&event).await, Status::Parked);
    lock(&bench.world).fail_push.clear();
    (bench, event_id(&event))
}

#[tokio::test]
async fn a_parked_entity_comes_back_when_it_is_due() {
    let (mut bench, event) = parked(Some(Duration::from_mins(2))).await;
    bench.advance(119);
    assert_eq!(bench.wake().await.sent, 0);
    bench.advance(20);
    assert_eq!(bench.wake().await.sent, 1);
    assert_eq!(bench.ledger.status(&event), Some(Status::Synced));
    let record = bench.record("1");
    assert_eq!((record.parked.is_none(), record.attempts), (true, 0));
    bench.advance(3600);
    assert_eq!(bench.wake().await.sent, 0);
}

#[tokio::test]
async fn a_later_notification_joins_the_waiting_retry() {
    let (mut bench, event) = parked(None).await;
    bench.set("1", "Bob", Some(2));
    let later = bench.event("1", Some(2));
    assert_eq!(bench.settle(&later).await, Status::Coalesced);
    assert_eq!(
        bench.ledger.event(&event_id(&later)).unwrap().by_event,
        Some(event)
    );
    assert_eq!(
        bench.record("1").parked.unwrap().version,
        Some(Version::Number(2))
    );
    bench.advance(60);
    bench.wake().await;
    assert_eq!(bench.held("1").as_deref(), Some("Bob"));
}

#[tokio::test]
async fn a_retry_must_read_what_was_announced_while_it_waited() {
    let (mut bench, _) = parked(None).await;
    let later = bench.event("1", Some(2));
    bench.settle(&later).await;
    bench.advance(60);
    bench.wake().await;
    assert_eq!(bench.record("1").status, Status::Parked);
    bench.set("1", "Bob", Some(2));
    bench.advance(120);
    bench.wake().await;
    assert_eq!(bench.held("1").as_deref(), Some("Bob"));
}

#[tokio::test]
async fn a_second_wake_does_nothing() {
    let (mut bench, _) = parked(None).await;
    bench.advance(60);
    let body = wake_body(&key("1"), "w", bench.now());
    let first = bench.message("person/1", &body);
    let second = bench.message("person/1", &body);
    assert_eq!(bench.deliver(&[first]).await, Vec::<String>::new());
    assert_eq!(bench.deliver(&[second]).await, Vec::<String>::new());
    assert_eq!(bench.pushes(), 1);
}

#[tokio::test]
async fn a_wake_and_a_notification_in_one_batch_are_one_push() {
    let (mut bench, event) = parked(None).await;
    bench.advance(60);
    let wake = bench.message("person/1", &wake_body(&key("1"), "w", bench.now()));
    let later = bench.event("1", Some(1));
    assert_eq!(bench.deliver(&[wake, later.clone()]).await, Vec::<String>::new());
    assert_eq!(bench.pushes(), 1);
    assert_eq!(bench.ledger.status(&event), Some(Status::Synced));
    assert_eq!(bench.ledger.status(&event_id(&later)), Some(Status::Coalesced));
}

#[tokio::test]
async fn a_waker_that_runs_twice_sends_once() {
    let (bench, _) = parked(None).await;
    bench.advance(60);
    for _ in 0..2 {
        run(&bench).await.unwrap();
    }
    assert_eq!(bench.lanes.sent().len(), 1);
}

#[tokio::test]
async fn what_the_queue_does_not_take_stays_due() {
    let (mut bench, event) = parked(None).await;
    bench.advance(60);
    bench.lanes.refuse("person/1");
    assert_eq!(bench.wake().await.failed, 1);
    bench.lanes.accept();
    assert_eq!(bench.wake().await.sent, 1);
    assert_eq!(bench.ledger.status(&event), Some(Status::Synced));
}

#[tokio::test]
async fn a_wake_that_died_before_its_event_record_is_made_up_for() {
    let (mut bench, event) = parked(None).await;
    bench.advance(60);
    let mut wake = bench.message("person/1", &wake_body(&key("1"), "w", bench.now()));
    bench.ledger.fail_records(true);
    bench.gives_back(&wake).await;
    assert_eq!(bench.ledger.status(&event), Some(Status::Parked));
    bench.ledger.fail_records(false);
    wake.receive_count = 2;
    assert_eq!(bench.deliver(&[wake]).await, Vec::<String>::new());
    assert_eq!(bench.ledger.status(&event), Some(Status::Synced));
}

#[tokio::test]
async fn the_first_failure_after_a_rejection_waits_shortly_again() {
    let (mut bench, _) = parked(None).await;
    lock(&bench.world)
        .fail_push
        .insert("1".to_owned(), (ErrorKind::Refused, Verdict::Permanent));
    bench.advance(60);
    bench.wake().await;
    assert_eq!(bench.record("1").status, Status::Rejected);
    lock(&bench.world).fail_push.insert(
        "1".to_owned(),
        (ErrorKind::Unavailable, Verdict::Retry { after: None }),
    );
    let fresh = bench.event("1", Some(2));
    bench.set("1", "Bob", Some(2));
    assert_eq!(bench.settle(&fresh).await, Status::Parked);
    assert_eq!(bench.record("1").attempts, 1);
}

/// Ten entities of a vendor that is away: its circuit is open.
async fn outage() -> Bench {
    let mut bench = Bench::new();
    let mut batch = Vec::new();
    for id in 0..10 {
        let id = id.to_string();
        bench.set(&id, "Ada", None);
        let later = (ErrorKind::Unavailable, Verdict::Retry { after: None });
        lock(&bench.world).fail_push.insert(id.clone(), later);
        batch.push(bench.event(&id, None));
    }
    assert_eq!(bench.deliver(&batch).await, Vec::<String>::new());
    assert!(bench.ledger.vendor().unwrap().circuit.is_some());
    bench
}

async fn run(bench: &Bench) -> Result<Woken, Error> {
    let waker = Waker {
        attention: bench.ledger.as_ref(),
        lanes: bench.lanes.as_ref(),
        clock: bench.clock.as_ref(),
        circuit: Policy::default(),
    };
    let deadline = bench.now() + jiff::SignedDuration::from_secs(50);
    waker.wake("names", deadline).await
}

#[tokio::test]
async fn an_open_circuit_is_left_alone_and_then_a_few_are_sent() {
    let bench = outage().await;
    bench.advance(29);
    assert_eq!(run(&bench).await.unwrap(), Woken::default());
    // All of them are due by then.
    bench.advance(31);
    let (sent, probes) = (run(&bench).await.unwrap().sent, Policy::default().probes);
    assert_eq!(sent, probes);
    assert_eq!(
        run(&bench).await.unwrap().sent,
        probes,
        "others: those are on their way"
    );
    let lanes: std::collections::HashSet<_> = bench.lanes.sent().into_iter().map(|wake| wake.group).collect();
    assert_eq!(lanes.len(), 2 * probes);
}

#[tokio::test]
async fn a_paused_vendor_is_left_alone_and_what_is_due_stays_due() {
    let bench = outage().await;
    let mut record = bench.ledger.vendor().unwrap();
    record.circuit = None;
    let paused = record.paused(None, bench.now()).unwrap();
    bench.ledger.settle_vendor(&paused).await.unwrap();
    bench.advance(3600);
    for _ in 0..3 {
        assert_eq!(run(&bench).await.unwrap(), Woken::default());
    }
    let resumed = paused.resumed().unwrap();
    bench.ledger.settle_vendor(&resumed).await.unwrap();
    assert_eq!(run(&bench).await.unwrap().sent, 10);
}

#[tokio::test]
async fn without_the_vendors_record_nobody_is_woken() {
    let (bench, _) = parked(None).await;
    bench.advance(60);
    bench.ledger.fail_reads(true);
    assert_eq!(run(&bench).await.unwrap_err().kind(), ErrorKind::Unavailable);
    assert!(bench.lanes.sent().is_empty());
    bench.ledger.fail_reads(false);
    assert_eq!(run(&bench).await.unwrap().sent, 1);
}

/// The wake is behind other messages of its lane when the batch comes again.
#[tokio::test]
async fn a_woken_event_is_recorded_before_others_of_its_lane_settle() {
    let mut bench = Bench::new();
    bench.set("1", "Ada", None);
    lock(&bench.world).fail_push.insert(
        "1".to_owned(),
        (ErrorKind::Unavailable, Verdict::Retry { after: None }),
    );
    let waiting = bench.event("1", None);
    assert_eq!(bench.settle(&waiting).await, Status::Parked);
    lock(&bench.world).fail_push.clear();
    bench.advance(60);
    let mut later: Vec<_> = (0..4).map(|_| bench.event("1", None)).collect();
    let wake = vendorbridge::message::wake_body(&key("1"), "wake", bench.now());
    let lane = vendorbridge::lane::lane(&key("1"));
    let mut batch = later.clone();
    batch.push(bench.message(&lane, &wake));
    bench.ledger.fail_records(true);
    assert_eq!(bench.deliver(&batch).await.len(), 5);
    bench.ledger.fail_records(false);
    assert_eq!(bench.ledger.status(&event_id(&waiting)), Some(Status::Parked));
    for delivery in &mut later {
        delivery.receive_count = 2;
        bench.advance(10);
        bench.settle(delivery).await;
    }
    assert_eq!(bench.ledger.status(&event_id(&waiting)), Some(Status::Synced));
}

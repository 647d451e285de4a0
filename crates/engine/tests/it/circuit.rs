//! A vendor in trouble, or paused: nobody calls it, nothing is lost, and it comes back by itself.

use std::slice;

use vendorbridge::circuit::Gate;
use vendorbridge::ledger::{Ledger, Status, VendorRecord};
use vendorbridge::message::{Delivery, wake_body};
use vendorbridge::{ErrorKind, Verdict};

use crate::bench::{Bench, event_id, key, lock};

const LATER: Verdict = Verdict::Retry { after: None };

pub(crate) fn fail(bench: &Bench, id: &str, kind: ErrorKind) {
    lock(&bench.world).fail_push.insert(id.to_owned(), (kind, LATER));
}

pub(crate) fn mend(bench: &Bench) {
    lock(&bench.world).fail_push.clear();
}

/// Every entity that is worked on is read first.
fn reads(bench: &Bench) -> u32 {
    lock(&bench.world).reads
}

pub(crate) fn vendor(bench: &Bench) -> VendorRecord {
    bench
        .ledger
        .vendor()
        .unwrap_or_else(|| VendorRecord::new("names"))
}

pub(crate) fn gate(bench: &Bench) -> Gate {
    vendor(bench).gate(bench.now())
}

/// Somebody else writes the vendor's record.
pub(crate) async fn write(bench: &Bench, next: Option<VendorRecord>) {
    let next = next.expect("something to write");
    bench.ledger.settle_vendor(&next).await.unwrap();
}

pub(crate) fn batch(bench: &mut Bench, ids: std::ops::Range<u32>) -> Vec<Delivery> {
    let mut events = Vec::new();
    for id in ids {
        bench.set(&id.to_string(), "Ada", None);
        events.push(bench.event(&id.to_string(), None));
    }
    events
}

/// A bench whose vendor refused the credential of entity 1 just now, and would take it again.
pub(crate) async fn refused() -> (Bench, Delivery) {
    let mut bench = Bench::new();
    let event = batch(&mut bench, 1..2).remove(0);
    fail(&bench, "1", ErrorKind::Deauthorized);
    assert_eq!(bench.settle(&event).await, Status::Parked);
    mend(&bench);
    (bench, event)
}

/// Lets time pass and the waker run once a minute, as its schedule does.
pub(crate) async fn minutes(bench: &mut Bench, count: u32) {
    for _ in 0..count {
        bench.advance(60);
        bench.wake().await;
    }
}

#[tokio::test]
async fn a_healthy_batch_writes_no_vendor_record() {
    let mut bench = Bench::new();
    let events = batch(&mut bench, 0..10);
    assert_eq!(bench.deliver(&events).await, Vec::<String>::new());
    assert_eq!((bench.pushes(), bench.ledger.counts().vendor), (10, 0));
}

#[tokio::test]
async fn a_refused_credential_stops_everyone_at_once() {
    let (mut bench, first) = refused().await;
    let circuit = vendor(&bench).circuit.expect("an open circuit");
    assert_eq!(
        (circuit.kind, circuit.reason.as_str()),
        (ErrorKind::Deauthorized, "deauthorized")
    );
    let before = reads(&bench);
    let second = batch(&mut bench, 2..3).remove(0);
    assert_eq!(bench.settle(&second).await, Status::Parked);
    assert_eq!((reads(&bench), bench.pushes()), (before, 0));
    let record = bench.record("2");
    let parked = record.parked.unwrap();
    assert_eq!((record.attempts, parked.error.kind), (0, ErrorKind::CircuitOpen));
    assert!(
        parked.error.message.contains("deauthorized"),
        "{:?}",
        parked.error
    );
    assert!(parked.wake_at >= circuit.retry_at);
    let event = bench.ledger.event(&event_id(&second)).unwrap();
    assert_eq!((event.attempt, event.error), (None, Some(parked.error)));
    minutes(&mut bench, 3).await;
    assert_eq!(gate(&bench), Gate::Closed);
    for event in [&first, &second] {
        assert_eq!(bench.ledger.status(&event_id(event)), Some(Status::Synced));
    }
}

#[tokio::test]
async fn too_many_failed_calls_open_it_and_permanent_refusals_do_not() {
    let mut bench = Bench::new();
    let events = batch(&mut bench, 0..10);
    for id in 0..10 {
        fail(&bench, &id.to_string(), ErrorKind::Refused);
    }
    bench.deliver(&events).await;
    assert_eq!(bench.ledger.counts().vendor, 0);
    let mut bench = Bench::new();
    let events = batch(&mut bench, 0..10);
    for id in 0..5 {
        fail(&bench, &id.to_string(), ErrorKind::Timeout);
    }
    bench.deliver(&events).await;
    let circuit = vendor(&bench).circuit.expect("an open circuit");
    assert_eq!(circuit.reason, "5 of 10 calls failed within 60 s");
    assert_eq!(bench.ledger.counts().vendor, 1);
}

#[tokio::test]
async fn a_person_pauses_and_resumes() {
    let mut bench = Bench::new();
    let paused = vendor(&bench).paused(Some("their release"), bench.now());
    write(&bench, paused).await;
    let event = batch(&mut bench, 1..2).remove(0);
    assert_eq!(bench.settle(&event).await, Status::Parked);
    assert_eq!((reads(&bench), bench.pushes()), (0, 0));
    let error = bench.record("1").parked.unwrap().error;
    assert_eq!(error.kind, ErrorKind::Paused);
    assert!(error.message.contains("their release"), "{error:?}");
    let resumed = vendor(&bench).resumed();
    write(&bench, resumed).await;
    minutes(&mut bench, 2).await;
    assert_eq!(bench.ledger.status(&event_id(&event)), Some(Status::Synced));
}

#[tokio::test]
async fn neither_attempts_nor_the_horizon_run_while_nobody_calls() {
    let mut bench = Bench::new();
    let event = batch(&mut bench, 1..2).remove(0);
    fail(&bench, "1", ErrorKind::Unavailable);
    assert_eq!(bench.settle(&event).await, Status::Parked);
    assert_eq!(bench.record("1").attempts, 1);
    let paused = vendor(&bench).paused(None, bench.now());
    write(&bench, paused).await;
    let waiting = bench.record("1").parked.unwrap();
    bench.advance(60);
    let wake = bench.message("person/1", &wake_body(&key("1"), "w", bench.now()));
    assert_eq!(bench.deliver(slice::from_ref(&wake)).await, Vec::<String>::new());
    let shut = bench.record("1");
    assert_eq!((shut.attempts, shut.status), (1, Status::Parked));
    assert_eq!(shut.parked.unwrap().since, waiting.since);
    // Longer than the horizon.
    bench.advance(100 * 3600);
    let resumed = vendor(&bench).resumed();
    write(&bench, resumed).await;
    bench.wake().await;
    let tried = bench.record("1");
    assert_eq!((tried.attempts, tried.status), (2, Status::Parked), "not dead");
    mend(&bench);
    bench.advance(3600);
    bench.wake().await;
    assert_eq!(bench.ledger.status(&event_id(&event)), Some(Status::Synced));
}

#[tokio::test]
async fn an_outage_passes_and_everyone_comes_back() {
    let mut bench = Bench::new();
    let mut events = Vec::new();
    for id in 0..40 {
        fail(&bench, &id.to_string(), ErrorKind::Unavailable);
    }
    for round in 0..4 {
        let some = batch(&mut bench, round * 10..round * 10 + 10);
        bench.deliver(&some).await;
        events.extend(some);
        bench.advance(1);
    }
    assert_eq!(reads(&bench), 10, "the first batch opened the circuit");
    minutes(&mut bench, 20).await;
    let during = reads(&bench);
    // Probes at 30 s, 1, 2, 4, 8 minutes and then every ten, three at the most, instead of forty a minute.
    assert!(during <= 10 + 6 * 3, "{during}");
    mend(&bench);
    minutes(&mut bench, 20).await;
    assert_eq!(gate(&bench), Gate::Closed);
    minutes(&mut bench, 60).await;
    for event in &events {
        assert_eq!(bench.ledger.status(&event_id(event)), Some(Status::Synced));
    }
}

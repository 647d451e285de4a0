//! Who may find out whether a vendor serves again, and what the answers mean.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::FutureExt;
use vendorbridge::circuit::{Gate, Policy};
use vendorbridge::ledger::Status;
use vendorbridge::vendor::{Invalid, Push, Vendor};
use vendorbridge::{Error, ErrorKind, Stage};

use crate::bench::{Bench, Card, Person, Shared, event_id, lock};
use crate::circuit::{batch, fail, gate, mend, minutes, refused, vendor, write};

/// Like the bench's own, but a call about `1` ends only once it answers.
struct Slow(Shared, Arc<AtomicBool>);

impl Vendor for Slow {
    type Entity = Person;
    type Payload = Card;

    fn map(&self, person: &Person) -> Result<Card, Invalid> {
        Ok(Card {
            title: person.name.clone(),
        })
    }

    async fn push(&self, push: &mut Push<'_>, card: &Card) -> Result<String, Error> {
        let id = push.entity.id().to_owned();
        while id == "1" && !self.1.load(Ordering::SeqCst) {
            tokio::task::yield_now().await;
        }
        let mut world = lock(&self.0);
        if let Some((kind, verdict)) = world.fail_push.get(&id).copied() {
            return Err(Error::new(kind, verdict, Stage::Push, "told to fail"));
        }
        world.vendor.insert(id.clone(), card.title.clone());
        Ok(id)
    }

    async fn remove(&self, _: &mut Push<'_>) -> Result<(), Error> {
        Ok(())
    }
}

#[tokio::test]
async fn a_few_probe_and_close_it() {
    let (mut bench, _) = refused().await;
    bench.advance(30);
    assert_eq!(gate(&bench), Gate::Probe);
    let events = batch(&mut bench, 2..8);
    assert_eq!(bench.deliver(&events).await, Vec::<String>::new());
    assert_eq!(
        (bench.pushes(), gate(&bench)),
        (Policy::default().probes, Gate::Closed)
    );
    let parked = events
        .iter()
        .filter(|event| bench.ledger.status(&event_id(event)) == Some(Status::Parked));
    assert_eq!(parked.count(), 3);
    minutes(&mut bench, 2).await;
    for event in &events {
        assert_eq!(bench.ledger.status(&event_id(event)), Some(Status::Synced));
    }
}

#[tokio::test]
async fn failed_probes_keep_it_open_for_longer() {
    let (mut bench, _) = refused().await;
    let since = vendor(&bench).circuit.unwrap().since;
    for (times, seconds) in [(2, 60), (3, 120), (4, 240)] {
        while gate(&bench) != Gate::Probe {
            bench.advance(1);
        }
        let event = batch(&mut bench, 9 + times..10 + times).remove(0);
        fail(&bench, &(9 + times).to_string(), ErrorKind::Unavailable);
        bench.settle(&event).await;
        let circuit = vendor(&bench).circuit.unwrap();
        assert_eq!((circuit.since, circuit.times), (since, times));
        assert_eq!(
            circuit.retry_at,
            bench.now() + jiff::SignedDuration::from_secs(seconds)
        );
    }
}

#[tokio::test]
async fn probes_that_need_no_call_give_the_right_back() {
    let mut bench = Bench::new();
    let event = batch(&mut bench, 1..2).remove(0);
    bench.settle(&event).await;
    let other = batch(&mut bench, 2..3).remove(0);
    fail(&bench, "2", ErrorKind::Deauthorized);
    bench.settle(&other).await;
    mend(&bench);
    bench.advance(90);
    let unchanged = bench.event("1", None);
    assert_eq!(bench.settle(&unchanged).await, Status::Unchanged);
    assert_eq!(gate(&bench), Gate::Probe);
}

#[tokio::test]
async fn entities_that_failed_themselves_do_not_probe_all_the_time() {
    let mut bench = Bench::new();
    let events = batch(&mut bench, 0..10);
    for id in 0..10 {
        fail(&bench, &id.to_string(), ErrorKind::Unavailable);
    }
    bench.deliver(&events).await;
    minutes(&mut bench, 60).await;
    let reads = lock(&bench.world).reads;
    let times = vendor(&bench).circuit.expect("an open circuit").times;
    assert!(
        reads <= 10 + 3 * times,
        "{reads} in {times} rounds of three probes"
    );
    mend(&bench);
    minutes(&mut bench, 70).await;
    assert_eq!(gate(&bench), Gate::Closed);
    for event in &events {
        assert_eq!(bench.ledger.status(&event_id(event)), Some(Status::Synced));
    }
}

#[tokio::test]
async fn a_lost_probe_holds_others_up_until_its_lease_ends() {
    let (opened, _) = refused().await;
    let mut bench = Bench::of(|world| Slow(world, Arc::default()));
    write(&bench, opened.ledger.vendor()).await;
    bench.advance(30);
    let lost = batch(&mut bench, 1..2);
    let outcome = bench.deliver(&lost).now_or_never();
    assert_eq!(outcome, None, "the process dies while it probes");
    let Gate::Open { retry_at } = gate(&bench) else {
        panic!("{:?}", gate(&bench))
    };
    let lease = jiff::SignedDuration::try_from(Policy::default().probe_lease).unwrap();
    assert_eq!(retry_at, bench.now() + lease);
    let event = batch(&mut bench, 2..3).remove(0);
    assert_eq!(bench.settle(&event).await, Status::Parked);
    assert!(bench.record("2").parked.unwrap().wake_at >= retry_at);
    minutes(&mut bench, 3).await;
    assert_eq!(bench.held("2").as_deref(), Some("Ada"));
    assert_eq!(gate(&bench), Gate::Closed);
}

#[tokio::test]
async fn calls_that_began_before_it_opened_neither_close_nor_lengthen_it() {
    for kind in [None, Some(ErrorKind::Unavailable), Some(ErrorKind::Deauthorized)] {
        let (opened, _) = refused().await;
        let theirs = opened.ledger.vendor();
        let answers = Arc::new(AtomicBool::new(false));
        let mut bench = Bench::of(|world| Slow(world, Arc::clone(&answers)));
        let events = batch(&mut bench, 1..2);
        if let Some(kind) = kind {
            fail(&bench, "1", kind);
        }
        let mut batch = Box::pin(bench.deliver(&events));
        assert_eq!(batch.as_mut().now_or_never(), None, "the call has begun");
        write(&bench, theirs.clone()).await;
        answers.store(true, Ordering::SeqCst);
        assert_eq!(batch.await, Vec::<String>::new());
        assert_eq!(bench.ledger.vendor(), theirs, "{kind:?}");
    }
}

#[tokio::test]
async fn calls_that_went_well_before_say_nothing_about_probes() {
    let (opened, _) = refused().await;
    let mut bench = Bench::new();
    let healthy = batch(&mut bench, 10..20);
    bench.deliver(&healthy).await;
    write(&bench, opened.ledger.vendor()).await;
    bench.advance(30);
    let probes = batch(&mut bench, 0..3);
    for id in ["0", "1", "2"] {
        fail(&bench, id, ErrorKind::Unavailable);
    }
    bench.deliver(&probes).await;
    assert_eq!(vendor(&bench).circuit.map(|circuit| circuit.times), Some(2));
}

//! A vendor whose lanes are in several queues, with as many invocations at once as Lambda would run.

use std::collections::{HashMap, HashSet};
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use futures::future::{BoxFuture, LocalBoxFuture};
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::json;
use vendorbridge::circuit::Policy;
use vendorbridge::clock::Clock;
use vendorbridge::engine::{Batch, Parts};
use vendorbridge::lane::{LaneMessage, Partitions};
use vendorbridge::ledger::{Ledger, Status, VendorRecord};
use vendorbridge::message::Delivery;
use vendorbridge::park::Backoff;
use vendorbridge::source::{Fetched, Source};
use vendorbridge::vendor::{Invalid, Push, Vendor};
use vendorbridge::wake::Waker;
use vendorbridge::{Announcement, Engine, Entity, EntityKey, Error, ErrorKind, Stage};
use vendorbridge_testkit::memory::{ManualClock, MemoryLedger};

use super::queues::{Queues, Sender};

/// So few that an entity is often in several messages at once, and so many that there are some in each of eight partitions.
const PEOPLE: u32 = 24;
/// Invocations at once, over all queues.
const CONCURRENCY: usize = 6;

/// What the source says, what the vendor holds, and what was wrong on the way.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    source: HashMap<String, u32>,
    vendor: HashMap<String, u32>,
    in_hand: HashSet<String>,
    rng: fastrand::Rng,
    /// Pushes of an entity while another one was under way.
    pub(crate) at_once: usize,
    /// Pushes of an older state than the vendor had by then.
    pub(crate) backwards: usize,
}

type Shared = Arc<Mutex<Facts>>;
type Invocation = LocalBoxFuture<'static, (u32, Vec<Delivery>, Vec<String>)>;

pub(crate) struct Town {
    pub(crate) queues: Arc<Queues>,
    facts: Shared,
    ledger: Arc<MemoryLedger>,
    clock: Arc<ManualClock>,
    rng: fastrand::Rng,
    engine: Arc<Engine>,
    partitions: Partitions,
    running: FuturesUnordered<Invocation>,
    events: Vec<String>,
    /// Whether the mapping of the first queue is enabled.
    pub(crate) reads_first: bool,
}

fn lock(facts: &Shared) -> MutexGuard<'_, Facts> {
    facts.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Lets others go on a few times, as a call over a network does.
async fn pass(facts: &Shared) {
    let times = lock(facts).rng.u32(1..6);
    for _ in 0..times {
        let mut is_second = false;
        poll_fn(|context| {
            if is_second {
                return Poll::Ready(());
            }
            is_second = true;
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }
}

struct People(Shared);

impl Source for People {
    fn fetch<'a>(&'a self, entity: &'a EntityKey) -> BoxFuture<'a, Result<Fetched, Error>> {
        Box::pin(async move {
            pass(&self.0).await;
            let state = lock(&self.0).source.get(entity.id()).copied();
            pass(&self.0).await;
            Ok(match state {
                Some(state) => Fetched::found(json!({"state": state}), None),
                None => Fetched::gone(),
            })
        })
    }
}

#[derive(Serialize, Deserialize)]
struct Card {
    state: u32,
}

struct Cards(Shared);

impl Vendor for Cards {
    type Entity = Card;
    type Payload = Card;

    fn map(&self, card: &Card) -> Result<Card, Invalid> {
        Ok(Card { state: card.state })
    }

    async fn push(&self, push: &mut Push<'_>, card: &Card) -> Result<String, Error> {
        let id = push.entity.id().to_owned();
        let is_alone = lock(&self.0).in_hand.insert(id.clone());
        pass(&self.0).await;
        let mut facts = lock(&self.0);
        facts.at_once += usize::from(!is_alone);
        facts.in_hand.remove(&id);
        if facts.rng.f64() < 0.03 {
            return Err(Error::retry(ErrorKind::RateLimited, Stage::Push, "told to fail"));
        }
        let before = facts.vendor.insert(id.clone(), card.state);
        facts.backwards += usize::from(before > Some(card.state));
        Ok(format!("link-{id}"))
    }

    async fn remove(&self, _: &mut Push<'_>) -> Result<(), Error> {
        Ok(())
    }
}

impl Town {
    pub(crate) fn new(seed: u64, partitions: Partitions) -> Self {
        let facts = Shared::default();
        lock(&facts).rng = fastrand::Rng::with_seed(seed);
        let ledger = Arc::new(MemoryLedger::default());
        let clock = Arc::new(ManualClock::new("2026-01-29T14:00:00Z".parse().unwrap()));
        let queues = Arc::new(Queues::default());
        queues.resize(partitions);
        let engine = engine(&facts, &ledger, &clock, &queues, partitions);
        Self {
            queues,
            facts,
            ledger,
            clock,
            rng: fastrand::Rng::with_seed(seed),
            engine,
            partitions,
            running: FuturesUnordered::new(),
            events: Vec::new(),
            reads_first: true,
        }
    }

    /// The function from now on knows so many partitions; invocations that have begun do not.
    pub(crate) fn deploy(&mut self, partitions: Partitions) {
        self.engine = engine(&self.facts, &self.ledger, &self.clock, &self.queues, partitions);
        self.partitions = partitions;
    }

    pub(crate) fn facts(&self) -> MutexGuard<'_, Facts> {
        lock(&self.facts)
    }

    /// Somebody changes, and an event says so.
    pub(crate) fn publish(&mut self, id: u32) {
        let id = id.to_string();
        let mut facts = lock(&self.facts);
        *facts.source.entry(id.clone()).or_default() += 1;
        drop(facts);
        let event_id = format!("e{}", self.events.len());
        let body = json!({
            "id": event_id, "detail-type": "PersonChanged", "source": "people", "time": self.clock.now(),
            "detail": {"id": id},
        });
        let message = LaneMessage {
            trace_header: None,
            group: "intake".to_owned(),
            deduplication_id: event_id.clone(),
            body: body.to_string(),
        };
        self.queues.send(0, &message).unwrap();
        self.events.push(event_id);
    }

    /// A moment: perhaps an event, perhaps an invocation begins, and those that run go on.
    pub(crate) async fn step(&mut self, publishes: bool) {
        self.clock.advance(Duration::from_millis(self.rng.u64(0..400)));
        if publishes && self.rng.f64() < 0.5 {
            let id = self.rng.u32(0..PEOPLE);
            self.publish(id);
        }
        if self.running.len() < CONCURRENCY {
            let queue = self.rng.u32(0..self.queues.count());
            if queue > 0 || self.reads_first {
                self.invoke(queue);
            }
        }
        if let Some(Some((queue, batch, returned))) = self.running.next().now_or_never() {
            self.queues.settle(queue, &batch, &returned);
        }
        if self.rng.f64() < 0.02 {
            self.wake().await;
        }
    }

    fn invoke(&mut self, queue: u32) {
        let deliveries = self.queues.receive(queue, self.rng.usize(1..=10));
        if deliveries.is_empty() {
            return;
        }
        let batch = Batch {
            deliveries,
            partition: queue,
            deadline: self.clock.now() + SignedDuration::from_hours(1),
            request_id: "r".to_owned(),
        };
        let engine = Arc::clone(&self.engine);
        self.running.push(Box::pin(async move {
            let returned = engine.handle(&batch).await;
            (queue, batch.deliveries, returned)
        }));
    }

    async fn wake(&self) {
        let lanes = Sender {
            queues: Arc::clone(&self.queues),
            partitions: self.partitions,
        };
        let waker = Waker {
            attention: self.ledger.as_ref(),
            lanes: &lanes,
            clock: self.clock.as_ref(),
            circuit: Policy::default(),
        };
        let deadline = self.clock.now() + SignedDuration::from_secs(50);
        waker.wake("cards", deadline).await.unwrap();
    }

    /// One invocation for a queue, from its beginning to its end.
    pub(crate) async fn work(&mut self, queue: u32) {
        self.invoke(queue);
        self.let_end().await;
    }

    /// How many messages each queue holds.
    pub(crate) fn depths(&self) -> Vec<usize> {
        (0..self.queues.count())
            .map(|queue| self.queues.depth(queue))
            .collect()
    }

    /// Lets every invocation end that runs now; meanwhile nothing else begins.
    pub(crate) async fn let_end(&mut self) {
        while let Some((queue, batch, returned)) = self.running.next().await {
            self.queues.settle(queue, &batch, &returned);
        }
    }

    /// Writes the vendor's record, as the command does.
    pub(crate) async fn change(&self, change: impl Fn(&VendorRecord) -> Option<VendorRecord>) {
        let record = self.ledger.vendor().unwrap_or_else(|| VendorRecord::new("cards"));
        self.ledger
            .settle_vendor(&change(&record).unwrap())
            .await
            .unwrap();
    }

    pub(crate) async fn pause(&self) {
        let now = self.clock.now();
        self.change(|record| record.paused(Some("partitions"), now)).await;
    }

    pub(crate) async fn resume(&self) {
        self.change(VendorRecord::resumed).await;
    }

    /// Lets everything come to its end: no message anywhere, nobody parked.
    pub(crate) async fn settle(&mut self) {
        for _ in 0..20_000 {
            self.step(false).await;
            if self.depths().iter().any(|depth| *depth > 0) || !self.running.is_empty() {
                continue;
            }
            let is_parked = |id: u32| {
                let key = EntityKey::new("person", &id.to_string()).unwrap();
                let record = self.ledger.entity(&key);
                record.is_some_and(|record| record.status == Status::Parked)
            };
            if !(0..PEOPLE).any(is_parked) {
                return;
            }
            self.clock.advance(Duration::from_mins(1));
            self.wake().await;
        }
        panic!("it does not settle");
    }

    /// Every event has its outcome, and the vendor holds what the source holds.
    pub(crate) fn check(&self) {
        let lost: Vec<_> = self
            .events
            .iter()
            .filter(|id| self.ledger.status(id).is_none())
            .collect();
        assert!(lost.is_empty(), "lost: {lost:?}");
        let facts = self.facts();
        assert_eq!(facts.vendor, facts.source);
    }
}

fn engine(
    facts: &Shared,
    ledger: &Arc<MemoryLedger>,
    clock: &Arc<ManualClock>,
    queues: &Arc<Queues>,
    partitions: Partitions,
) -> Arc<Engine> {
    let entity = Entity::new("person", People(Arc::clone(facts)), Cards(Arc::clone(facts)))
        .announced_by(Announcement::new("PersonChanged", "/id"));
    Arc::new(Engine::new(Parts {
        vendor: "cards".to_owned(),
        entities: vec![entity],
        ledger: Arc::clone(ledger) as _,
        lanes: Arc::new(Sender {
            queues: Arc::clone(queues),
            partitions,
        }),
        clock: Arc::clone(clock) as _,
        rng: fastrand::Rng::with_seed(7),
        backoff: Backoff::default(),
        circuit: Policy::default(),
        max_in_flight: 4,
        slowest: Duration::from_secs(16),
    }))
}

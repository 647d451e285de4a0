//! A vendor function without Lambda: everything around the engine is in memory and can be told to misbehave.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use vendorbridge::ask::{Answer, Question};
use vendorbridge::circuit::Policy;
use vendorbridge::clock::Clock;
use vendorbridge::engine::{Batch, Parts};
use vendorbridge::lane::lane;
use vendorbridge::ledger::{EntityRecord, KeepSent, Status};
use vendorbridge::message::Delivery;
use vendorbridge::park::Backoff;
use vendorbridge::rules::Rules;
use vendorbridge::source::{CarriedState, Fetched, Source};
use vendorbridge::vendor::{Invalid, Push, Vendor};
use vendorbridge::wake::{Waker, Woken};
use vendorbridge::{Announcement, Engine, Entity, EntityKey, Error, ErrorKind, Stage, Verdict, Version};
use vendorbridge_testkit::memory::{ManualClock, MemoryLanes, MemoryLedger};

/// What the source says and the vendor holds.
#[derive(Debug, Default)]
pub(crate) struct World {
    pub(crate) source: HashMap<String, (Value, Option<u64>)>,
    pub(crate) vendor: HashMap<String, String>,
    pub(crate) pushes: Vec<(String, String)>,
    /// The idempotency keys of the pushes.
    pub(crate) keys: Vec<String>,
    pub(crate) reads: u32,
    pub(crate) fail_source: Option<(ErrorKind, Verdict)>,
    pub(crate) fail_push: HashMap<String, (ErrorKind, Verdict)>,
    /// The push happens although it fails.
    pub(crate) accept_anyway: bool,
    pub(crate) panic_on: Option<String>,
    /// The vendor's key follows from the name, and changes with it.
    pub(crate) natural: bool,
    /// Failures of the next calls, in their order; `true`: it happens although it fails.
    pub(crate) script: VecDeque<(Error, bool)>,
    /// The failure of the call with this number, from 1.
    pub(crate) fail_at: Option<(usize, Error, bool)>,
    /// The failure of the next deletion.
    pub(crate) fail_next_delete: Option<Error>,
    /// What a vendor without a natural key holds.
    pub(crate) rows: Vec<Row>,
    /// Every call such a vendor got.
    pub(crate) calls: Vec<String>,
}

/// One record of a vendor without a natural key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) id: u32,
    pub(crate) external: String,
    pub(crate) title: String,
    pub(crate) extra: Option<String>,
    pub(crate) visible_at: Timestamp,
}

pub(crate) type Shared = Arc<Mutex<World>>;

pub(crate) struct Bench {
    pub(crate) world: Shared,
    pub(crate) ledger: Arc<MemoryLedger>,
    pub(crate) lanes: Arc<MemoryLanes>,
    pub(crate) clock: Arc<ManualClock>,
    engine: Engine,
    next_id: u32,
}

struct Memory(Shared);

struct Names(Shared);

#[derive(Deserialize)]
pub(crate) struct Person {
    pub(crate) name: String,
}

#[derive(Serialize)]
pub(crate) struct Card {
    pub(crate) title: String,
}

pub(crate) fn lock(world: &Shared) -> MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn key(id: &str) -> EntityKey {
    EntityKey::new("person", id).unwrap()
}

impl Source for Memory {
    fn fetch<'a>(&'a self, entity: &'a EntityKey) -> BoxFuture<'a, Result<Fetched, Error>> {
        let mut world = lock(&self.0);
        world.reads += 1;
        let answer = match world.fail_source {
            Some((kind, verdict)) => Err(Error::new(kind, verdict, Stage::Source, "told to fail")),
            None => Ok(match world.source.get(entity.id()) {
                Some((state, version)) => Fetched::found(state.clone(), version.map(Version::Number)),
                None => Fetched::gone(),
            }),
        };
        Box::pin(async move { answer })
    }
}

impl Vendor for Names {
    type Entity = Person;
    type Payload = Card;

    fn map(&self, person: &Person) -> Result<Card, Invalid> {
        if person.name.is_empty() {
            return Err(Invalid::new("/name", "expected a name, found an empty text"));
        }
        Ok(Card {
            title: person.name.clone(),
        })
    }

    fn link(&self, card: &Card) -> Option<String> {
        let natural = lock(&self.0).natural;
        natural.then(|| format!("natural-{}", card.title))
    }

    async fn push(&self, push: &mut Push<'_>, card: &Card) -> Result<String, Error> {
        let mut world = lock(&self.0);
        let id = push.entity.id().to_owned();
        assert_ne!(world.panic_on.as_ref(), Some(&id), "told to panic");
        let failure = world.fail_push.get(&id).copied();
        if failure.is_none() || world.accept_anyway {
            world.keys.push(push.idempotency_key.to_owned());
            world.pushes.push((id.clone(), card.title.clone()));
            world.vendor.insert(id.clone(), card.title.clone());
        }
        match failure {
            Some((kind, verdict)) => Err(Error::new(kind, verdict, Stage::Push, "told to fail").code("E42")),
            None if world.natural => Ok(format!("natural-{}", card.title)),
            None => Ok(format!("link-{id}")),
        }
    }

    async fn remove(&self, push: &mut Push<'_>) -> Result<(), Error> {
        let mut world = lock(&self.0);
        world.pushes.push((push.entity.id().to_owned(), "-".to_owned()));
        world.vendor.remove(push.entity.id());
        Ok(())
    }
}

fn announced(entity: Entity) -> Entity {
    entity.announced_by(Announcement::new("PersonChanged", "/id").version("/version"))
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::of(Names)
    }

    /// A bench for another vendor than [`Names`].
    pub(crate) fn of<V: Vendor>(vendor: impl FnOnce(Shared) -> V) -> Self {
        let world = Shared::default();
        let entity = Entity::new("person", Memory(Arc::clone(&world)), vendor(Arc::clone(&world)));
        Self::wired(world, vec![announced(entity)])
    }

    /// A bench for an entity with a source of its own.
    pub(crate) fn with(entity: Entity) -> Self {
        Self::wired(Shared::default(), vec![announced(entity)])
    }

    /// The same, keeping this of what is sent.
    pub(crate) fn keeping(self, keep: KeepSent) -> Self {
        let engine = self.engine.keeping(keep);
        Self { engine, ..self }
    }

    /// A bench for a vendor with rules.
    pub(crate) fn ruled<V: Vendor>(vendor: impl FnOnce(Shared) -> V, rules: &Value) -> Self {
        let rules: Rules = serde_json::from_value(rules.clone()).unwrap();
        let rules = Arc::new(rules);
        let world = Shared::default();
        let announcement = Announcement::new("PersonChanged", "/id").version("/version");
        let entity = Entity::new("person", Memory(Arc::clone(&world)), vendor(Arc::clone(&world)))
            .ruled_by(&rules)
            .announced_by(announcement.ruled_by(&rules))
            .announced_by(
                Announcement::new("PersonMoved", "/id")
                    .only_if("/kind", 1)
                    .ruled_by(&rules),
            );
        Self::wired(world, vec![entity])
    }

    /// A bench for [`Names`] whose events bring the state; the source is asked only if `readable`.
    pub(crate) fn carrying(readable: bool) -> Self {
        let world = Shared::default();
        let names = Names(Arc::clone(&world));
        let entity = if readable {
            Entity::new("person", Memory(Arc::clone(&world)), names)
        } else {
            Entity::new("person", CarriedState, names)
        };
        let stored = Announcement::new("PersonStored", "/id")
            .version("/version")
            .carries("/state")
            .keeping(&["name"]);
        let removed = Announcement::new("PersonRemoved", "/id")
            .version("/version")
            .removes();
        let entity = announced(entity).announced_by(stored).announced_by(removed);
        Self::wired(world, vec![entity])
    }

    fn wired(world: Shared, entities: Vec<Entity>) -> Self {
        let ledger = Arc::new(MemoryLedger::default());
        let lanes = Arc::new(MemoryLanes::default());
        let clock = Arc::new(ManualClock::new("2026-01-29T14:00:00Z".parse().unwrap()));
        let engine = Engine::new(Parts {
            vendor: "names".to_owned(),
            entities,
            ledger: Arc::clone(&ledger) as _,
            lanes: Arc::clone(&lanes) as _,
            clock: Arc::clone(&clock) as _,
            rng: fastrand::Rng::with_seed(7),
            backoff: Backoff::default(),
            circuit: Policy::default(),
            max_in_flight: 4,
            slowest: Duration::from_secs(16),
        });
        Self {
            world,
            ledger,
            lanes,
            clock,
            engine,
            next_id: 0,
        }
    }

    pub(crate) fn set(&self, id: &str, name: &str, version: Option<u64>) {
        lock(&self.world)
            .source
            .insert(id.to_owned(), (json!({"name": name}), version));
    }

    pub(crate) fn held(&self, id: &str) -> Option<String> {
        lock(&self.world).vendor.get(id).cloned()
    }

    pub(crate) fn pushes(&self) -> usize {
        lock(&self.world).pushes.len()
    }

    /// An event about `id`, sent now, as a message in `group`.
    pub(crate) fn event_in(&mut self, group: &str, id: &str, version: Option<u64>) -> Delivery {
        self.next_id += 1;
        let event_id = format!("e{}", self.next_id);
        let body = json!({
            "id": event_id, "detail-type": "PersonChanged", "source": "people", "time": self.clock.now(),
            "detail": {"id": id, "version": version},
        });
        self.message(group, &body.to_string())
    }

    /// An event in the lane of `id`, sent now.
    pub(crate) fn event_of(&mut self, detail_type: &str, id: &str, detail: &Value) -> Delivery {
        self.next_id += 1;
        let body = json!({
            "id": format!("e{}", self.next_id), "detail-type": detail_type, "source": "people",
            "time": self.clock.now(), "detail": detail,
        });
        self.message(&lane(&key(id)), &body.to_string())
    }

    /// The same, in the lane of its entity.
    pub(crate) fn event(&mut self, id: &str, version: Option<u64>) -> Delivery {
        self.event_in(&lane(&key(id)), id, version)
    }

    pub(crate) fn message(&mut self, group: &str, body: &str) -> Delivery {
        self.next_id += 1;
        Delivery {
            trace_header: None,
            message_id: format!("m{}", self.next_id),
            receipt: format!("receipt-{}", self.next_id),
            group: group.to_owned(),
            receive_count: 1,
            body: body.to_owned(),
        }
    }

    /// Hands a batch to the engine; answers with what it gave back.
    pub(crate) async fn deliver(&self, deliveries: &[Delivery]) -> Vec<String> {
        self.deliver_before(deliveries, 30).await
    }

    /// Asks as a person does, with a minute's time.
    pub(crate) async fn ask(&self, question: &Question) -> Answer {
        let deadline = self.clock.now() + SignedDuration::from_secs(60);
        self.engine.answer(question, deadline).await
    }

    /// Hands one message to the engine and expects that it is left to the queue.
    pub(crate) async fn gives_back(&self, delivery: &Delivery) {
        let returned = self.deliver(std::slice::from_ref(delivery)).await;
        assert_eq!(returned, std::slice::from_ref(&delivery.message_id));
    }

    pub(crate) async fn deliver_before(&self, deliveries: &[Delivery], seconds: i64) -> Vec<String> {
        let deadline = self.clock.now() + SignedDuration::from_secs(seconds);
        let batch = Batch {
            deliveries: deliveries.to_vec(),
            partition: 0,
            deadline,
            request_id: "r-1".to_owned(),
        };
        self.engine.handle(&batch).await
    }

    /// Hands one message to the engine and expects that it is acknowledged.
    pub(crate) async fn settle(&self, delivery: &Delivery) -> Status {
        assert_eq!(
            self.deliver(std::slice::from_ref(delivery)).await,
            Vec::<String>::new()
        );
        self.ledger.status(&event_id(delivery)).expect("an event record")
    }

    /// One run of the waker; what it sends into the lanes is delivered.
    pub(crate) async fn wake(&mut self) -> Woken {
        let (woken, wakes) = self.wakes().await;
        for wake in wakes {
            assert_eq!(self.deliver(&[wake]).await, Vec::<String>::new());
        }
        woken
    }

    /// What the waker sends, yet to be delivered.
    pub(crate) async fn wakes(&mut self) -> (Woken, Vec<Delivery>) {
        let waker = Waker {
            attention: self.ledger.as_ref(),
            lanes: self.lanes.as_ref(),
            clock: self.clock.as_ref(),
            circuit: Policy::default(),
        };
        let deadline = self.clock.now() + SignedDuration::from_secs(50);
        let woken = waker.wake("names", deadline).await.unwrap();
        let sent = self.lanes.take();
        let deliveries = sent.iter().map(|sent| self.message(&sent.group, &sent.body));
        (woken, deliveries.collect())
    }

    pub(crate) fn record(&self, id: &str) -> EntityRecord {
        self.ledger.entity(&key(id)).expect("an entity record")
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

pub(crate) fn event_id(delivery: &Delivery) -> String {
    let body: Value = serde_json::from_str(&delivery.body).unwrap();
    body["id"].as_str().unwrap().to_owned()
}

//! One suite that every vendor function passes against its fake: the function's own wiring, the real engine, real
//! HTTP; only the queue and the ledger are in memory.
//!
//! A vendor implements [`Subject`] and calls [`conformance!`](crate::conformance!).

mod asking;
pub mod cases;
pub mod crash;
pub mod infoservice;
mod subject;
mod wiring;

use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use vendorbridge::ask::{Answer, Question};
use vendorbridge::clock::{Clock, SystemClock};
use vendorbridge::engine::Batch;
use vendorbridge::ledger::{EntityRecord, Status};
use vendorbridge::message::{Delivery, wake_body};
use vendorbridge::{Engine, EntityKey};

pub use subject::{Change, State, Subject};
use wiring::{delivery, engine};

use crate::memory::{ManualClock, MemoryItems, MemoryLedger};
use crate::sandbox::{Sandbox, SandboxConfig};

/// A running subject.
pub struct Stand<S> {
    /// The fakes.
    pub sandbox: Sandbox,
    /// The tables that the function may read.
    pub items: Arc<MemoryItems>,
    /// What the function recorded.
    pub ledger: Arc<MemoryLedger>,
    clock: Arc<ManualClock>,
    engine: Engine,
    changes: HashMap<String, Change>,
    changed: u64,
    events: u32,
    last: Option<(EntityKey, String)>,
    subject: PhantomData<fn() -> S>,
}

impl<S: Subject> Stand<S> {
    /// Starts the sandbox and wires the function to it.
    ///
    /// # Panics
    /// If the sandbox does not start or the function's wiring refuses its settings.
    #[expect(
        clippy::expect_used,
        reason = "a test stand that cannot be built fails its test"
    )]
    pub async fn start() -> Self {
        let now = SystemClock.now();
        let clock = Arc::new(ManualClock::new(now));
        let theirs = Arc::clone(&clock);
        let config = SandboxConfig {
            clock: crate::sandbox::Clock::from_fn(move || theirs.now()),
            ..SandboxConfig::default()
        };
        let sandbox = Sandbox::start(config).await.expect("the sandbox starts");
        let items = Arc::new(MemoryItems::default());
        let ledger = Arc::new(MemoryLedger::default());
        let engine = engine::<S>(&sandbox, &clock, &items, &ledger);
        Self {
            sandbox,
            items,
            ledger,
            clock,
            engine,
            changes: HashMap::new(),
            changed: 0,
            events: 0,
            last: None,
            subject: PhantomData,
        }
    }

    /// Changes the entity at the source.
    pub fn set(&mut self, state: State) {
        self.change(S::ID, Some(state));
    }

    /// Removes the entity at the source.
    pub fn remove(&mut self) {
        self.change(S::ID, None);
    }

    /// Changes any entity at the source, or removes it.
    pub fn change(&mut self, id: &str, state: Option<State>) {
        self.changed += 1;
        let change = Change {
            id: id.to_owned(),
            state,
            number: self.changed,
            at: self.clock.now(),
        };
        S::change(self, &change);
        self.changes.insert(id.to_owned(), change);
    }

    /// Announces the last change some time later, and lets the function settle it.
    pub async fn announce(&mut self) -> Status {
        self.announce_of(S::ID).await
    }

    /// The same for another entity.
    pub async fn announce_of(&mut self, id: &str) -> Status {
        let event = self.event(id);
        self.announce_with(id, event).await
    }

    /// Announces an entity by this event some time later, and lets the function settle it. The stand adds `id` and `time`.
    ///
    /// # Panics
    /// If the function gives the message back or records nothing.
    #[expect(clippy::expect_used, reason = "a test stand")]
    pub async fn announce_with(&mut self, id: &str, event: Value) -> Status {
        let body = self.next_event(id, event);
        self.deliver(Self::entity(id), body, 1).await;
        let event_id = format!("e{}", self.events);
        self.ledger.status(&event_id).expect("an event record")
    }

    /// Announces an entity of another type of the same vendor by this event, as [`announce_with`](Self::announce_with) does.
    ///
    /// # Panics
    /// As that.
    #[expect(clippy::expect_used, reason = "a test stand")]
    pub async fn announce_as(&mut self, entity: &EntityKey, event: Value) -> Status {
        let before = self.last.take();
        let body = self.next_event(S::ID, event);
        self.last = before;
        self.deliver(entity.clone(), body, 1).await;
        let event_id = format!("e{}", self.events);
        self.ledger.status(&event_id).expect("an event record")
    }

    /// The body of an event that is sent ten seconds from now; remembered for a redelivery.
    fn next_event(&mut self, id: &str, mut event: Value) -> String {
        self.events += 1;
        self.pass(Duration::from_secs(10));
        event["id"] = json!(format!("e{}", self.events));
        event["time"] = json!(self.clock.now());
        let body = event.to_string();
        self.last = Some((Self::entity(id), body.clone()));
        body
    }

    /// Lets time pass.
    pub fn pass(&self, time: Duration) {
        self.clock.advance(time);
    }

    /// Delivers the last announcement once more, as the queue does when nobody acknowledged it.
    ///
    /// # Panics
    /// If nothing was announced before.
    #[expect(clippy::expect_used, reason = "a test stand")]
    pub async fn redeliver(&mut self) {
        let (entity, body) = self.last.clone().expect("an earlier announcement");
        self.deliver(entity, body, 2).await;
    }

    /// What a test changed at the source by itself counts as no change here; it is announced all the same.
    fn event(&self, id: &str) -> Value {
        let unknown = || Change {
            id: id.to_owned(),
            state: None,
            number: self.changed,
            at: self.clock.now(),
        };
        let change = self.changes.get(id).cloned().unwrap_or_else(unknown);
        S::event(&change)
    }

    /// Lets the waiting retry be due, and wakes it.
    pub async fn wake(&mut self) {
        self.wake_of(S::ID).await;
    }

    /// The same for another entity.
    pub async fn wake_of(&mut self, id: &str) {
        self.clock.advance(Duration::from_secs(4000));
        let body = wake_body(&Self::entity(id), "wake", self.clock.now());
        self.deliver(Self::entity(id), body, 1).await;
    }

    /// What the ledger says of the entity.
    #[must_use]
    pub fn record(&self) -> EntityRecord {
        self.record_of(S::ID)
    }

    /// What the ledger says of another entity.
    ///
    /// # Panics
    /// If it says nothing.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a test stand")]
    pub fn record_of(&self, id: &str) -> EntityRecord {
        self.ledger.entity(&Self::entity(id)).expect("an entity record")
    }

    /// The state that the fake holds of the entity.
    #[must_use]
    pub fn held(&self) -> Option<State> {
        S::held(&self.sandbox, S::ID)
    }

    /// How many records the fake holds in all.
    #[must_use]
    pub fn records(&self) -> usize {
        S::records(&self.sandbox)
    }

    /// How many requests the fake got.
    #[must_use]
    pub fn calls(&self) -> u64 {
        S::calls(&self.sandbox)
    }

    /// The time on the stand.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Announces several entities in one batch of the queue. The statuses come in the same order.
    ///
    /// # Panics
    /// As [`announce_of`](Self::announce_of).
    #[expect(clippy::expect_used, reason = "a test stand")]
    pub async fn announce_together(&mut self, ids: &[&str]) -> Vec<Status> {
        self.clock.advance(Duration::from_secs(10));
        let mut event_ids = Vec::new();
        let mut deliveries = Vec::new();
        for id in ids {
            self.events += 1;
            let event_id = format!("e{}", self.events);
            let mut event = self.event(id);
            event["id"] = json!(event_id);
            event["time"] = json!(self.clock.now());
            deliveries.push(delivery(&Self::entity(id), &event_id, event.to_string(), 1));
            event_ids.push(event_id);
        }
        self.handle(deliveries).await;
        let status = |id: &String| self.ledger.status(id).expect("an event record");
        event_ids.iter().map(status).collect()
    }

    /// Asks the function.
    pub async fn ask(&self, question: Question) -> Answer {
        let deadline = self.clock.now() + SignedDuration::from_secs(30);
        self.engine.answer(&question, deadline).await
    }

    async fn deliver(&self, entity: EntityKey, body: String, receive_count: u32) {
        self.handle(vec![delivery(&entity, "m", body, receive_count)])
            .await;
    }

    /// Delivers a message, whether or not it is given back.
    async fn try_deliver(&self, entity: EntityKey, body: String, receive_count: u32) -> Vec<String> {
        self.try_handle(vec![delivery(&entity, "m", body, receive_count)])
            .await
    }

    async fn handle(&self, deliveries: Vec<Delivery>) {
        assert_eq!(
            self.try_handle(deliveries).await,
            Vec::<String>::new(),
            "the message was given back"
        );
    }

    async fn try_handle(&self, deliveries: Vec<Delivery>) -> Vec<String> {
        let deadline = self.clock.now() + SignedDuration::from_secs(30);
        let batch = Batch {
            deliveries,
            partition: 0,
            deadline,
            request_id: String::new(),
        };
        self.engine.handle(&batch).await
    }

    /// The key of an entity of the subject's type.
    ///
    /// # Panics
    /// If the id is none.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a test's constant")]
    pub fn entity(id: &str) -> EntityKey {
        EntityKey::new(S::ENTITY_TYPE, id).expect("a legal key")
    }
}

/// Makes the suite's tests for a [`Subject`], each a test of its own.
#[macro_export]
macro_rules! conformance {
    ($subject:ty) => {
        $crate::conformance!(@tests $subject:
            create, update, unchanged, delete, repeat, rate_limited, deauthorized, gone, unknown_outcome,
            never_sent, too_large, comes_back, describes, previews, lists);
    };
    (@tests $subject:ty: $($case:ident),+) => {
        $(
            #[tokio::test]
            async fn $case() {
                $crate::conformance::cases::$case::<$subject>().await;
            }
        )+
    };
}

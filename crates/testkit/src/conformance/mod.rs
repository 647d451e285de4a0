//! One suite that every vendor function passes against its fake: the function's own wiring, the real engine, real
//! HTTP; only the queue and the ledger are in memory.
//!
//! A vendor implements [`Subject`] and calls [`conformance!`](crate::conformance!).

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use vendorbridge::clock::{Clock, SystemClock};
use vendorbridge::config::Config;
use vendorbridge::engine::{Batch, Parts};
use vendorbridge::http::Http;
use vendorbridge::lambda::{Setup, StartError};
use vendorbridge::lane::lane;
use vendorbridge::ledger::{EntityRecord, Status};
use vendorbridge::message::{Delivery, wake_body};
use vendorbridge::park::Backoff;
use vendorbridge::secret::{SecretText, Secrets};
use vendorbridge::{Engine, Entity, EntityKey, Error};

use crate::memory::{ManualClock, MemoryLanes, MemoryLedger};
use crate::sandbox::infoservice::{Channel, NewPreference};
use crate::sandbox::{Faults, Sandbox, SandboxConfig};

/// A vendor function and its fake.
pub trait Subject {
    /// The vendor's name.
    const VENDOR: &'static str;

    /// Which request of a create is the one that writes; those before only look.
    const CREATING_REQUEST: u64 = 1;

    /// The function's `VENDOR_SETTINGS` for this sandbox.
    fn settings(sandbox: &Sandbox) -> Value;

    /// The text of the function's secret for this sandbox.
    fn secret(sandbox: &Sandbox) -> Value;

    /// The function's own wiring.
    ///
    /// # Errors
    /// If a setting cannot be used.
    fn wire(setup: &Setup) -> Result<Vec<Entity>, StartError>;

    /// The fake's faults.
    fn faults(sandbox: &Sandbox) -> Faults;

    /// The channel that the fake holds for a customer with this id and address; `None` if it holds no such customer.
    fn held(sandbox: &Sandbox, customer_id: &str, email: &str) -> Option<String>;

    /// How many records the fake holds in all.
    fn records(sandbox: &Sandbox) -> usize;

    /// How many requests the fake got.
    fn calls(sandbox: &Sandbox) -> u64;
}

/// A running subject.
pub struct Stand {
    /// The fakes.
    pub sandbox: Sandbox,
    /// What the function recorded.
    pub ledger: Arc<MemoryLedger>,
    clock: Arc<ManualClock>,
    engine: Engine,
    events: u32,
}

/// The customer that the suite works with.
pub const CUSTOMER: &str = "c-4711";
/// Its address.
pub const EMAIL: &str = "ada@lovelace.example";

struct FixedSecret(String);

impl Secrets for FixedSecret {
    fn fetch(&self) -> BoxFuture<'_, Result<SecretText, Error>> {
        Box::pin(async { Ok(SecretText::fixed(self.0.clone())) })
    }
}

impl Stand {
    /// Starts the sandbox and wires the function to it.
    ///
    /// # Panics
    /// If the sandbox does not start or the function's wiring refuses its settings.
    #[expect(
        clippy::expect_used,
        reason = "a test stand that cannot be built fails its test"
    )]
    pub async fn start<S: Subject>() -> Self {
        let now = SystemClock.now();
        let clock = Arc::new(ManualClock::new(now));
        let theirs = Arc::clone(&clock);
        let config = SandboxConfig {
            clock: crate::sandbox::Clock::from_fn(move || theirs.now()),
            ..SandboxConfig::default()
        };
        let sandbox = Sandbox::start(config).await.expect("the sandbox starts");
        let variables = [
            ("VENDOR", S::VENDOR.to_owned()),
            ("QUEUE_URL", "in memory".to_owned()),
            ("LEDGER_TABLE", "in memory".to_owned()),
            ("VENDOR_SECRET", "in memory".to_owned()),
            ("VENDOR_SETTINGS", S::settings(&sandbox).to_string()),
            ("ALLOW_PLAIN_HTTP", "true".to_owned()),
        ];
        let lookup = |name: &str| {
            variables
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, v)| v.clone())
        };
        let config = Config::read(&lookup).expect("the configuration is complete");
        let http = Http::new(config.allow_plain_http).expect("an HTTP client");
        let secret = FixedSecret(S::secret(&sandbox).to_string());
        let setup = Setup::new(config, http, Arc::clone(&clock) as _, Box::new(secret));
        let entities = S::wire(&setup).expect("the function wires");
        let ledger = Arc::new(MemoryLedger::default());
        let engine = Engine::new(Parts {
            vendor: S::VENDOR.to_owned(),
            entities,
            ledger: Arc::clone(&ledger) as _,
            lanes: Arc::new(MemoryLanes::default()),
            clock: Arc::clone(&clock) as _,
            rng: fastrand::Rng::with_seed(7),
            backoff: Backoff::default(),
            circuit: vendorbridge::circuit::Policy::default(),
            max_in_flight: 5,
            slowest: Duration::from_secs(16),
        });
        Self {
            sandbox,
            ledger,
            clock,
            engine,
            events: 0,
        }
    }

    /// Changes the customer at the source.
    pub fn set(&self, channel: Channel, email: &str) {
        self.set_of(CUSTOMER, channel, email);
    }

    /// The same for another customer.
    pub fn set_of(&self, customer: &str, channel: Channel, email: &str) {
        let preference = NewPreference {
            channel,
            ..NewPreference::by_email(customer, email)
        };
        self.sandbox.infoservice.put(preference);
    }

    /// Announces a change some time later, and lets the function settle it.
    pub async fn announce(&mut self) -> Status {
        self.announce_of(CUSTOMER).await
    }

    /// The same for another customer.
    ///
    /// # Panics
    /// If the function gives the message back or records nothing.
    #[expect(clippy::expect_used, reason = "a test stand")]
    pub async fn announce_of(&mut self, customer: &str) -> Status {
        self.events += 1;
        self.clock.advance(Duration::from_secs(10));
        self.deliver(entity(customer), self.event(customer), 1).await;
        let event_id = format!("e{}", self.events);
        self.ledger.status(&event_id).expect("an event record")
    }

    /// Delivers the last announcement once more, as the queue does when nobody acknowledged it.
    pub async fn redeliver(&mut self) {
        self.deliver(entity(CUSTOMER), self.event(CUSTOMER), 2).await;
    }

    fn event(&self, customer: &str) -> String {
        json!({
            "id": format!("e{}", self.events), "detail-type": "DeliveryPreferenceUpdated", "source": "infoservice",
            "time": self.clock.now(), "detail": {"customerId": customer},
        })
        .to_string()
    }

    /// Lets the waiting retry be due, and wakes it.
    pub async fn wake(&mut self) {
        self.wake_of(CUSTOMER).await;
    }

    /// The same for another customer.
    pub async fn wake_of(&mut self, customer: &str) {
        self.clock.advance(Duration::from_secs(4000));
        let body = wake_body(&entity(customer), "wake", self.clock.now());
        self.deliver(entity(customer), body, 1).await;
    }

    /// What the ledger says of the customer.
    #[must_use]
    pub fn record(&self) -> EntityRecord {
        self.record_of(CUSTOMER)
    }

    /// What the ledger says of another customer.
    ///
    /// # Panics
    /// If it says nothing.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a test stand")]
    pub fn record_of(&self, customer: &str) -> EntityRecord {
        self.ledger.entity(&entity(customer)).expect("an entity record")
    }

    /// The time on the stand.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn deliver(&self, entity: EntityKey, body: String, receive_count: u32) {
        let delivery = Delivery {
            receipt: String::new(),
            message_id: "m".to_owned(),
            group: lane(&entity),
            receive_count,
            body,
        };
        let deadline = self.clock.now() + SignedDuration::from_secs(30);
        let batch = Batch {
            deliveries: vec![delivery],
            deadline,
            request_id: String::new(),
        };
        assert_eq!(
            self.engine.handle(&batch).await,
            Vec::<String>::new(),
            "the message was given back"
        );
    }
}

fn entity(customer: &str) -> EntityKey {
    #[expect(clippy::expect_used, reason = "a test's constant")]
    EntityKey::new("customer", customer).expect("a legal key")
}

/// Makes the suite's tests for a [`Subject`], each a test of its own.
#[macro_export]
macro_rules! conformance {
    ($subject:ty) => {
        $crate::conformance!(@tests $subject:
            create, update, unchanged, delete, repeat, rate_limited, deauthorized, gone, unknown_outcome,
            never_sent, too_large, comes_back);
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

pub mod cases;

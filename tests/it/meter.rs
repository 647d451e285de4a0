//! Counts what goes over the wire.
//!
//! The real engine and the real adapter write to the emulator's table through a counting HTTP client; the deployed
//! functions get no event.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_config::{BehaviorVersion, Region};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use vendorbridge::clock::{Clock, SystemClock};
use vendorbridge::config::Config;
use vendorbridge::engine::{Batch, Parts};
use vendorbridge::http::{AwsHttp, Http};
use vendorbridge::lambda::{Setup, StartError};
use vendorbridge::lane::lane;
use vendorbridge::ledger::DynamoLedger;
use vendorbridge::message::Delivery;
use vendorbridge::park::Backoff;
use vendorbridge::secret::{SecretText, Secrets};
use vendorbridge::source::DynamoItems;
use vendorbridge::{Engine, Entity, Error};
use vendorbridge_testkit::cloud::World;
use vendorbridge_testkit::memory::{ManualClock, MemoryLanes};

/// What went over the wire.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) requests: u32,
    /// Items written: each is one write unit as long as it is at most 1 KB.
    pub(crate) writes: u32,
    /// Writes that also touch the sparse index.
    pub(crate) index_writes: u32,
}

#[derive(Debug, Clone)]
struct Counting {
    inner: AwsHttp,
    counts: Arc<Mutex<Counts>>,
}

impl HttpClient for Counting {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Counting {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let operation = request
            .headers()
            .get("x-amz-target")
            .unwrap_or_default()
            .to_owned();
        let body: Value =
            serde_json::from_slice(request.body().bytes().unwrap_or_default()).unwrap_or_default();
        let mut counts = self.counts.lock().unwrap();
        counts.requests += 1;
        if operation.ends_with(".UpdateItem") {
            counts.writes += 1;
            // The attributes of a parked, rejected or dead entity's index keys are set, not removed.
            let sets = body["UpdateExpression"].as_str().unwrap_or_default();
            let sets = sets.split(" REMOVE ").next().unwrap_or_default();
            let names = body["ExpressionAttributeNames"]
                .as_object()
                .cloned()
                .unwrap_or_default();
            let is_indexed =
                |(key, name): (&String, &Value)| name == "attention_pk" && sets.contains(&format!("{key} ="));
            counts.index_writes += u32::from(names.iter().any(is_indexed));
        } else if operation.ends_with(".BatchWriteItem") {
            let tables = body["RequestItems"].as_object().cloned().unwrap_or_default();
            let items: usize = tables.values().filter_map(Value::as_array).map(Vec::len).sum();
            counts.writes += u32::try_from(items).unwrap();
        }
        drop(counts);
        self.inner.call(request)
    }
}

struct Fixed(String);

impl Secrets for Fixed {
    fn fetch(&self) -> BoxFuture<'_, Result<SecretText, Error>> {
        Box::pin(async { Ok(SecretText::fixed(self.0.clone())) })
    }
}

/// The time of the test, but waits are real.
struct Pacing(Arc<ManualClock>);

impl Clock for Pacing {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn sleep(&self, time: Duration) -> BoxFuture<'_, ()> {
        Box::pin(tokio::time::sleep(time))
    }
}

/// Whose function is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Subject {
    Mailchimp,
    Webhook,
    Algolia,
}

impl Subject {
    fn name(self) -> &'static str {
        match self {
            Self::Mailchimp => "mailchimp",
            Self::Webhook => "webhook",
            Self::Algolia => "algolia",
        }
    }

    fn wire(self, setup: &Setup) -> Result<Vec<Entity>, StartError> {
        match self {
            Self::Mailchimp => mailchimp::wire(setup),
            Self::Webhook => webhook::wire(setup),
            Self::Algolia => algolia::wire(setup),
        }
    }

    /// Requests to the source and to the vendor so far.
    fn calls(self, world: &World) -> (u64, u64) {
        let sandbox = &world.sandbox;
        match self {
            Self::Mailchimp => (
                sandbox.infoservice.calls() + sandbox.auth0.calls(),
                sandbox.mailchimp.calls(),
            ),
            Self::Webhook => (
                sandbox.infoservice.calls() + sandbox.shortlists.calls(),
                sandbox.webhook.calls(),
            ),
            Self::Algolia => (0, sandbox.algolia.calls()),
        }
    }
}

/// A vendor function's engine whose DynamoDB requests are counted.
pub(crate) struct Meter {
    subject: Subject,
    engine: Engine,
    pub(crate) clock: Arc<ManualClock>,
    counts: Arc<Mutex<Counts>>,
    figures: BTreeMap<&'static str, (Counts, usize)>,
    next: u32,
}

impl Meter {
    pub(crate) async fn new(world: &World, subject: Subject) -> Self {
        let http = Http::new(true).unwrap();
        let counts = Arc::new(Mutex::new(Counts::default()));
        let counting = Counting {
            inner: AwsHttp::new(&http),
            counts: Arc::clone(&counts),
        };
        let sdk = aws_config::defaults(BehaviorVersion::latest())
            .http_client(counting)
            .endpoint_url(world.aws.endpoint.clone().unwrap())
            .region(Region::from_static("us-east-1"))
            .credentials_provider(aws_credential_types::Credentials::new(
                "test", "test", None, None, "test",
            ))
            .load()
            .await;
        let vendor = subject.name();
        let parameters = world.parameters(&[vendor]);
        let mut settings: Value = serde_json::from_str(&parameters[&format!("{vendor}Settings")]).unwrap();
        if let Subject::Algolia = subject {
            // However slow this machine is, those of one batch find each other.
            settings["linger_ms"] = 500.into();
        }
        let config = world.sandbox.config();
        let api_key = match subject {
            Subject::Algolia => &config.algolia_api_key,
            Subject::Mailchimp | Subject::Webhook => &config.api_key,
        };
        let secret = json!({
            "api_key": api_key, "source_token": config.source_token, "signing_secret": config.signing_secret,
            "shortlist_token": config.shortlist_token, "auth0_client_id": config.auth0_client_id,
            "auth0_client_secret": config.auth0_client_secret,
        });
        let variables = [
            ("VENDOR", vendor.to_owned()),
            ("QUEUE_URL", "in memory".to_owned()),
            ("LEDGER_TABLE", world.stack.deployment.table.clone()),
            ("VENDOR_SECRET", "in memory".to_owned()),
            ("VENDOR_SETTINGS", settings.to_string()),
            ("ALLOW_PLAIN_HTTP", "true".to_owned()),
        ];
        let lookup = |name: &str| {
            variables
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, v)| v.clone())
        };
        let config = Config::read(&lookup).unwrap();
        let clock = Arc::new(ManualClock::new(SystemClock.now()));
        let setup = Setup::new(
            config,
            http,
            Arc::new(Pacing(Arc::clone(&clock))),
            Box::new(Fixed(secret.to_string())),
        );
        let database = aws_sdk_dynamodb::Client::new(&sdk);
        let setup = setup.with_items(Arc::new(DynamoItems::new(database.clone())));
        let entities = subject.wire(&setup).unwrap();
        let table = world.stack.deployment.table.clone();
        let ledger = DynamoLedger::new(database, table, vendor.to_owned(), 90);
        let engine = Engine::new(Parts {
            vendor: vendor.to_owned(),
            entities,
            ledger: Arc::new(ledger),
            lanes: Arc::new(MemoryLanes::default()),
            clock: Arc::clone(&clock) as _,
            rng: fastrand::Rng::with_seed(7),
            backoff: Backoff::default(),
            circuit: vendorbridge::circuit::Policy::default(),
            max_in_flight: 10,
            slowest: Duration::from_secs(16),
        });
        Self {
            subject,
            engine,
            clock,
            counts,
            figures: BTreeMap::new(),
            next: 0,
        }
    }

    /// A notification of a delivery preference, in its lane.
    pub(crate) fn preference(&mut self, customer: usize, version: Option<u64>) -> Delivery {
        let event = json!({
            "detail-type": "DeliveryPreferenceUpdated", "source": "infoservice",
            "detail": {"customerId": format!("c-{customer}"), "version": version},
        });
        self.event(&format!("customer/c-{customer}"), event)
    }

    /// An event in the lane of its entity, sent now.
    pub(crate) fn event(&mut self, entity: &str, mut envelope: Value) -> Delivery {
        self.next += 1;
        envelope["id"] = format!("e{}-3f2a9c1e-6d8b-4b5e-9c3d-1a2b3c4d5e6f", self.next).into();
        envelope["time"] = self.clock.now().to_string().into();
        Delivery {
            trace_header: None,
            message_id: format!("m{}", self.next),
            receipt: String::new(),
            group: lane(&entity.parse().unwrap()),
            receive_count: 1,
            body: envelope.to_string(),
        }
    }

    /// Delivers a batch and keeps what it cost.
    pub(crate) async fn measure(&mut self, what: &'static str, batch: &[Delivery]) -> Counts {
        *self.counts.lock().unwrap() = Counts::default();
        let deadline = self.clock.now() + SignedDuration::from_secs(30);
        let batch = Batch {
            deliveries: batch.to_vec(),
            partition: 0,
            deadline,
            request_id: "r".to_owned(),
        };
        assert_eq!(
            self.engine.handle(&batch).await,
            Vec::<String>::new(),
            "{what} was given back"
        );
        let counts = *self.counts.lock().unwrap();
        self.figures.insert(what, (counts, batch.deliveries.len()));
        self.clock.advance(Duration::from_secs(10));
        counts
    }

    pub(crate) fn print(&self) {
        for (what, (counts, events)) in &self.figures {
            let per = |count: u32| f64::from(count) / f64::from(u32::try_from(*events).unwrap());
            eprintln!(
                "budget {what}: {events} events, per event {:.1} requests, {:.1} writes, {:.1} index writes",
                per(counts.requests),
                per(counts.writes),
                per(counts.index_writes)
            );
        }
    }

    /// The same, and prints what it cost per event, requests to source and vendor included. Answers with those of the batch.
    pub(crate) async fn pattern(
        &mut self,
        world: &World,
        what: &'static str,
        batch: &[Delivery],
    ) -> (u64, u64) {
        let (source, vendor) = self.subject.calls(world);
        let counts = self.measure(what, batch).await;
        let (read, called) = self.subject.calls(world);
        let (read, called) = (read - source, called - vendor);
        let events = f64::from(u32::try_from(batch.len()).unwrap());
        let per = |count: u64| f64::from(u32::try_from(count).unwrap()) / events;
        eprintln!(
            "pattern {what}: per event {:.1} requests to the source, {:.1} to the vendor, {:.1} to DynamoDB with {:.1} writes",
            per(read),
            per(called),
            per(counts.requests.into()),
            per(counts.writes.into()),
        );
        (read, called)
    }
}

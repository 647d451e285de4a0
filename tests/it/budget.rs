//! DynamoDB requests and write units per event, counted on the wire, against the budget: two units for a synced event,
//! one for any other, no index write on the healthy path.
//!
//! The real engine and the real adapter write to the emulator's table through a counting HTTP client; the deployed
//! functions get no event.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_config::{BehaviorVersion, Region};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use futures::future::BoxFuture;
use jiff::SignedDuration;
use serde_json::{Value, json};
use vendorbridge::clock::{Clock, SystemClock};
use vendorbridge::config::Config;
use vendorbridge::engine::{Batch, Parts};
use vendorbridge::http::{AwsHttp, Http};
use vendorbridge::lambda::Setup;
use vendorbridge::ledger::DynamoLedger;
use vendorbridge::message::Delivery;
use vendorbridge::park::Backoff;
use vendorbridge::secret::{SecretText, Secrets};
use vendorbridge::{Engine, Error};
use vendorbridge_testkit::cloud::World;
use vendorbridge_testkit::memory::{ManualClock, MemoryLanes};
use vendorbridge_testkit::sandbox::Fault;
use vendorbridge_tests::{LIST, change, email};

use crate::stage;

/// What went over the wire.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    requests: u32,
    /// Items written: each is one write unit as long as it is at most 1 KB.
    writes: u32,
    /// Writes that also touch the sparse index.
    index_writes: u32,
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

struct Meter {
    engine: Engine,
    clock: Arc<ManualClock>,
    counts: Arc<Mutex<Counts>>,
    figures: BTreeMap<&'static str, (Counts, usize)>,
    next: u32,
}

impl Meter {
    async fn new(world: &World) -> Self {
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
        let sandbox = &world.sandbox;
        let settings = json!({
            "source_url": sandbox.source_url(), "list_id": LIST, "api_url": sandbox.mailchimp_url(),
        });
        let variables = [
            ("VENDOR", "mailchimp".to_owned()),
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
        let secret = json!({
            "api_key": sandbox.config().api_key, "source_token": sandbox.config().source_token,
        });
        let clock = Arc::new(ManualClock::new(SystemClock.now()));
        let setup = Setup::new(
            config,
            http,
            Arc::clone(&clock) as _,
            Box::new(Fixed(secret.to_string())),
        );
        let entities = mailchimp::wire(&setup).unwrap();
        let ledger = DynamoLedger::new(
            aws_sdk_dynamodb::Client::new(&sdk),
            world.stack.deployment.table.clone(),
            "mailchimp".to_owned(),
            90,
        );
        let engine = Engine::new(Parts {
            vendor: "mailchimp".to_owned(),
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
            engine,
            clock,
            counts,
            figures: BTreeMap::new(),
            next: 0,
        }
    }

    fn event(&mut self, customer: usize, version: Option<u64>) -> Delivery {
        self.next += 1;
        let body = json!({
            "id": format!("e{}-3f2a9c1e-6d8b-4b5e-9c3d-1a2b3c4d5e6f", self.next),
            "detail-type": "DeliveryPreferenceUpdated", "source": "infoservice", "time": self.clock.now(),
            "detail": {"customerId": format!("c-{customer}"), "version": version},
        });
        Delivery {
            message_id: format!("m{}", self.next),
            receipt: String::new(),
            group: format!("customer/c-{customer}"),
            receive_count: 1,
            body: body.to_string(),
        }
    }

    /// Delivers a batch and keeps what it cost.
    async fn measure(&mut self, what: &'static str, batch: &[Delivery]) -> Counts {
        *self.counts.lock().unwrap() = Counts::default();
        let deadline = self.clock.now() + SignedDuration::from_secs(30);
        let batch = Batch {
            deliveries: batch.to_vec(),
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

    fn print(&self) {
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
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_cost_no_more_than_their_budget() {
    let world = stage::world("budget", |_| {}).await;
    let mut meter = Meter::new(&world).await;
    for customer in 0..10 {
        change(&world, customer, 0);
    }
    let old: Vec<_> = (0..10).map(|customer| meter.event(customer, None)).collect();
    meter.clock.advance(Duration::from_secs(10));

    let batch: Vec<_> = (0..10).map(|customer| meter.event(customer, Some(1))).collect();
    // A new member is written ahead of its creation (docs/adr/0007-written-ahead.md): one write more, once per address.
    let created = meter.measure("created", &batch).await;
    assert_eq!(
        (created.requests, created.writes, created.index_writes),
        (22, 30, 0)
    );

    let changed: Vec<_> = (0..10)
        .map(|customer| (customer, change(&world, customer, 1)))
        .collect();
    let batch: Vec<_> = changed
        .into_iter()
        .map(|(customer, version)| meter.event(customer, Some(version)))
        .collect();
    let synced = meter.measure("synced", &batch).await;
    assert_eq!((synced.requests, synced.writes, synced.index_writes), (12, 20, 0));

    let covered = meter.measure("covered", &old).await;
    assert_eq!(
        (covered.requests, covered.writes, covered.index_writes),
        (2, 10, 0)
    );

    let batch: Vec<_> = (0..10).map(|customer| meter.event(customer, None)).collect();
    let unchanged = meter.measure("unchanged", &batch).await;
    assert_eq!(
        (unchanged.requests, unchanged.writes, unchanged.index_writes),
        (2, 10, 0)
    );

    // Ten of one entity: one is synced with two writes, nine are coalesced with one each.
    let version = change(&world, 1, 2);
    let batch: Vec<_> = (0..10).map(|_| meter.event(1, Some(version))).collect();
    let coalesced = meter.measure("one synced, nine coalesced", &batch).await;
    assert_eq!(
        (coalesced.requests, coalesced.writes, coalesced.index_writes),
        (3, 11, 0)
    );

    // What the budget does not promise, measured: parking writes the index, and a newer version that joins a waiting
    // retry writes the entity too.
    world
        .sandbox
        .mailchimp
        .faults()
        .always_for(&email(2), Fault::Status(503));
    let version = change(&world, 2, 2);
    let event = meter.event(2, Some(version));
    let parked = meter.measure("parked", &[event]).await;
    assert_eq!((parked.writes, parked.index_writes), (2, 1));
    let event = meter.event(2, Some(version));
    let joined = meter.measure("joined a retry", &[event]).await;
    assert_eq!(joined.writes, 1);
    let event = meter.event(2, Some(version + 1));
    let joined = meter
        .measure("joined a retry with a newer version", &[event])
        .await;
    assert_eq!(joined.writes, 2);

    let largest = largest_item(&world).await;
    eprintln!("budget: the largest record has {largest} bytes");
    assert!(
        largest <= 1024,
        "a record of {largest} bytes costs more than one write unit"
    );
    meter.print();
    stage::end(world).await;
}

/// The size of the largest record in bytes, as DynamoDB counts it: names and values.
async fn largest_item(world: &World) -> usize {
    let table = &world.stack.deployment.table;
    let answer = world.aws.dynamodb.scan().table_name(table).send().await.unwrap();
    let size = |item: &std::collections::HashMap<String, AttributeValue>| {
        item.iter().map(|(name, value)| name.len() + bytes(value)).sum()
    };
    answer.items().iter().map(size).max().unwrap_or(0)
}

fn bytes(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(digits) => digits.len().div_ceil(2) + 1,
        AttributeValue::L(list) => 3 + list.iter().map(|value| 1 + bytes(value)).sum::<usize>(),
        AttributeValue::M(map) => {
            3 + map
                .iter()
                .map(|(name, value)| 1 + name.len() + bytes(value))
                .sum::<usize>()
        }
        _ => 1,
    }
}

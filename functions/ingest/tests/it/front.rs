//! The front door before the vendor's function, in one process: requests as API Gateway hands them over, the real engine and the
//! real plan behind a queue in memory, and course-discovery's stand-in at the end.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, to_bytes};
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use http::{HeaderMap, Request as HttpRequest, StatusCode};
use ingest::{Acceptance, Ingest, LineConfig, Outcome, Replacement, Request, Store, Wanted};
use jiff::Timestamp;
use lambda_http::RequestExt;
use lambda_http::request::RequestContext;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};
use tower::ServiceExt;
use vendorbridge::bus::{Bus, Event, Refusal};
use vendorbridge::clock::Clock;
use vendorbridge::config::Config;
use vendorbridge::engine::{Batch, Parts};
use vendorbridge::http::Http;
use vendorbridge::lambda::Setup;
use vendorbridge::lane::{LaneMessage, Lanes};
use vendorbridge::ledger::{EventRecord, Status};
use vendorbridge::message::Delivery;
use vendorbridge::park::Backoff;
use vendorbridge::secret::{SecretStore, SecretText, Secrets};
use vendorbridge::wake::Waker;
use vendorbridge::{Engine, EntityKey, Error, ErrorKind, Stage};
use vendorbridge_testkit::memory::{MemoryItems, MemoryLanes, MemoryLedger};
use vendorbridge_testkit::sandbox::{Sandbox, SandboxConfig};

/// The role that may write the line `acme`.
pub(crate) const ROLE: &str = "arn:aws:iam::123456789012:role/acme";
/// A session of it, as a request shows it.
pub(crate) const SESSION: &str = "arn:aws:sts::123456789012:assumed-role/acme/i-1";
const TABLE: &str = "in memory";
/// The time of these tests goes this much faster.
const FASTER: u32 = 10;

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A clock that goes faster, and can be moved on.
pub(crate) struct FastClock {
    began: Instant,
    base: Timestamp,
    ahead: Mutex<Duration>,
}

impl FastClock {
    fn new() -> Self {
        Self {
            began: Instant::now(),
            base: "2026-01-29T14:36:26Z".parse().unwrap(),
            ahead: Mutex::default(),
        }
    }
}

impl Clock for FastClock {
    fn now(&self) -> Timestamp {
        self.base + self.began.elapsed() * FASTER + *lock(&self.ahead)
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()> {
        Box::pin(tokio::time::sleep(duration / FASTER))
    }
}

/// The table of requests and wanted states.
#[derive(Default)]
pub(crate) struct MemoryStore {
    tables: Mutex<Tables>,
    items: Arc<MemoryItems>,
    ledger: Arc<MemoryLedger>,
}

#[derive(Default)]
struct Tables {
    requests: HashMap<(String, String), Request>,
    wanted: HashMap<EntityKey, Wanted>,
    claims: HashMap<String, EntityKey>,
    calls: HashMap<(String, Timestamp), u32>,
    overtake: u32,
}

impl MemoryStore {
    pub(crate) fn wanted_state(&self, key: &str) -> Option<Wanted> {
        lock(&self.tables).wanted.get(&key.parse().unwrap()).cloned()
    }

    pub(crate) fn request_of(&self, id: &str) -> Option<Request> {
        lock(&self.tables)
            .requests
            .get(&("acme".to_owned(), id.to_owned()))
            .cloned()
    }

    /// The next so many attempts to write find that somebody else was faster.
    pub(crate) fn overtake(&self, times: u32) {
        lock(&self.tables).overtake = times;
    }
}

impl Store for MemoryStore {
    fn request<'a>(&'a self, line: &'a str, id: &'a str) -> BoxFuture<'a, Result<Option<Request>, Error>> {
        let found = lock(&self.tables)
            .requests
            .get(&(line.to_owned(), id.to_owned()))
            .cloned();
        Box::pin(async move { Ok(found) })
    }

    fn wanted<'a>(&'a self, entity: &'a EntityKey) -> BoxFuture<'a, Result<Option<Wanted>, Error>> {
        let found = lock(&self.tables).wanted.get(entity).cloned();
        Box::pin(async move { Ok(found) })
    }

    fn accept<'a>(
        &'a self,
        request: &'a Request,
        replacements: &'a [Replacement],
    ) -> BoxFuture<'a, Result<Acceptance, Error>> {
        let mut tables = lock(&self.tables);
        let key = (request.line.clone(), request.id.clone());
        let revision = |entity| tables.wanted.get(entity).map_or(0, |wanted| wanted.revision);
        let is_overtaken = tables.requests.contains_key(&key)
            || replacements
                .iter()
                .any(|each| revision(&each.entity) + 1 != each.wanted.revision);
        let is_claimed = |each: &Replacement| {
            let owner = each.claim.as_ref().and_then(|claim| tables.claims.get(claim));
            owner.is_some_and(|owner| *owner != each.entity)
        };
        let claimed = replacements.iter().position(is_claimed);
        let acceptance = if tables.overtake > 0 {
            tables.overtake -= 1;
            Acceptance::Overtaken
        } else if is_overtaken {
            Acceptance::Overtaken
        } else if let Some(at) = claimed {
            Acceptance::Claimed(at)
        } else {
            tables.requests.insert(key, request.clone());
            for each in replacements {
                tables.wanted.insert(each.entity.clone(), each.wanted.clone());
                tables
                    .claims
                    .extend(each.claim.clone().map(|claim| (claim, each.entity.clone())));
                let mut item = each.wanted.state.as_object().unwrap().clone();
                item.insert("revision".to_owned(), each.wanted.revision.into());
                let pk = format!("line#{}", each.entity);
                self.items
                    .put_at(TABLE, &[("pk", pk.as_str()), ("sk", "state")], item);
            }
            Acceptance::Written
        };
        Box::pin(async move { Ok(acceptance) })
    }

    fn count<'a>(
        &'a self,
        caller: &'a str,
        window: Timestamp,
        calls: u32,
        most: u32,
    ) -> BoxFuture<'a, Result<bool, Error>> {
        let mut tables = lock(&self.tables);
        let counted = tables.calls.entry((caller.to_owned(), window)).or_default();
        let has_room = *counted + calls <= most;
        *counted += if has_room { calls } else { 0 };
        Box::pin(async move { Ok(has_room) })
    }

    fn outcome<'a>(
        &'a self,
        entity: &'a EntityKey,
        _: Timestamp,
        event_id: &'a str,
    ) -> BoxFuture<'a, Result<Outcome, Error>> {
        let event = self.ledger.event_of(entity, event_id);
        let by_itself = |event: &EventRecord| !matches!(event.status, Status::Coalesced | Status::Covered);
        let settles_itself = event.as_ref().is_some_and(by_itself);
        let entity = if settles_itself {
            None
        } else {
            self.ledger.entity(entity)
        };
        let outcome = Outcome { event, entity };
        Box::pin(async move { Ok(outcome) })
    }
}

/// The vendor's queue: a message is delivered at once, one after the other in each group, and again if it is given back.
pub(crate) struct Queue {
    /// To the thread of the vendor's function, which has a runtime of its own.
    function: mpsc::UnboundedSender<(LaneMessage, oneshot::Sender<()>)>,
    seen: Mutex<HashSet<(String, String)>>,
    /// Nothing gets in.
    pub(crate) is_down: Mutex<bool>,
    /// Nothing comes out.
    pub(crate) is_held: Mutex<bool>,
    sent: Mutex<Vec<LaneMessage>>,
}

impl Queue {
    fn new(engine: Engine, clock: Arc<FastClock>) -> Self {
        let (function, messages) = mpsc::unbounded_channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(work(&engine, &clock, messages));
        });
        Self {
            function,
            seen: Mutex::default(),
            is_down: Mutex::default(),
            is_held: Mutex::default(),
            sent: Mutex::default(),
        }
    }

    pub(crate) fn sent(&self) -> Vec<LaneMessage> {
        lock(&self.sent).clone()
    }

    /// Delivers a message; the answer comes when it is acknowledged.
    pub(crate) fn deliver(&self, message: LaneMessage) -> oneshot::Receiver<()> {
        let (done, is_done) = oneshot::channel();
        self.function.send((message, done)).unwrap();
        is_done
    }
}

/// Hands messages to the engine until nobody sends any more.
async fn work(
    engine: &Engine,
    clock: &FastClock,
    mut messages: mpsc::UnboundedReceiver<(LaneMessage, oneshot::Sender<()>)>,
) {
    let groups = &Mutex::new(HashMap::<String, Arc<tokio::sync::Mutex<()>>>::new());
    let handle = |message: LaneMessage, done: oneshot::Sender<()>| async move {
        let group = Arc::clone(lock(groups).entry(message.group.clone()).or_default());
        let _turn = group.lock().await;
        for receive_count in 1..5 {
            let delivery = Delivery {
                trace_header: None,
                message_id: format!("m-{}", message.deduplication_id),
                receipt: String::new(),
                group: message.group.clone(),
                receive_count,
                body: message.body.clone(),
            };
            let batch = Batch {
                deliveries: vec![delivery],
                partition: 0,
                deadline: clock.now() + Duration::from_mins(10),
                request_id: "r-1".to_owned(),
            };
            if engine.handle(&batch).await.is_empty() {
                break;
            }
        }
        _ = done.send(());
    };
    let mut running = FuturesUnordered::new();
    loop {
        tokio::select! {
            next = messages.recv() => match next {
                Some((message, done)) => running.push(handle(message, done)),
                None => return,
            },
            Some(()) = running.next() => {}
        }
    }
}

/// `Lanes` of a queue that hands itself to its deliveries.
struct Front2Back(Arc<Queue>);

impl Lanes for Front2Back {
    fn send<'a>(&'a self, messages: &'a [LaneMessage]) -> BoxFuture<'a, Vec<Result<(), Error>>> {
        let send = |message: &LaneMessage| {
            if *lock(&self.0.is_down) {
                return Err(Error::retry(
                    ErrorKind::Unavailable,
                    Stage::Intake,
                    "the queue is down",
                ));
            }
            let key = (message.group.clone(), message.deduplication_id.clone());
            if lock(&self.0.seen).insert(key) {
                lock(&self.0.sent).push(message.clone());
                if !*lock(&self.0.is_held) {
                    drop(self.0.deliver(message.clone()));
                }
            }
            Ok(())
        };
        let results = messages.iter().map(send).collect();
        Box::pin(async move { results })
    }

    fn acknowledge<'a>(&'a self, _: u32, _: &'a [String]) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async { Ok(()) })
    }
}

struct NoBus;

impl Bus for NoBus {
    fn put<'a>(&'a self, _: &'a [&'a Event]) -> BoxFuture<'a, Result<Vec<Result<String, Refusal>>, Refusal>> {
        unreachable!("nothing of lines goes to the bus")
    }
}

struct FixedSecret(String);

impl Secrets for FixedSecret {
    fn fetch(&self) -> BoxFuture<'_, Result<SecretText, Error>> {
        Box::pin(async { Ok(SecretText::fixed(self.0.clone())) })
    }
}

pub(crate) struct Front {
    pub(crate) sandbox: Sandbox,
    pub(crate) ledger: Arc<MemoryLedger>,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) queue: Arc<Queue>,
    clock: Arc<FastClock>,
    router: Router,
}

/// What a caller gets.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Front {
    pub(crate) async fn open() -> Self {
        Self::open_for(1000).await
    }

    /// With at most so many calls of a caller in ten seconds.
    pub(crate) async fn open_for(calls_per_window: u32) -> Self {
        let clock = Arc::new(FastClock::new());
        let theirs = Arc::clone(&clock);
        let sandbox = Sandbox::start(SandboxConfig {
            clock: vendorbridge_testkit::sandbox::Clock::from_fn(move || theirs.now()),
            ..SandboxConfig::default()
        });
        let sandbox = sandbox.await.unwrap();
        let (items, ledger) = (
            Arc::new(MemoryItems::default()),
            Arc::new(MemoryLedger::default()),
        );
        let store = Arc::new(MemoryStore {
            items: Arc::clone(&items),
            ledger: Arc::clone(&ledger),
            ..MemoryStore::default()
        });
        let engine = engine(&sandbox, &clock, &items, &ledger);
        let queue = Arc::new(Queue::new(engine, Arc::clone(&clock)));
        let acme = |shape: &str| LineConfig {
            shape: shape.to_owned(),
            callers: vec![ROLE.to_owned(), "jwt:acme-client".to_owned()],
            organizations: BTreeMap::from([("ACME".to_owned(), "ACME".to_owned())]),
        };
        let other = LineConfig {
            callers: vec!["arn:aws:iam::123456789012:role/other".to_owned()],
            ..acme("canonical")
        };
        let lines = [
            ("acme".to_owned(), acme("canonical")),
            ("exec".to_owned(), acme("executive-education")),
            ("other".to_owned(), other),
        ];
        let router = ingest::router(Ingest {
            companies: Vec::new(),
            bus: Arc::new(NoBus),
            secrets: SecretStore::new(Box::new(FixedSecret("{}".to_owned())), Arc::clone(&clock) as _),
            clock: Arc::clone(&clock) as _,
            lines: Arc::new(BTreeMap::from(lines)),
            store: Arc::clone(&store) as _,
            lanes: Arc::new(Front2Back(Arc::clone(&queue))),
            calls_per_window,
            rng: Arc::new(Mutex::new(fastrand::Rng::with_seed(7))),
        });
        Self {
            sandbox,
            ledger,
            store,
            queue,
            clock,
            router,
        }
    }

    /// Sends a request of the line's role.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Answer {
        self.send_as(
            Some(json!({"iam": {"userArn": SESSION}})),
            method,
            path,
            headers,
            body.to_string(),
        )
        .await
    }

    /// Sends an event of the line `acme`.
    pub(crate) async fn event(&self, headers: &[(&str, &str)], event: &Value) -> Answer {
        self.send("POST", "/v1/lines/acme/events", headers, event).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send_as(
            Some(json!({"iam": {"userArn": SESSION}})),
            "GET",
            path,
            &[],
            String::new(),
        )
        .await
    }

    pub(crate) async fn send_as(
        &self,
        authorizer: Option<Value>,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Answer {
        let context = json!({
            "routeKey": "$default", "accountId": "123456789012", "stage": "$default", "requestId": "r-1", "apiId": "a",
            "authorizer": authorizer, "timeEpoch": 0,
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "test"},
        });
        let context = serde_json::from_value(context).unwrap();
        let mut request = HttpRequest::builder().method(method).uri(path);
        if method == "POST" {
            request = request.header("content-type", "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body)).unwrap();
        let request = request.with_request_context(RequestContext::ApiGatewayV2(context));
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Answer {
            status,
            headers,
            body,
        }
    }

    pub(crate) fn pass(&self, time: Duration) {
        *lock(&self.clock.ahead) += time;
    }

    /// Wakes what waits, an hour later, until nothing does.
    pub(crate) async fn recover(&self) {
        for _ in 0..40 {
            self.pass(Duration::from_hours(1));
            let lanes = MemoryLanes::default();
            let waker = Waker {
                attention: self.ledger.as_ref(),
                lanes: &lanes,
                clock: self.clock.as_ref(),
                circuit: vendorbridge::circuit::Policy::default(),
            };
            let deadline = self.clock.now() + Duration::from_mins(10);
            waker.wake("discovery", deadline).await.unwrap();
            let woken = lanes.take();
            if woken.is_empty() {
                return;
            }
            for message in woken {
                self.queue.deliver(message).await.unwrap();
            }
        }
        panic!("something waits for ever");
    }
}

fn engine(
    sandbox: &Sandbox,
    clock: &Arc<FastClock>,
    items: &Arc<MemoryItems>,
    ledger: &Arc<MemoryLedger>,
) -> Engine {
    let (config, url) = (sandbox.config(), sandbox.discovery_url());
    let settings = json!({
        "url": url, "course_type": config.discovery_course_type, "run_type": config.discovery_run_type,
        "product_source": config.discovery_product_source,
        "auth": {
            "kind": "client-credentials", "token_url": format!("{url}/oauth2/access_token"), "scheme": "JWT",
            "client_auth": "body", "parameters": {"token_type": "jwt"},
        },
    });
    let secret = json!({
        "discovery_client_id": config.discovery_client_id, "discovery_client_secret": config.discovery_client_secret,
    });
    let variables = [
        ("VENDOR", "discovery".to_owned()),
        ("QUEUE_URL", "in memory".to_owned()),
        ("LEDGER_TABLE", TABLE.to_owned()),
        ("VENDOR_SECRET", "in memory".to_owned()),
        ("VENDOR_SETTINGS", settings.to_string()),
        ("ALLOW_PLAIN_HTTP", "true".to_owned()),
    ];
    let lookup = |name: &str| {
        variables
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value.clone())
    };
    let config = Config::read(&lookup).unwrap();
    let http = Http::new(true).unwrap();
    let setup = Setup::new(
        config,
        http,
        Arc::clone(clock) as _,
        Box::new(FixedSecret(secret.to_string())),
    )
    .with_items(Arc::clone(items) as _)
    .with_rng(fastrand::Rng::with_seed(7));
    Engine::new(Parts {
        vendor: "discovery".to_owned(),
        entities: discovery::wire(&setup).unwrap(),
        ledger: Arc::clone(ledger) as _,
        lanes: Arc::new(MemoryLanes::default()),
        clock: Arc::clone(clock) as _,
        rng: fastrand::Rng::with_seed(7),
        backoff: Backoff::default(),
        circuit: vendorbridge::circuit::Policy::default(),
        max_in_flight: 10,
        slowest: Duration::from_secs(16),
    })
}

//! The trace of an event: from its message to the calls of source and vendor, and into the ledger.

use std::sync::{Arc, Mutex};

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::{Json, Router};
use http::Method;
use serde_json::{Value, json};
use url::Url;
use vendorbridge::auth::Auth;
use vendorbridge::clock::SystemClock;
use vendorbridge::http::Http;
use vendorbridge::lane::lane;
use vendorbridge::ledger::Status;
use vendorbridge::message::{Delivery, TraceParent};
use vendorbridge::source::RestSource;
use vendorbridge::vendor::{Invalid, Push, Vendor};
use vendorbridge::{Entity, Error, Stage};

use crate::bench::{Bench, Card, Person, key};

const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const OTHER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
/// The same as `TRACE`, as EventBridge and SQS pass it on.
const HEADER: &str = "Root=1-0af76519-16cd43dd8448eb211c80319c;Parent=b7ad6b7169203331;Sampled=1";

/// Source and vendor in one, which notes what it was called with.
#[derive(Clone, Default)]
struct Service(Arc<Mutex<Heard>>);

#[derive(Default)]
struct Heard {
    calls: Vec<(Method, Option<String>)>,
    is_down: bool,
}

async fn answer(State(service): State<Service>, request: Request) -> (StatusCode, Json<Value>) {
    let header = request.headers().get("traceparent");
    let header = header.and_then(|value| value.to_str().ok()).map(str::to_owned);
    let mut heard = service.0.lock().unwrap();
    heard.calls.push((request.method().clone(), header));
    let is_refused = heard.is_down && request.method() == Method::PUT;
    let status = if is_refused {
        StatusCode::INTERNAL_SERVER_ERROR
    } else {
        StatusCode::OK
    };
    (status, Json(json!({"name": "Ada"})))
}

impl Service {
    async fn start(&self) -> Url {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        url.parse().unwrap()
    }

    fn fails(&self, is_down: bool) {
        self.0.lock().unwrap().is_down = is_down;
    }

    /// What it heard since it was asked last.
    fn take(&self) -> Vec<(Method, Option<String>)> {
        std::mem::take(&mut self.0.lock().unwrap().calls)
    }
}

struct Cards {
    http: Http,
    url: Url,
}

impl Vendor for Cards {
    type Entity = Person;
    type Payload = Card;

    fn map(&self, person: &Person) -> Result<Card, Invalid> {
        let title = person.name.clone();
        Ok(Card { title })
    }

    async fn push(&self, _: &mut Push<'_>, card: &Card) -> Result<String, Error> {
        let request = self.http.request(Method::PUT, self.url.clone()).json(card);
        let answer = Auth::none().send(request, Stage::Push).await?;
        if answer.status.is_server_error() {
            return Err(Error::retry(
                vendorbridge::ErrorKind::Unavailable,
                Stage::Push,
                "told to fail",
            ));
        }
        Ok("card-1".to_owned())
    }

    async fn remove(&self, _: &mut Push<'_>) -> Result<(), Error> {
        Ok(())
    }
}

async fn bench() -> (Bench, Service) {
    let service = Service::default();
    let url = service.start().await;
    let http = Http::new(true).unwrap();
    let source = RestSource::new(http.clone(), Arc::new(SystemClock), url.clone(), "/people/{id}").unwrap();
    let bench = Bench::with(Entity::new("person", source, Cards { http, url }));
    (bench, service)
}

fn changed(bench: &mut Bench, id: &str, trace: Option<&str>) -> Delivery {
    bench.event_of(
        "PersonChanged",
        id,
        &json!({"id": id, "metadata": {"traceparent": trace}}),
    )
}

/// A call of source and vendor each, in this trace, each from a place of its own.
fn assert_in_trace(calls: &[(Method, Option<String>)], trace: &str) {
    let methods: Vec<_> = calls.iter().map(|(method, _)| method.clone()).collect();
    assert_eq!(methods, [Method::GET, Method::PUT]);
    let headers: Vec<_> = calls.iter().map(|(_, header)| header.clone().unwrap()).collect();
    for header in &headers {
        assert!(header.parse::<TraceParent>().is_ok(), "{header}");
        assert_eq!((&header[..36], &header[52..]), (&trace[..36], &trace[52..]));
        assert_ne!(header, trace, "the sender's place was passed on");
    }
    assert_ne!(headers[0], headers[1]);
}

#[tokio::test]
async fn source_and_vendor_are_called_in_the_events_trace() {
    let (mut bench, service) = bench().await;
    let event = changed(&mut bench, "1", Some(TRACE));
    assert_eq!(bench.deliver(&[event]).await, Vec::<String>::new());
    assert_in_trace(&service.take(), TRACE);
    let recorded = bench.ledger.event_of(&key("1"), "e1").unwrap();
    assert_eq!(
        recorded.trace.map(|trace| trace.to_string()).as_deref(),
        Some(TRACE)
    );
}

#[tokio::test]
async fn the_queues_trace_serves_where_the_event_names_none() {
    let (mut bench, service) = bench().await;
    for (named, expected) in [(None, TRACE), (Some("00-bad"), TRACE), (Some(OTHER), OTHER)] {
        let event = Delivery {
            trace_header: Some(HEADER.to_owned()),
            receive_count: 2, // so that it is pushed again
            ..changed(&mut bench, "1", named)
        };
        bench.deliver(&[event]).await;
        assert_in_trace(&service.take(), expected);
    }
}

#[tokio::test]
async fn no_trace_is_invented() {
    let (mut bench, service) = bench().await;
    let event = changed(&mut bench, "1", None);
    bench.deliver(&[event]).await;
    let calls = service.take();
    assert_eq!(calls.len(), 2);
    assert!(calls.iter().all(|(_, header)| header.is_none()), "{calls:?}");
    assert_eq!(bench.ledger.event_of(&key("1"), "e1").unwrap().trace, None);
}

#[tokio::test]
async fn entities_side_by_side_keep_apart() {
    let (mut bench, service) = bench().await;
    let batch = [
        changed(&mut bench, "1", Some(TRACE)),
        changed(&mut bench, "2", Some(OTHER)),
        changed(&mut bench, "3", None),
    ];
    bench.deliver(&batch).await;
    let calls = service.take();
    for (trace, expected) in [(Some(TRACE), 2), (Some(OTHER), 2), (None, 2)] {
        let of_trace = calls
            .iter()
            .filter(|(_, header)| header.as_deref().map(|text| &text[..36]) == trace.map(|text| &text[..36]));
        assert_eq!(of_trace.count(), expected, "{calls:?}");
    }
}

#[tokio::test]
async fn intake_passes_the_queues_trace_on() {
    let (mut bench, service) = bench().await;
    let stray = Delivery {
        group: "intake".to_owned(),
        trace_header: Some(format!("{HEADER};Lineage=1:fc3b4ff1:0")),
        ..changed(&mut bench, "1", None)
    };
    bench.deliver(&[stray]).await;
    let sent = bench.lanes.take();
    assert_eq!(sent.len(), 1);
    assert_eq!(
        (sent[0].group.as_str(), sent[0].trace_header.as_deref()),
        (lane(&key("1")).as_str(), Some(HEADER))
    );
    assert_eq!(service.take(), []);
}

#[tokio::test]
async fn a_retry_is_made_in_the_trace_of_the_event_that_waits() {
    let (mut bench, service) = bench().await;
    service.fails(true);
    let event = changed(&mut bench, "1", Some(TRACE));
    bench.deliver(&[event]).await;
    let record = bench.record("1");
    assert_eq!(record.status, Status::Parked);
    assert_eq!(record.parked.as_ref().unwrap().trace.unwrap().to_string(), TRACE);
    // Others join the retry that waits, and have their own trace in their own records only.
    let other = changed(&mut bench, "1", Some(OTHER));
    bench.deliver(&[other]).await;
    assert_eq!(
        bench.record("1").parked.unwrap().trace.unwrap().to_string(),
        TRACE
    );
    service.fails(false);
    service.take();
    bench.advance(3600);
    bench.wake().await;
    assert_eq!(bench.record("1").status, Status::Synced);
    assert_in_trace(&service.take(), TRACE);
    let traces = ["e1", "e3"].map(|id| {
        bench
            .ledger
            .event_of(&key("1"), id)
            .unwrap()
            .trace
            .unwrap()
            .to_string()
    });
    assert_eq!(traces, [TRACE, OTHER]);
}

use std::sync::Mutex;

use axum::body::{Body, to_bytes};
use axum::response::Response;
use futures::future::BoxFuture;
use http::Request;
use http::header::{ALLOW, AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use jiff::Timestamp;
use rstest::rstest;
use serde_json::{Value, json};
use tower::ServiceExt;
use vendorbridge::bus::{Event, Refusal};
use vendorbridge::clock::SystemClock;
use vendorbridge::secret::{SecretText, Secrets};
use vendorbridge::{EntityKey, Error};
use vendorbridge_testkit::memory::MemoryLanes;

use super::*;

/// A bus that refuses events by what their detail holds.
#[derive(Default)]
struct FakeBus {
    refuses: Option<(&'static str, &'static str)>,
    put: Mutex<Vec<Value>>,
}

impl Bus for FakeBus {
    fn put<'a>(
        &'a self,
        events: &'a [&'a Event],
    ) -> BoxFuture<'a, Result<Vec<Result<String, Refusal>>, Refusal>> {
        let take = |event: &&Event| match self.refuses {
            Some((part, code)) if event.detail.contains(part) => Err(Refusal {
                code: code.to_owned(),
                is_permanent: true,
            }),
            _ => {
                let mut put = self.put.lock().unwrap();
                put.push(serde_json::from_str(&event.detail).unwrap());
                Ok(format!("id-{}", put.len()))
            }
        };
        Box::pin(async move { Ok(events.iter().map(take).collect()) })
    }
}

struct Token;

impl Secrets for Token {
    fn fetch(&self) -> BoxFuture<'_, Result<SecretText, Error>> {
        Box::pin(async { Ok(SecretText::fixed(r#"{"sapb1_token":"t"}"#)) })
    }
}

/// No route of these tests keeps anything.
struct Untouched;

impl Store for Untouched {
    fn request<'a>(
        &'a self,
        _: &'a str,
        _: &'a str,
    ) -> BoxFuture<'a, Result<Option<events::Request>, Error>> {
        unreachable!()
    }

    fn wanted<'a>(&'a self, _: &'a EntityKey) -> BoxFuture<'a, Result<Option<events::Wanted>, Error>> {
        unreachable!()
    }

    fn accept<'a>(
        &'a self,
        _: &'a events::Request,
        _: &'a [events::Replacement],
    ) -> BoxFuture<'a, Result<events::Acceptance, Error>> {
        unreachable!()
    }

    fn count<'a>(&'a self, _: &'a str, _: Timestamp, _: u32, _: u32) -> BoxFuture<'a, Result<bool, Error>> {
        unreachable!()
    }

    fn outcome<'a>(
        &'a self,
        _: &'a EntityKey,
        _: Timestamp,
        _: &'a str,
    ) -> BoxFuture<'a, Result<events::Outcome, Error>> {
        unreachable!()
    }
}

async fn send(bus: &Arc<FakeBus>, request: Request<Body>) -> Response {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let ingest = Ingest {
        companies: vec!["SBODEMOUS".to_owned()],
        bus: Arc::clone(bus) as Arc<dyn Bus>,
        secrets: SecretStore::new(Box::new(Token), Arc::clone(&clock)),
        clock,
        lines: Arc::default(),
        store: Arc::new(Untouched),
        lanes: Arc::new(MemoryLanes::default()),
        calls_per_window: 1,
        rng: Arc::new(Mutex::new(fastrand::Rng::with_seed(1))),
    };
    router(ingest).oneshot(request).await.unwrap()
}

fn post_of(content_type: &str, body: impl Into<Body>) -> Request<Body> {
    Request::post("/v1/events/sapb1?company=SBODEMOUS")
        .header(AUTHORIZATION, "Bearer t")
        .header(CONTENT_TYPE, content_type)
        .body(body.into())
        .unwrap()
}

fn rows(keys: &[&str]) -> String {
    let row = |key: &&str| {
        json!({
            "object_type": "13", "transaction_type": "A", "num_of_cols_in_key": 1,
            "list_of_key_cols_tab_del": "DocEntry", "list_of_cols_val_tab_del": key,
        })
    };
    Value::from(keys.iter().map(row).collect::<Vec<_>>()).to_string()
}

async fn body_of(response: Response) -> Value {
    let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

fn is_problem(response: &Response) -> bool {
    response.headers()[CONTENT_TYPE] == "application/problem+json"
}

#[tokio::test]
async fn events_are_parked_and_named() {
    let bus = Arc::new(FakeBus::default());
    let response = send(&bus, post_of("application/json", rows(&["4711", "4712"]))).await;
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    let expected = json!({ "events": [
        { "index": 0, "event_id": "id-1", "object": "13/4711" }, { "index": 1, "event_id": "id-2", "object": "13/4712" },
    ] });
    assert_eq!(body_of(response).await, expected);
    assert_eq!(bus.put.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn one_bad_event_and_nothing_is_put() {
    let bus = Arc::new(FakeBus::default());
    let response = send(&bus, post_of("application/json", rows(&["4711", ""]))).await;
    assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(is_problem(&response));
    let expected = json!({
        "type": "about:blank", "title": "Unprocessable Entity", "status": 422, "code": "invalid",
        "detail": "nothing was taken: `violations` says what is wrong with the body",
        "violations": [{
            "index": 1, "pointer": "/1/list_of_cols_val_tab_del", "found": "an empty text",
            "expected": "the value of a key column of 1 to 512 bytes without control characters",
        }],
    });
    assert_eq!(body_of(response).await, expected);
    assert!(bus.put.lock().unwrap().is_empty());
}

#[tokio::test]
async fn what_the_bus_does_not_take_is_told_apart() {
    let bus = Arc::new(FakeBus {
        refuses: Some(("4712", "MalformedDetail")),
        ..FakeBus::default()
    });
    let response = send(&bus, post_of("application/json", rows(&["4711", "4712", "4713"]))).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(is_problem(&response));
    assert_eq!(response.headers()[RETRY_AFTER], "15");
    let body = body_of(response).await;
    let accepted = json!([
        { "index": 0, "event_id": "id-1", "object": "13/4711" }, { "index": 2, "event_id": "id-2", "object": "13/4713" },
    ]);
    assert_eq!(body["accepted"], accepted);
    assert_eq!(body["failed"], json!([{ "index": 1, "code": "MalformedDetail" }]));
}

#[rstest]
#[case(None)]
#[case(Some("Bearer other"))]
#[case(Some("Basic dDp0"))]
#[tokio::test]
async fn strangers_stay_outside_whatever_they_bring(#[case] authorization: Option<&str>) {
    let bus = Arc::new(FakeBus::default());
    let mut request = Request::post("/v1/events/sapb1");
    if let Some(authorization) = authorization {
        request = request.header(AUTHORIZATION, authorization);
    }
    let response = send(&bus, request.body(vec![b'<'; 2 << 20].into()).unwrap()).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert!(is_problem(&response));
    let challenges: Vec<_> = response.headers().get_all(WWW_AUTHENTICATE).iter().collect();
    assert_eq!(challenges.len(), 2);
    assert_eq!(body_of(response).await["code"], "unauthorized");
}

#[rstest]
#[case("application/json", vec![b' '; (1 << 20) + 1], 413, "too-large")]
#[case("application/json", vec![b' '; 1 << 20], 400, "malformed")]
#[case("text/plain", b"{}".to_vec(), 415, "media-type")]
#[case("application/xml", b"<!DOCTYPE a><a/>".to_vec(), 400, "malformed")]
#[tokio::test]
async fn bodies_that_are_not_read(
    #[case] kind: &str,
    #[case] body: Vec<u8>,
    #[case] status: u16,
    #[case] code: &str,
) {
    let response = send(&Arc::default(), post_of(kind, body)).await;
    assert_eq!(response.status(), status);
    assert!(is_problem(&response));
    assert_eq!(body_of(response).await["code"], code);
}

#[tokio::test]
async fn a_query_of_two_companies_is_refused() {
    let request = Request::post("/v1/events/sapb1?company=A&company=B")
        .header(AUTHORIZATION, "Bearer t")
        .header(CONTENT_TYPE, "application/json");
    let response = send(&Arc::default(), request.body(Body::empty()).unwrap()).await;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    assert_eq!(body_of(response).await["code"], "bad-query");
}

#[tokio::test]
async fn other_paths_and_methods_are_problems_too() {
    let get = Request::get("/v1/events/sapb1").body(Body::empty()).unwrap();
    let response = send(&Arc::default(), get).await;
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(response.headers()[ALLOW], "POST");
    assert!(is_problem(&response));
    let response = send(&Arc::default(), Request::get("/").body(Body::empty()).unwrap()).await;
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    assert!(is_problem(&response));
}

/// What is described is there, and what is there is described.
#[tokio::test]
async fn the_routes_are_those_of_the_document() {
    let bus = Arc::new(FakeBus::default());
    let described = crate::openapi::routes().unwrap();
    assert_eq!(described.len(), 6, "{described:?}");
    for (method, path) in &described {
        let path = path
            .replace("{line}", "acme")
            .replace("{id}", "e-1")
            .replace("{event}", "course.created");
        let request = Request::builder()
            .method(method.as_str())
            .uri(&path)
            .body(Body::empty())
            .unwrap();
        // Nobody is let in, but there is a door.
        assert_eq!(send(&bus, request).await.status(), 401, "{method} {path}");
        let other = Request::builder()
            .method("DELETE")
            .uri(&path)
            .body(Body::empty())
            .unwrap();
        let refused = send(&bus, other).await;
        assert_eq!(refused.status(), 405, "{path}");
        let allowed = refused.headers()[ALLOW].to_str().unwrap().to_owned();
        let here = described
            .iter()
            .filter(|(_, known)| known.split('/').count() == path.split('/').count());
        for method in allowed.split(',').filter(|method| *method != "HEAD") {
            assert!(here.clone().any(|(known, _)| known == method), "{method} {path}");
        }
    }
}

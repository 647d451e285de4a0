//! Reading, batching, and what `publish` does with each kind of answer.

use std::sync::{Arc, Mutex};

use aws_sdk_eventbridge::config::{BehaviorVersion, Credentials, Region};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use serde_json::json;

use super::*;

fn event(detail: &Value) -> Value {
    json!({"id": "ignored", "source": "infoservice", "detail-type": "Changed", "detail": detail})
}

fn drafts(count: usize) -> Vec<Draft> {
    let events: Vec<_> = (0..count).map(|id| event(&json!({"customerId": id}))).collect();
    parse("a.json", json!(events).to_string().as_bytes()).unwrap()
}

#[test]
fn the_sample_events_can_be_sent() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events");
    let (mut sent, mut reserved) = (0, 0);
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        // A partner of AWS sends these; nobody else can.
        if text.contains("aws.partner/") {
            assert!(
                read(&path)
                    .unwrap_err()
                    .to_string()
                    .contains("`aws.` is reserved")
            );
            reserved += 1;
        } else {
            sent += read(&path).unwrap().len();
        }
    }
    assert!(sent > 0 && reserved > 0);
}

#[test]
fn what_is_no_event_is_named_and_never_quoted() {
    let secret = "ada@lovelace.example";
    let long = "x".repeat(129);
    for (event, place, found) in [
        (json!(secret), "event 1", "a text"),
        (json!([event(&json!({})), 1]), "event 2", "a number"),
        (json!([]), "a.json", "an empty array"),
        (json!({"detail-type": "t", "detail": {}}), "`source`", "none"),
        (
            json!({"source": "", "detail-type": "t", "detail": {}}),
            "`source`",
            "an empty one",
        ),
        (
            json!({"source": "aws.s3", "detail-type": "t", "detail": {}}),
            "`source`",
            "`aws.`",
        ),
        (
            json!({"source": "s", "detail-type": 1, "detail": {}}),
            "`detail-type`",
            "a number",
        ),
        (
            json!({"source": "s", "detail-type": long, "detail": {}}),
            "`detail-type`",
            "129",
        ),
        (
            json!({"source": "s", "detail-type": "t", "detail": secret}),
            "`detail`",
            "a text",
        ),
        (json!({"source": "s", "detail-type": "t"}), "`detail`", "none"),
        (
            json!({"source": "s", "detail-type": "t", "detail": {}, "resources": secret}),
            "`resources`",
            "something else",
        ),
        (
            json!({"Source": "s", "DetailType": "t", "Detail": "{}"}),
            "event 1",
            "PutEvents",
        ),
        (event(&json!({"text": "x".repeat(MAX_BYTES)})), "event 1", "bytes"),
    ] {
        let error = parse("a.json", event.to_string().as_bytes())
            .unwrap_err()
            .to_string();
        let (before, after) = error.split_once(", found ").unwrap();
        assert!(before.starts_with("a.json") && before.contains(place), "{error}");
        assert!(after.contains(found), "{error}");
        assert!(!error.contains(secret), "{error}");
    }
}

#[test]
fn broken_json_is_placed() {
    let error = parse("a.json", b"{\n  \"source\": x}").unwrap_err().to_string();
    assert!(
        error.starts_with("a.json: expected JSON") && error.contains("line 2 column 13"),
        "{error}"
    );
    let error = read(Path::new("no/such/file.json")).unwrap_err().to_string();
    assert!(
        error.starts_with("no/such/file.json: expected a readable file"),
        "{error}"
    );
}

#[test]
fn batches_keep_to_ten_entries_and_a_mebibyte() {
    assert!(batches(&[]).is_empty());
    assert_eq!(batches(&drafts(11)), [0..10, 10..11]);
    assert_eq!(batches(&drafts(23)), [0..10, 10..20, 20..23]);
    let large = event(&json!({"text": "x".repeat(MAX_BYTES / 2)}));
    let drafts = parse(
        "a.json",
        json!([large, event(&json!({})), large]).to_string().as_bytes(),
    )
    .unwrap();
    assert_eq!(batches(&drafts), [0..2, 2..3]);
}

/// `EventBridge`, as far as `PutEvents` goes: refuses each detail in `refusals` as often as its count says.
#[derive(Debug, Clone)]
struct Bus {
    refusals: Arc<Mutex<Vec<(String, u32)>>>,
    accepted: Arc<Mutex<Vec<usize>>>,
}

impl Bus {
    fn refusing(refusals: &[(Value, u32)]) -> Self {
        let refusals = refusals
            .iter()
            .map(|(detail, times)| (detail.to_string(), *times));
        Self {
            refusals: Arc::new(Mutex::new(refusals.collect())),
            accepted: Arc::default(),
        }
    }

    fn client(&self) -> Client {
        let config = aws_sdk_eventbridge::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "test"))
            .http_client(self.clone());
        Client::from_conf(config.build())
    }

    fn answer(&self, request: &Value) -> Value {
        let mut refusals = self.refusals.lock().unwrap();
        let entries = request["Entries"].as_array().unwrap();
        let mut failed = 0;
        let results = entries.iter().map(|entry| {
            assert_eq!(entry["EventBusName"], "bus");
            let detail = entry["Detail"].as_str().unwrap();
            match refusals
                .iter_mut()
                .find(|(refused, times)| refused == detail && *times > 0)
            {
                Some((_, times)) => {
                    *times -= 1;
                    failed += 1;
                    json!({"ErrorCode": "ThrottlingException", "ErrorMessage": "Rate exceeded"})
                }
                None => json!({"EventId": format!("id of {detail}")}),
            }
        });
        let results: Vec<_> = results.collect();
        self.accepted.lock().unwrap().push(entries.len() - failed);
        json!({"FailedEntryCount": failed, "Entries": results})
    }
}

impl HttpClient for Bus {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Bus {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let request = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
        let answer = self.answer(&request).to_string();
        HttpConnectorFuture::ready(Ok(HttpResponse::new(
            200.try_into().unwrap(),
            SdkBody::from(answer),
        )))
    }
}

#[tokio::test]
async fn ids_stand_in_the_files_order_even_after_retries() {
    let bus = Bus::refusing(&[(json!({"customerId": 1}), 1), (json!({"customerId": 11}), 3)]);
    let ids = publish(&bus.client(), "bus", &drafts(12)).await.unwrap();
    let expected: Vec<_> = (0..12)
        .map(|id| format!("id of {}", json!({"customerId": id})))
        .collect();
    assert_eq!(ids, expected);
    assert_eq!(*bus.accepted.lock().unwrap(), [9, 1, 1, 0, 0, 1]);
}

#[tokio::test]
async fn what_is_refused_to_the_end_is_named_and_the_rest_sent() {
    let bus = Bus::refusing(&[(json!({"customerId": 1}), 9)]);
    let error = publish(&bus.client(), "bus", &drafts(12))
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("a.json: event 2 (ThrottlingException: Rate exceeded)"),
        "{error}"
    );
    assert!(error.ends_with("the other 11 were sent"), "{error}");
}

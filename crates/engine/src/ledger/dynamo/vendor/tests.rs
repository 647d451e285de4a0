//! The vendor's record against a table that loses answers and is written by others.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};

use super::*;
use crate::ledger::{Circuit, Ledger, Reader};

/// A table that holds one vendor's record.
#[derive(Debug, Clone, Default)]
struct Table(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    item: Option<Value>,
    puts: u32,
    /// The answers of this many puts get lost.
    lost: u32,
    /// Somebody else writes before each of this many puts.
    others: u32,
}

impl Table {
    fn client(&self) -> Client {
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "test"))
            .retry_config(RetryConfig::standard().with_initial_backoff(Duration::from_millis(1)))
            .http_client(self.clone());
        Client::from_conf(config.build())
    }

    fn ledger(&self) -> DynamoLedger {
        DynamoLedger::new(self.client(), "ledger".to_owned(), "names".to_owned(), 90)
    }

    fn reader(&self) -> Reader {
        Reader::new(self.client(), "ledger".to_owned())
    }

    fn set(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.0.lock().unwrap());
    }

    fn answer(&self, target: &str, request: &Value) -> (u16, Value) {
        let mut state = self.0.lock().unwrap();
        match target.rsplit('.').next() {
            Some("PutItem") => state.put(request),
            Some("GetItem") => (
                200,
                state
                    .item
                    .as_ref()
                    .map_or(json!({}), |item| json!({"Item": item})),
            ),
            _ => {
                let items: Vec<_> = state.item.iter().collect();
                (
                    200,
                    json!({"Responses": {"ledger": items}, "UnprocessedKeys": {}}),
                )
            }
        }
    }
}

impl State {
    fn put(&mut self, request: &Value) -> (u16, Value) {
        self.puts += 1;
        if self.others > 0 {
            self.others -= 1;
            let revision = self.revision() + 1;
            self.item = Some(stored(revision, &[]));
        }
        let before = &request["ExpressionAttributeValues"][":before"]["N"];
        let expected = before.as_str().map_or(0, |number| number.parse().unwrap());
        if expected != self.revision() {
            let failed = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException";
            return (400, json!({"__type": failed, "message": "no", "Item": self.item}));
        }
        self.item = Some(request["Item"].clone());
        if self.lost > 0 {
            self.lost -= 1;
            return (
                500,
                json!({"__type": "com.amazonaws.dynamodb.v20120810#InternalServerError"}),
            );
        }
        (200, json!({}))
    }

    fn revision(&self) -> u64 {
        let number = self.item.as_ref().map(|item| &item["revision"]["N"]);
        number
            .and_then(Value::as_str)
            .map_or(0, |text| text.parse().unwrap())
    }
}

impl HttpClient for Table {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Table {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap();
        let body = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
        let (status, answer) = self.answer(target, &body);
        HttpConnectorFuture::ready(Ok(HttpResponse::new(
            status.try_into().unwrap(),
            SdkBody::from(answer.to_string()),
        )))
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_000_000 + second).unwrap()
}

/// What stands in the table at a revision, with these attributes instead of ordinary ones.
fn stored(revision: u64, attributes: &[(&str, Value)]) -> Value {
    let mut item = json!({
        "pk": {"S": "names"}, "sk": {"S": "vendor"}, "vendor": {"S": "names"},
        "revision": {"N": revision.to_string()},
        "window": {"M": {"since": {"S": at(0).to_string()}, "calls": {"N": "3"}, "failures": {"N": "1"}}},
    });
    for (name, value) in attributes {
        item[name] = value.clone();
    }
    item
}

fn full() -> VendorRecord {
    let mut record = VendorRecord::new("names");
    record.revision = 1;
    record.pause = Some(Pause {
        until: None,
        since: at(0),
        reason: Some("their release".into()),
    });
    record.circuit = Some(Circuit {
        since: at(1),
        retry_at: at(2),
        times: 3,
        kind: ErrorKind::Deauthorized,
        reason: "deauthorized".into(),
        probing_until: Some(at(4)),
    });
    record
}

async fn read(ledger: &DynamoLedger) -> VendorRecord {
    ledger.read(&[]).await.unwrap().vendor
}

#[tokio::test]
async fn what_is_written_is_read() {
    let table = Table::default();
    let (ledger, reader) = (table.ledger(), table.reader());
    assert_eq!(read(&ledger).await, VendorRecord::new("names"));
    assert_eq!(reader.vendor("names").await.unwrap(), None);
    ledger.settle_vendor(&full()).await.unwrap();
    assert_eq!(read(&ledger).await, full());
    assert_eq!(reader.vendor("names").await.unwrap(), Some(full()));
}

#[tokio::test]
async fn a_write_whose_answer_was_lost_is_ours() {
    let table = Table::default();
    table.set(|state| state.lost = 1);
    table.ledger().settle_vendor(&full()).await.unwrap();
    table.set(|state| assert_eq!(state.puts, 2));
}

#[tokio::test]
async fn the_same_write_by_somebody_else_is_not_ours() {
    let table = Table::default();
    table.ledger().settle_vendor(&full()).await.unwrap();
    let error = table.ledger().settle_vendor(&full()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
}

#[tokio::test]
async fn a_change_is_made_on_what_stands_there() {
    let table = Table::default();
    table.set(|state| state.others = 3);
    let change = |record: &VendorRecord| record.paused(Some("their release"), at(9));
    let changed = table.reader().change_vendor("names", change).await.unwrap();
    assert_eq!((changed.before.revision, changed.after().revision), (3, 4));
    assert_eq!(&read(&table.ledger()).await, changed.after());
    let again = table.reader().change_vendor("names", change).await.unwrap();
    assert_eq!((again.written, again.before.revision), (None, 4));
}

#[tokio::test]
async fn a_change_gives_up_against_others_who_never_rest() {
    let table = Table::default();
    table.set(|state| state.others = u32::MAX);
    let change = |record: &VendorRecord| record.paused(None, at(9));
    let error = table.reader().change_vendor("names", change).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
}

#[tokio::test]
async fn a_part_that_cannot_be_read_stops_nobody_but_a_pause_holds() {
    let unreadable = json!({"M": {"shape": {"S": "of a later version"}}});
    let table = Table::default();
    for (name, is_paused) in [("circuit", false), ("window", false), ("pause", true)] {
        table.set(|state| state.item = Some(stored(7, &[(name, unreadable.clone())])));
        let record = read(&table.ledger()).await;
        assert_eq!(
            (record.revision, record.circuit, record.pause.is_some()),
            (7, None, is_paused),
            "{name}"
        );
        // A person is told instead of writing over it.
        let error = table.reader().vendor("names").await.unwrap_err();
        assert!(error.message().contains("cannot be read"), "{error}");
    }
    let pause = json!({"M": {"since": {"S": at(5).to_string()}}});
    table.set(|state| state.item = Some(stored(7, &[("pause", pause), ("circuit", unreadable)])));
    let pause = read(&table.ledger()).await.pause;
    assert_eq!(pause.map(|pause| pause.since), Some(at(5)));
}

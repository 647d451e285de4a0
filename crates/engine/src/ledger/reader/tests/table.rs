//! A table that answers in pages and leaves keys unread.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};

use super::super::*;

pub(super) const ENTITIES: usize = 130;

/// Only shard 0 of anything holds something: customers 0 to 129, in pages of 60; one key of a batch in ten is left
/// unread at first.
#[derive(Debug, Clone, Default)]
pub(super) struct Table(Arc<Mutex<Vec<String>>>);

impl Table {
    pub(super) fn reader(&self) -> Reader {
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "test"))
            .http_client(self.clone());
        Reader::new(Client::from_conf(config.build()), "ledger".to_owned())
    }

    /// What it was called for, in order.
    pub(super) fn called(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    pub(super) fn calls(&self, target: &str) -> usize {
        self.called().iter().filter(|call| call.ends_with(target)).count()
    }

    fn answer(&self, target: &str, request: &Value) -> Value {
        let is_narrowed = request["RequestItems"]["ledger"]["ProjectionExpression"].is_string();
        let narrowed = if is_narrowed { " narrowed" } else { "" };
        self.0.lock().unwrap().push(format!("{target}{narrowed}"));
        if target.ends_with("Query") {
            query(request)
        } else {
            batch(request)
        }
    }
}

fn query(request: &Value) -> Value {
    let pk = request["ExpressionAttributeValues"][":pk"]["S"].as_str().unwrap();
    if !pk.ends_with("#0") {
        return json!({"Count": 0, "Items": []});
    }
    let from = request["ExpressionAttributeValues"][":since"]["S"].as_str();
    let entity = from
        .and_then(|from| from.rsplit_once('#'))
        .map_or("customer/1", |(entity, _)| entity);
    let damage: fn(&mut Value, usize) = if pk.starts_with("damaged#") || pk.starts_with("dated#") {
        damaged
    } else {
        |_, _| {}
    };
    let last = |id: usize| json!({"pk": {"S": id.to_string()}});
    let start = &request["ExclusiveStartKey"]["pk"]["S"];
    let start: usize = start.as_str().map_or(0, |id| id.parse().unwrap());
    let end = (start + 60).min(ENTITIES);
    let page = (start..end).map(|id| {
        if request["IndexName"].is_string() {
            return json!({
                "pk": {"S": format!("webhook#customer/{id}")}, "attention_sk": {"S": format!("dead#{id:03}")},
            });
        }
        let mut event = json!({
            "vendor": {"S": "webhook"}, "entity": {"S": entity}, "event_id": {"S": id.to_string()},
            "status": {"S": "SYNCED"}, "message_id": {"S": "m"}, "settled_at": {"S": "2026-01-29T14:59:00Z"},
            "event_time": {"S": format!("2026-01-29T14:{:02}:00Z", id % 60)}, "sk": {"S": format!("{entity}#{id}")},
        });
        damage(&mut event, id);
        if pk.starts_with("dated#") && id == 70 {
            event["sk"] = json!({"S": format!("{entity}#2026-01-29T14:10:00.000Z#70")});
        }
        event
    });
    let mut answer = json!({"Count": end - start, "Items": page.collect::<Vec<_>>()});
    if end < ENTITIES {
        answer["LastEvaluatedKey"] = last(end);
    }
    answer
}

/// One has a status that nobody knows, one no time, one nothing but its keys, one another entity's name and no status.
fn damaged(event: &mut Value, id: usize) {
    match id {
        3 => event["status"] = json!({"S": "LOST"}),
        11 => _ = event.as_object_mut().unwrap().remove("event_time"),
        70 => *event = json!({"sk": {"S": event["sk"]["S"]}}),
        71 => {
            event["entity"] = json!({"S": "customer/another"});
            event.as_object_mut().unwrap().remove("status");
        }
        _ => {}
    }
}

fn batch(request: &Value) -> Value {
    let keys = request["RequestItems"]["ledger"]["Keys"].as_array().unwrap();
    assert!(keys.len() <= MAX_READS);
    let named: HashSet<_> = keys.iter().map(Value::to_string).collect();
    assert_eq!(
        named.len(),
        keys.len(),
        "DynamoDB refuses a key that is named twice"
    );
    let (left, read): (Vec<_>, Vec<_>) = keys
        .iter()
        .partition(|key| is_left(key["pk"]["S"].as_str().unwrap(), keys.len()));
    let is_there = |key: &&Value| !key["pk"]["S"].as_str().unwrap().contains("#never/");
    let items = read.into_iter().filter(is_there).map(|key| {
        if key["sk"]["S"] == "vendor" {
            let since = json!({"S": "2026-01-29T14:36:26Z"});
            let zero = json!({"N": "0"});
            return json!({
                "vendor": {"S": "webhook"}, "revision": {"N": "1"}, "pause": {"M": {"since": since}},
                "window": {"M": {"since": since, "calls": zero, "failures": zero}},
            });
        }
        let entity = key["pk"]["S"].as_str().unwrap().strip_prefix("webhook#").unwrap();
        // One has recovered since the index was read.
        let status = if entity == "customer/5" { "SYNCED" } else { "DEAD" };
        let mut record = json!({
            "vendor": {"S": "webhook"}, "entity": {"S": entity}, "status": {"S": status}, "revision": {"N": "1"},
            "settled_at": {"S": "2026-01-29T14:36:26Z"},
        });
        if entity != "customer/9" {
            record["link"] = json!({"S": format!("at {entity}")});
        }
        record
    });
    let is_projected = request["RequestItems"]["ledger"]["ProjectionExpression"] == "#entity, #link";
    let items = items.map(|mut item| {
        if is_projected {
            let kept = |name: &String, _: &mut Value| ["entity", "link"].contains(&name.as_str());
            item.as_object_mut().unwrap().retain(kept);
        }
        item
    });
    let mut answer = json!({"Responses": {"ledger": items.collect::<Vec<_>>()}, "UnprocessedKeys": {}});
    if !left.is_empty() {
        let mut rest = request["RequestItems"]["ledger"].clone();
        rest["Keys"] = json!(left);
        answer["UnprocessedKeys"] = json!({"ledger": rest});
    }
    answer
}

/// One in ten of many keys, and always what is stuck.
fn is_left(pk: &str, of: usize) -> bool {
    pk.contains("#stuck/") || (of > 10 && pk.ends_with('7'))
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
        let answer = self.answer(target, &body).to_string();
        HttpConnectorFuture::ready(Ok(HttpResponse::new(
            200.try_into().unwrap(),
            SdkBody::from(answer),
        )))
    }
}

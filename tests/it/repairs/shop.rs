//! A table of items and an index, both written past Vendorbridge.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use futures::{StreamExt, stream};
use serde_json::{Value, json};
use vendorbridge_testkit::cloud::{INDEX, World, until};

use super::WITHIN;

pub(super) fn id(number: usize) -> String {
    format!("SKU-{number:05}")
}

pub(super) fn key(number: usize) -> String {
    format!("{}/{}", super::TYPE, id(number))
}

fn item(number: usize) -> HashMap<String, AttributeValue> {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    HashMap::from([
        ("pk".to_owned(), text(&id(number))),
        ("title".to_owned(), text(&format!("Sock {number}"))),
        ("stock".to_owned(), AttributeValue::N(number.to_string())),
        ("price".to_owned(), AttributeValue::N("19.5".to_owned())),
        ("currency".to_owned(), text("DKK")),
        ("published".to_owned(), AttributeValue::Bool(true)),
    ])
}

/// What the index is to hold of it.
pub(super) fn record(number: usize) -> Value {
    json!({"objectID": id(number), "title": format!("Sock {number}"), "stock": number, "price": 19.5, "currency": "DKK"})
}

/// The table's changes are announced to nobody any more.
pub(super) async fn silence(world: &World) {
    let lambda = &world.aws.lambda;
    let changes = world.stack.output("ChangesFunctionName").unwrap();
    let mappings = lambda
        .list_event_source_mappings()
        .function_name(changes)
        .send()
        .await
        .unwrap();
    let mapping = mappings
        .event_source_mappings()
        .iter()
        .find(|mapping| mapping.event_source_arn() == Some(&world.inventory.stream_arn))
        .and_then(|mapping| mapping.uuid())
        .expect("a mapping of the inventory's stream");
    lambda
        .update_event_source_mapping()
        .uuid(mapping)
        .enabled(false)
        .send()
        .await
        .unwrap();
    until("a silent table", WITHIN, async || {
        let found = lambda
            .get_event_source_mapping()
            .uuid(mapping)
            .send()
            .await
            .unwrap();
        Ok((found.state() == Some("Disabled")).then_some(()))
    })
    .await
    .unwrap();
}

/// Puts items into the table.
pub(super) async fn stock(world: &World, numbers: &[usize]) {
    let writing = numbers.chunks(25).map(async |chunk| {
        let puts = chunk.iter().map(|number| {
            let put = PutRequest::builder()
                .set_item(Some(item(*number)))
                .build()
                .unwrap();
            WriteRequest::builder().put_request(put).build()
        });
        let write = world.aws.dynamodb.batch_write_item();
        let answer = write
            .request_items(&world.inventory.table, puts.collect())
            .send()
            .await
            .unwrap();
        assert!(answer.unprocessed_items().is_none_or(HashMap::is_empty));
    });
    stream::iter(writing).buffer_unordered(4).collect::<()>().await;
}

/// Writes into the index, as somebody else with the key.
pub(super) async fn write(world: &World, requests: Vec<Value>) {
    let config = world.sandbox.config();
    let url = format!("{}/1/indexes/{INDEX}/batch", world.sandbox.algolia_urls()[0]);
    // A second test of this process may have chosen the same provider before.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let client = reqwest::Client::builder().build().unwrap();
    for chunk in requests.chunks(500) {
        let answer = client
            .post(&url)
            .header("x-algolia-application-id", &config.algolia_app_id)
            .header("x-algolia-api-key", &config.algolia_api_key)
            .header("content-type", "application/json")
            .body(json!({ "requests": chunk }).to_string())
            .send()
            .await
            .unwrap();
        assert!(answer.status().is_success(), "{}", answer.status());
    }
}

/// As the function brought it, long ago.
pub(super) fn add(number: usize) -> Value {
    let mut record = record(number);
    record["vendorbridgeVersion"] = json!(1);
    json!({"action": "updateObject", "body": record})
}

/// As somebody else brought it.
pub(super) fn add_as_a_stranger(number: usize) -> Value {
    json!({"action": "updateObject", "body": record(number)})
}

pub(super) fn set(number: usize, name: &str, value: &Value) -> Value {
    json!({"action": "partialUpdateObject", "body": {"objectID": id(number), name: value}})
}

pub(super) fn delete(number: usize) -> Value {
    json!({"action": "deleteObject", "body": {"objectID": id(number)}})
}

/// How often the vendor was asked to write each of these.
pub(super) fn calls(world: &World, numbers: impl Iterator<Item = usize>) -> Vec<u64> {
    numbers
        .map(|number| world.sandbox.algolia.calls_for(&id(number)))
        .collect()
}

/// Whether the index holds exactly these, each as it is to be.
pub(super) fn holds(world: &World, numbers: &[usize]) -> bool {
    let records = world.sandbox.algolia.records(INDEX);
    let is_right = |number: &usize| {
        let wanted = record(*number);
        let found = records.get(&id(*number));
        found.is_some_and(|found| {
            ["title", "stock", "price", "currency"]
                .iter()
                .all(|name| found.get(*name) == Some(&wanted[*name]))
        })
    };
    records.len() == numbers.len() && numbers.iter().all(is_right)
}

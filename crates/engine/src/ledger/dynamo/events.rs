//! Event records, written by `BatchWriteItem`.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use futures::future::join_all;
use jiff::ToSpan;

use super::{DynamoLedger, Item, MAX_ROUNDS, failed, pause, unavailable};
use crate::ledger::EventRecord;
use crate::{Error, ErrorKind, Stage};

/// `BatchWriteItem` takes at most 25 requests.
const MAX_WRITES: usize = 25;

impl DynamoLedger {
    pub(super) async fn write_events(&self, events: &[EventRecord]) -> Vec<Result<(), Error>> {
        // One request must not name a key twice: of two outcomes of one event the later one stands.
        let mut items: HashMap<(String, String), Item> = HashMap::new();
        for event in events {
            let (pk, sk) = (event.partition_key(), event.sort_key());
            match self.event_item(event, &pk, &sk) {
                Ok(item) => items.insert((pk, sk), item),
                Err(error) => return refuse_all(events, &error),
            };
        }
        let mut waiting: Vec<_> = items.into_values().filter_map(put).collect();
        let mut error = None;
        for round in 0..MAX_ROUNDS {
            pause(round).await;
            let requests = waiting.chunks(MAX_WRITES).map(|chunk| {
                self.client
                    .batch_write_item()
                    .request_items(&self.table, chunk.to_vec())
                    .send()
            });
            let answers = join_all(requests).await;
            let mut left = Vec::new();
            for (chunk, answer) in waiting.chunks(MAX_WRITES).zip(answers) {
                match answer {
                    Ok(answer) => {
                        left.extend(
                            answer
                                .unprocessed_items
                                .into_iter()
                                .flat_map(HashMap::into_values)
                                .flatten(),
                        );
                    }
                    Err(cause) => {
                        error = Some(failed(&cause));
                        left.extend_from_slice(chunk);
                    }
                }
            }
            waiting = left;
            if waiting.is_empty() || error.is_some() {
                break;
            }
        }
        if waiting.is_empty() {
            return events.iter().map(|_| Ok(())).collect();
        }
        let error = error.unwrap_or_else(|| {
            Error::retry(
                ErrorKind::RateLimited,
                Stage::Settle,
                "the ledger left event records unwritten",
            )
        });
        let unwritten: Vec<_> = waiting.iter().filter_map(sort_key_of).collect();
        let outcome = |event: &EventRecord| {
            let is_unwritten = unwritten.contains(&event.sort_key().as_str());
            if is_unwritten { Err(again(&error)) } else { Ok(()) }
        };
        events.iter().map(outcome).collect()
    }

    fn event_item(&self, event: &EventRecord, pk: &str, sk: &str) -> Result<Item, Error> {
        let mut item: Item = serde_dynamo::to_item(event).map_err(unavailable)?;
        let kept = (i64::from(self.event_ttl_days) * 24).hours();
        let expires = event.settled_at.saturating_add(kept).map_err(unavailable)?;
        item.insert("pk".into(), AttributeValue::S(pk.to_owned()));
        item.insert("sk".into(), AttributeValue::S(sk.to_owned()));
        item.insert(
            "expires_at".into(),
            AttributeValue::N(expires.as_second().to_string()),
        );
        Ok(item)
    }
}

fn put(item: Item) -> Option<WriteRequest> {
    let put = PutRequest::builder().set_item(Some(item)).build().ok()?;
    Some(WriteRequest::builder().put_request(put).build())
}

fn sort_key_of(request: &WriteRequest) -> Option<&str> {
    request
        .put_request()?
        .item()
        .get("sk")?
        .as_s()
        .ok()
        .map(String::as_str)
}

fn refuse_all(events: &[EventRecord], error: &Error) -> Vec<Result<(), Error>> {
    events.iter().map(|_| Err(again(error))).collect()
}

fn again(error: &Error) -> Error {
    Error::retry(error.kind(), error.stage(), error.message())
}

//! Event records, written by `BatchWriteItem`.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use futures::future::join_all;
use jiff::ToSpan;

use super::{DynamoLedger, Item, MAX_ROUNDS, failed, pause, unavailable};
use crate::ledger::EventRecord;
use crate::{Error, ErrorKind, Stage};

/// `BatchWriteItem` takes at most 25 requests.
const MAX_WRITES: usize = 25;

impl DynamoLedger {
    /// Writes event records. What is known at first hand goes in batches, which take no conditions.
    pub(super) async fn write_events(&self, events: &[EventRecord]) -> Vec<Result<(), Error>> {
        let first_hand: Vec<_> = events
            .iter()
            .filter(|event| !event.is_second_hand)
            .cloned()
            .collect();
        let second_hand = events.iter().filter(|event| event.is_second_hand);
        let (put, updated) = futures::join!(
            self.put_events(&first_hand),
            join_all(second_hand.map(|event| self.update_event(event)))
        );
        let (mut put, mut updated) = (put.into_iter(), updated.into_iter());
        let answers = events.iter().map(|event| {
            let answers: &mut dyn Iterator<Item = _> = if event.is_second_hand {
                &mut updated
            } else {
                &mut put
            };
            answers.next()
        });
        answers.map(|answer| answer.unwrap_or(Ok(()))).collect()
    }

    /// Writes a record only where the stored one has another status.
    async fn update_event(&self, event: &EventRecord) -> Result<(), Error> {
        let (pk, sk) = (event.partition_key(), event.sort_key());
        let mut item = self.event_item(event, &pk, &sk)?;
        let key = ["pk", "sk"].map(|name| item.remove_entry(name));
        let mut set = Vec::with_capacity(item.len());
        let mut names = HashMap::from([("#status".to_owned(), "status".to_owned())]);
        let mut values = HashMap::from([(
            ":is".to_owned(),
            AttributeValue::S(event.status.name().to_owned()),
        )]);
        for (index, (name, value)) in item.into_iter().enumerate() {
            set.push(format!("#{index} = :{index}"));
            names.insert(format!("#{index}"), name);
            values.insert(format!(":{index}"), value);
        }
        let updated = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key.into_iter().flatten().collect()))
            .update_expression(format!("SET {}", set.join(", ")))
            .condition_expression("attribute_not_exists(#status) OR #status <> :is")
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values(Some(values))
            .send()
            .await;
        match updated {
            Err(error)
                if !error
                    .as_service_error()
                    .is_some_and(UpdateItemError::is_conditional_check_failed_exception) =>
            {
                Err(failed(&error))
            }
            _ => Ok(()),
        }
    }

    async fn put_events(&self, events: &[EventRecord]) -> Vec<Result<(), Error>> {
        if events.is_empty() {
            return Vec::new();
        }
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

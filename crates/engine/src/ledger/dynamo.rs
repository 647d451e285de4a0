//! The ledger on a DynamoDB table.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::error::ConditionalCheckFailedException;
use aws_sdk_dynamodb::types::{
    AttributeValue, KeysAndAttributes, PutRequest, ReturnValuesOnConditionCheckFailure, WriteRequest,
};
use futures::future::{BoxFuture, join_all};
use jiff::ToSpan;

use super::{
    ATTENTION_SHARDS, EntityRecord, EventRecord, Ledger, Records, Status, attention_pk, entity_pk, key,
    sort_time,
};
use crate::{EntityKey, Error, ErrorKind, Stage};

pub(super) type Item = HashMap<String, AttributeValue>;

/// `BatchWriteItem` takes at most 25 requests.
const MAX_WRITES: usize = 25;
/// How often what a batch left over is asked for again before it counts as failed.
pub(super) const MAX_ROUNDS: u32 = 4;

/// Every attribute a settle owns. What is not in the record is removed; what is not in this list is left alone, so
/// that a newer version's attributes survive an older version's settle.
const OWNED: [&str; 17] = [
    "vendor",
    "entity",
    "status",
    "revision",
    "link",
    "maybe_links",
    "pushed_hash",
    "pushed_version",
    "read_at",
    "settled_at",
    "attempts",
    "unsure",
    "parked",
    "error",
    "recent",
    "attention_pk",
    "attention_sk",
];

/// Reads and writes the ledger's table for one vendor.
#[derive(Debug, Clone)]
pub struct DynamoLedger {
    client: Client,
    table: String,
    vendor: String,
    event_ttl_days: u32,
}

impl DynamoLedger {
    /// The ledger of `vendor` in `table`; event records expire after `event_ttl_days`.
    #[must_use]
    pub fn new(client: Client, table: String, vendor: String, event_ttl_days: u32) -> Self {
        Self {
            client,
            table,
            vendor,
            event_ttl_days,
        }
    }

    async fn read_all(&self, entities: &[EntityKey]) -> Result<Records, Error> {
        let keys = entities
            .iter()
            .map(|entity| entity_key(&self.vendor, entity))
            .collect();
        let keys = KeysAndAttributes::builder()
            .set_keys(Some(keys))
            .consistent_read(true)
            .build();
        let mut wanted = HashMap::from([(self.table.clone(), keys.map_err(unavailable)?)]);
        let mut records = Records::with_capacity(entities.len());
        for round in 0..MAX_ROUNDS {
            pause(round).await;
            let answer = self
                .client
                .batch_get_item()
                .set_request_items(Some(wanted))
                .send()
                .await
                .map_err(|error| failed(&error))?;
            for item in answer
                .responses
                .into_iter()
                .flat_map(HashMap::into_values)
                .flatten()
            {
                let Some(entity) = entity_of(&item) else { continue };
                let record = serde_dynamo::from_item(item).map_err(|error| {
                    let message = "the entity record cannot be read by this version";
                    Error::retry(ErrorKind::Unexpected, Stage::Settle, message).caused_by(error)
                });
                records.insert(entity, record);
            }
            match answer.unprocessed_keys {
                Some(rest) if !rest.is_empty() => wanted = rest,
                _ => return Ok(records),
            }
        }
        Err(Error::retry(
            ErrorKind::RateLimited,
            Stage::Settle,
            "the ledger left keys unread",
        ))
    }

    async fn write_settle(&self, record: &EntityRecord) -> Result<(), Error> {
        let mut item: Item = serde_dynamo::to_item(record).map_err(unavailable)?;
        if let Some((pk, sk)) = attention(record) {
            item.insert("attention_pk".into(), AttributeValue::S(pk));
            item.insert("attention_sk".into(), AttributeValue::S(sk));
        }
        let mut set = Vec::new();
        let mut remove = Vec::new();
        let mut names = HashMap::new();
        let mut values = HashMap::new();
        for (index, attribute) in OWNED.into_iter().enumerate() {
            let name = format!("#{index}");
            if let Some(value) = item.remove(attribute) {
                set.push(format!("{name} = :{index}"));
                values.insert(format!(":{index}"), value);
            } else {
                remove.push(name.clone());
            }
            names.insert(name, attribute.to_owned());
        }
        names.insert("#rev".into(), "revision".into());
        let condition = if record.revision == 1 {
            "attribute_not_exists(#rev)"
        } else {
            values.insert(
                ":before".into(),
                AttributeValue::N((record.revision - 1).to_string()),
            );
            "#rev = :before"
        };
        let mut expression = format!("SET {}", set.join(", "));
        if !remove.is_empty() {
            expression = format!("{expression} REMOVE {}", remove.join(", "));
        }
        let written = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(entity_key(&self.vendor, &record.entity)))
            .update_expression(expression)
            .condition_expression(condition)
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values(Some(values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match written {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failed)) if is_ours(failed, record) => {
                    Ok(())
                }
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => {
                    let message = "the entity was settled by somebody else in between";
                    Err(Error::retry(ErrorKind::Conflict, Stage::Settle, message))
                }
                _ => Err(failed(&error)),
            },
        }
    }

    async fn write_events(&self, events: &[EventRecord]) -> Vec<Result<(), Error>> {
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

impl Ledger for DynamoLedger {
    fn read<'a>(&'a self, entities: &'a [EntityKey]) -> BoxFuture<'a, Result<Records, Error>> {
        Box::pin(async move {
            if entities.is_empty() {
                Ok(Records::new())
            } else {
                self.read_all(entities).await
            }
        })
    }

    fn settle<'a>(&'a self, record: &'a EntityRecord) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(self.write_settle(record))
    }

    fn record<'a>(&'a self, events: &'a [EventRecord]) -> BoxFuture<'a, Vec<Result<(), Error>>> {
        Box::pin(async move {
            if events.is_empty() {
                Vec::new()
            } else {
                self.write_events(events).await
            }
        })
    }
}

/// Whether what stands in the table is this very settle: its first answer was lost, and the SDK sent it again.
fn is_ours(failed: &ConditionalCheckFailedException, record: &EntityRecord) -> bool {
    let stored = failed
        .item()
        .cloned()
        .map(serde_dynamo::from_item::<_, EntityRecord>);
    matches!(stored, Some(Ok(stored)) if stored == *record)
}

/// The keys in the sparse index: only entities that wait or need a person have them.
fn attention(record: &EntityRecord) -> Option<(String, String)> {
    let sort_key = match (record.status, &record.parked) {
        (Status::Parked, Some(parked)) => format!("wake#{}", sort_time(parked.wake_at)),
        (Status::Rejected, _) => format!("rejected#{}", sort_time(record.settled_at)),
        (Status::Dead, _) => format!("dead#{}", sort_time(record.settled_at)),
        _ => return None,
    };
    let shard = key::shard(record.entity.as_str(), ATTENTION_SHARDS);
    Some((attention_pk(&record.vendor, shard), sort_key))
}

pub(super) fn entity_key(vendor: &str, entity: &EntityKey) -> Item {
    HashMap::from([
        ("pk".to_owned(), AttributeValue::S(entity_pk(vendor, entity))),
        ("sk".to_owned(), AttributeValue::S("entity".to_owned())),
    ])
}

fn entity_of(item: &Item) -> Option<EntityKey> {
    item.get("entity")?.as_s().ok()?.parse().ok()
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

fn unavailable(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::retry(ErrorKind::Unexpected, Stage::Settle, error.to_string()).caused_by(error)
}

fn failed<E>(error: &SdkError<E>) -> Error
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
{
    let kind = match error.code() {
        Some("ProvisionedThroughputExceededException" | "ThrottlingException" | "RequestLimitExceeded") => {
            ErrorKind::RateLimited
        }
        _ => ErrorKind::Unavailable,
    };
    Error::retry(
        kind,
        Stage::Settle,
        format!("the ledger: {}", DisplayErrorContext(error)),
    )
    .code(error.code().unwrap_or("no answer"))
}

/// 0, 50, 100, 200 ms before each round.
pub(super) async fn pause(round: u32) {
    if round > 0 {
        tokio::time::sleep(Duration::from_millis(25 << round)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> EntityRecord {
        EntityRecord::unknown("mailchimp", EntityKey::new("customer", "1").unwrap())
    }

    #[test]
    fn a_settle_owns_every_field_of_the_record() {
        let mut full = record();
        full.link = Some("l".into());
        full.maybe_links = vec!["m".into()];
        full.pushed_hash = Some("h".into());
        full.pushed_version = Some(crate::Version::Number(1));
        full.read_at = Some(full.settled_at);
        full.attempts = 1;
        full.unsure = true;
        let error = super::super::ErrorRecord::from(&Error::retry(ErrorKind::Timeout, Stage::Push, "late"));
        full.parked = Some(super::super::Parked {
            wake_at: full.settled_at,
            since: full.settled_at,
            event_id: "e".into(),
            event_time: full.settled_at,
            detail_type: "t".into(),
            version: None,
            error: error.clone(),
            tried: None,
        });
        full.error = Some(error);
        let full = full.next(
            Status::Parked,
            "e",
            full.settled_at,
            "2026-01-29T14:36:26Z".parse().unwrap(),
        );
        let item: Item = serde_dynamo::to_item(&full).unwrap();
        let mut fields: Vec<_> = item.keys().map(String::as_str).collect();
        fields.extend(["attention_pk", "attention_sk"]);
        fields.sort_unstable();
        let mut owned = OWNED;
        owned.sort_unstable();
        assert_eq!(fields, owned);
        let read: EntityRecord = serde_dynamo::from_item(item).unwrap();
        assert_eq!(read, full);
    }

    #[test]
    fn only_what_needs_attention_is_indexed() {
        let now = "2026-01-29T14:36:26Z".parse().unwrap();
        assert_eq!(attention(&record().next(Status::Synced, "e", now, now)), None);
        let (pk, sk) = attention(&record().next(Status::Rejected, "e", now, now)).unwrap();
        assert!(pk.starts_with("mailchimp#"), "{pk}");
        assert_eq!(sk, "rejected#2026-01-29T14:36:26.000Z");
    }
}

//! Reading the ledger for people and programs: by key, by vendor and hour, and through the index `attention`.

mod attention;
mod due;
mod entities;
mod events;
mod standing;
mod unreadable;
mod vendor;

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::builders::KeysAndAttributesBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, Select};
use futures::future::try_join_all;
use futures::stream::{self, StreamExt, TryStreamExt};
use jiff::Timestamp;

use super::dynamo::{Item, MAX_ROUNDS, entity_key, pause};
use super::{ATTENTION_SHARDS, EntityRecord, EventRecord, Status, attention_pk, entity_pk};
use crate::{EntityKey, Error, ErrorKind, Stage};

pub use attention::AttentionKind;
pub use events::{Counted, Events, Walked};
pub use standing::EntityStanding;
pub use unreadable::Unreadable;
pub use vendor::VendorChange;

/// `BatchGetItem` takes at most 100 keys.
const MAX_READS: usize = 100;
/// The code of an error that stands for keys that were left unread: the table takes no more right now.
pub const UNPROCESSED_KEYS: &str = "UnprocessedKeys";
/// Batches that are read side by side.
const READS_AT_ONCE: usize = 8;

/// Reads the ledger for people and programs: never scans. Writes what a person decides on: a vendor's record.
///
/// Errors carry AWS's code as [`Error::vendor_code`].
#[derive(Debug, Clone)]
pub struct Reader {
    client: Client,
    table: String,
}

impl Reader {
    /// A reader of `table`.
    #[must_use]
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// The record of an entity, strongly consistent; `None` if the vendor never saw it.
    ///
    /// # Errors
    /// If the table cannot be read, or the record is not one of ours.
    pub async fn entity(&self, vendor: &str, entity: &EntityKey) -> Result<Option<EntityRecord>, Error> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(entity_key(vendor, entity)))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| failed(&error))?;
        answer.item.map(record).transpose()
    }

    /// What became of an event of an entity, strongly consistent; `None` if nothing has yet. The event's time is a part of its
    /// key.
    ///
    /// # Errors
    /// If the table cannot be read, or the record is not one of ours.
    pub async fn event(
        &self,
        vendor: &str,
        entity: &EntityKey,
        event_time: Timestamp,
        event_id: &str,
    ) -> Result<Option<EventRecord>, Error> {
        let status = Status::Parked; // no part of the key
        let wanted = EventRecord::new(
            vendor,
            entity.as_str(),
            event_id,
            status,
            event_time,
            event_time,
            "",
        );
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(wanted.partition_key()))
            .key("sk", AttributeValue::S(wanted.sort_key()))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| failed(&error))?;
        answer.item.map(record).transpose()
    }

    /// At most `limit` entities of a vendor that wait or need a person.
    ///
    /// The index lags behind the table by moments: an entity that has recovered meanwhile is left out.
    ///
    /// # Errors
    /// If the table or its index cannot be read, or a record is not one of ours.
    pub async fn attention(
        &self,
        vendor: &str,
        kind: AttentionKind,
        limit: usize,
    ) -> Result<Vec<EntityRecord>, Error> {
        let shards = (0..ATTENTION_SHARDS).map(|shard| {
            let query = self.index(vendor, kind, shard);
            let page = i32::try_from(limit.clamp(1, 1000)).unwrap_or(1000);
            all(query.scan_index_forward(kind.soonest_first()).limit(page), limit)
        });
        let items = try_join_all(shards).await?;
        let mut found: Vec<_> = items.iter().flatten().filter_map(index_entry).collect();
        found.sort_unstable();
        if !kind.soonest_first() {
            found.reverse();
        }
        found.truncate(limit);
        let keys: Vec<_> = found.into_iter().map(|(_, pk)| pk.to_owned()).collect();
        self.records(vendor, kind, keys).await
    }

    /// How many entities of a vendor stand in the index for this reason.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub async fn attention_count(&self, vendor: &str, kind: AttentionKind) -> Result<usize, Error> {
        let shards = (0..ATTENTION_SHARDS).map(|shard| async move {
            let query = self.index(vendor, kind, shard).select(Select::Count);
            let mut from = None;
            let mut count = 0;
            loop {
                let answer = query.clone().set_exclusive_start_key(from).send().await;
                let answer = answer.map_err(|error| failed(&error))?;
                count += usize::try_from(answer.count).unwrap_or(0);
                from = answer.last_evaluated_key.filter(|key| !key.is_empty());
                if from.is_none() {
                    return Ok::<_, Error>(count);
                }
            }
        });
        Ok(try_join_all(shards).await?.into_iter().sum())
    }

    fn index(&self, vendor: &str, kind: AttentionKind, shard: u8) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.table)
            .index_name("attention")
            .key_condition_expression("attention_pk = :pk AND begins_with(attention_sk, :kind)")
            .expression_attribute_values(":pk", AttributeValue::S(attention_pk(vendor, shard)))
            .expression_attribute_values(":kind", AttributeValue::S(kind.prefix().to_owned()))
    }

    /// The records of these partitions in this order, without those that are no longer of this kind.
    async fn records(
        &self,
        vendor: &str,
        kind: AttentionKind,
        partitions: Vec<String>,
    ) -> Result<Vec<EntityRecord>, Error> {
        let chunks: Vec<_> = partitions
            .chunks(MAX_READS)
            .map(|chunk| self.batch(chunk))
            .collect();
        let items: Vec<_> = stream::iter(chunks).buffered(READS_AT_ONCE).try_collect().await?;
        let mut records = HashMap::new();
        for item in items.into_iter().flatten() {
            let record: EntityRecord = record(item)?;
            records.insert(entity_pk(vendor, &record.entity), record);
        }
        let in_order = partitions.iter().filter_map(|pk| records.remove(pk));
        Ok(in_order.filter(|record| record.status == kind.status()).collect())
    }

    async fn batch(&self, partitions: &[String]) -> Result<Vec<Item>, Error> {
        let keys = partitions.iter().map(|pk| {
            HashMap::from([
                ("pk".to_owned(), AttributeValue::S(pk.clone())),
                ("sk".to_owned(), AttributeValue::S("entity".to_owned())),
            ])
        });
        let keys = KeysAndAttributes::builder().set_keys(Some(keys.collect()));
        self.get(keys).await
    }

    /// The items that have these keys, at most [`MAX_READS`].
    async fn get(&self, keys: KeysAndAttributesBuilder) -> Result<Vec<Item>, Error> {
        let mut items = Vec::new();
        let keys = keys
            .build()
            .map_err(|error| unreadable(error, "a request cannot be built"))?;
        let mut wanted = HashMap::from([(self.table.clone(), keys)]);
        for round in 0..MAX_ROUNDS {
            pause(round).await;
            let request = self.client.batch_get_item().set_request_items(Some(wanted));
            let answer = request.send().await.map_err(|error| failed(&error))?;
            let tables = answer.responses.into_iter().flat_map(HashMap::into_values);
            items.extend(tables.flatten());
            match answer.unprocessed_keys {
                Some(rest) if !rest.is_empty() => wanted = rest,
                _ => return Ok(items),
            }
        }
        let left = Error::retry(
            ErrorKind::RateLimited,
            Stage::Settle,
            "the ledger left keys unread",
        );
        Err(left.code(UNPROCESSED_KEYS))
    }
}

/// Follows a query's pages until it has `limit` items or there are no more.
async fn all(query: QueryFluentBuilder, limit: usize) -> Result<Vec<Item>, Error> {
    let mut items = Vec::new();
    let mut from = None;
    loop {
        let request = query.clone().set_exclusive_start_key(from);
        let answer = request.send().await.map_err(|error| failed(&error))?;
        items.extend(answer.items.unwrap_or_default());
        from = answer.last_evaluated_key.filter(|key| !key.is_empty());
        if from.is_none() || items.len() >= limit {
            return Ok(items);
        }
    }
}

/// The sort key and the table's partition key of an index entry.
fn index_entry(item: &Item) -> Option<(&str, &str)> {
    let text = |name| item.get(name)?.as_s().ok().map(String::as_str);
    Some((text("attention_sk")?, text("pk")?))
}

fn record<T: serde::de::DeserializeOwned>(item: Item) -> Result<T, Error> {
    serde_dynamo::from_item(item).map_err(|error| {
        let message = format!("a record cannot be read: {error}");
        unreadable(error, message)
    })
}

fn unreadable(error: impl std::error::Error + Send + Sync + 'static, message: impl AsRef<str>) -> Error {
    Error::permanent(ErrorKind::Unexpected, Stage::Settle, message).caused_by(error)
}

/// A reader wants AWS's own words and code, not the SDK's.
fn failed<E>(error: &SdkError<E>) -> Error
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
{
    let Some(code) = error.code() else {
        let mut message = error.to_string();
        let mut cause = std::error::Error::source(error);
        while let Some(error) = cause {
            message = format!("{message}: {error}");
            cause = error.source();
        }
        return Error::retry(ErrorKind::Unavailable, Stage::Settle, message);
    };
    let message = error.message().unwrap_or("the table cannot be read");
    Error::retry(ErrorKind::Unavailable, Stage::Settle, message).code(code)
}

#[cfg(test)]
mod tests;

//! The ledger on a DynamoDB table.

mod events;
mod settle;
mod vendor;

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use futures::future::BoxFuture;

use super::{EntityRecord, EventRecord, Ledger, Snapshot, VendorRecord, entity_pk};
use crate::{EntityKey, Error, ErrorKind, Stage};
use vendor::is_vendor;

pub(super) use vendor::{put_vendor, vendor_conflict, vendor_item};
pub(crate) use vendor::{vendor_key, vendor_of};

pub(super) type Item = HashMap<String, AttributeValue>;

/// How often what a batch left over is asked for again before it counts as failed.
pub(super) const MAX_ROUNDS: u32 = 4;

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

    async fn read_all(&self, entities: &[EntityKey]) -> Result<Snapshot, Error> {
        let keys = entities
            .iter()
            .map(|entity| entity_key(&self.vendor, entity))
            .chain([vendor_key(&self.vendor)])
            .collect();
        let keys = KeysAndAttributes::builder()
            .set_keys(Some(keys))
            .consistent_read(true)
            .build();
        let mut wanted = HashMap::from([(self.table.clone(), keys.map_err(unavailable)?)]);
        let mut vendor = VendorRecord::new(&self.vendor);
        let mut records = HashMap::with_capacity(entities.len());
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
                if is_vendor(&item) {
                    vendor = vendor_of(&self.vendor, &item);
                    continue;
                }
                let Some(entity) = entity_of(&item) else { continue };
                let record = serde_dynamo::from_item(item).map_err(|error| {
                    let message = "the entity record cannot be read by this version";
                    Error::retry(ErrorKind::Unexpected, Stage::Settle, message).caused_by(error)
                });
                records.insert(entity, record);
            }
            match answer.unprocessed_keys {
                Some(rest) if !rest.is_empty() => wanted = rest,
                _ => {
                    return Ok(Snapshot {
                        vendor,
                        entities: records,
                    });
                }
            }
        }
        Err(Error::retry(
            ErrorKind::RateLimited,
            Stage::Settle,
            "the ledger left keys unread",
        ))
    }
}

impl Ledger for DynamoLedger {
    fn read<'a>(&'a self, entities: &'a [EntityKey]) -> BoxFuture<'a, Result<Snapshot, Error>> {
        Box::pin(self.read_all(entities))
    }

    fn settle<'a>(&'a self, record: &'a EntityRecord) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(self.write_settle(record))
    }

    fn settle_vendor<'a>(&'a self, record: &'a VendorRecord) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(self.write_vendor(record))
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

pub(super) fn entity_key(vendor: &str, entity: &EntityKey) -> Item {
    HashMap::from([
        ("pk".to_owned(), AttributeValue::S(entity_pk(vendor, entity))),
        ("sk".to_owned(), AttributeValue::S("entity".to_owned())),
    ])
}

fn entity_of(item: &Item) -> Option<EntityKey> {
    item.get("entity")?.as_s().ok()?.parse().ok()
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

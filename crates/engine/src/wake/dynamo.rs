//! The index `attention` of the ledger's table.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::DisplayErrorContext;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use futures::future::BoxFuture;
use jiff::Timestamp;

use super::{Attention, Due, due_until, wake_key};
use crate::ledger::{VendorRecord, attention_pk, entity_pk, vendor_key, vendor_of};
use crate::{Error, ErrorKind, Stage};

/// Entities a page: ten requests to the queue.
const PAGE: i32 = 100;

/// Reads and moves the keys of the sparse index.
#[derive(Debug, Clone)]
pub struct DynamoAttention {
    pub(super) client: Client,
    pub(super) table: String,
}

impl DynamoAttention {
    /// The index of `table`.
    #[must_use]
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    pub(super) async fn read_vendor(&self, vendor: &str) -> Result<VendorRecord, Error> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(vendor_key(vendor)))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| failed(&DisplayErrorContext(error)))?;
        let record = answer.item.map(|item| vendor_of(vendor, &item));
        Ok(record.unwrap_or_else(|| VendorRecord::new(vendor)))
    }

    async fn query(&self, vendor: &str, shard: u8, now: Timestamp) -> Result<Vec<Due>, Error> {
        let (from, until) = due_until(now);
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("attention")
            .key_condition_expression("attention_pk = :pk AND attention_sk BETWEEN :from AND :until")
            .expression_attribute_values(":pk", AttributeValue::S(attention_pk(vendor, shard)))
            .expression_attribute_values(":from", AttributeValue::S(from))
            .expression_attribute_values(":until", AttributeValue::S(until))
            .limit(PAGE)
            .send()
            .await
            .map_err(|error| failed(&DisplayErrorContext(error)))?;
        let prefix = format!("{vendor}#");
        let due = answer.items().iter().filter_map(|item| {
            let pk = item.get("pk")?.as_s().ok()?;
            Some(Due {
                entity: pk.strip_prefix(&prefix)?.parse().ok()?,
                sort_key: item.get("attention_sk")?.as_s().ok()?.clone(),
            })
        });
        Ok(due.collect())
    }

    async fn move_on(&self, vendor: &str, due: &Due, until: Timestamp) -> Result<(), Error> {
        let moved = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(entity_pk(vendor, &due.entity)))
            .key("sk", AttributeValue::S("entity".to_owned()))
            .update_expression("SET attention_sk = :until")
            .condition_expression("attention_sk = :seen")
            .expression_attribute_values(":until", AttributeValue::S(wake_key(until)))
            .expression_attribute_values(":seen", AttributeValue::S(due.sort_key.clone()))
            .send()
            .await;
        match moved {
            Ok(_) => Ok(()),
            // The entity was settled, or another waker was here: either way it is taken care of.
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(UpdateItemError::is_conditional_check_failed_exception) =>
            {
                Ok(())
            }
            Err(error) => Err(failed(&DisplayErrorContext(error))),
        }
    }
}

impl Attention for DynamoAttention {
    fn vendor<'a>(&'a self, vendor: &'a str) -> BoxFuture<'a, Result<VendorRecord, Error>> {
        Box::pin(self.read_vendor(vendor))
    }

    fn due<'a>(
        &'a self,
        vendor: &'a str,
        shard: u8,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<Due>, Error>> {
        Box::pin(self.query(vendor, shard, now))
    }

    fn put_off<'a>(
        &'a self,
        vendor: &'a str,
        due: &'a Due,
        until: Timestamp,
    ) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(self.move_on(vendor, due, until))
    }
}

pub(super) fn failed(error: &impl std::fmt::Display) -> Error {
    Error::retry(
        ErrorKind::Unavailable,
        Stage::Settle,
        format!("the ledger: {error}"),
    )
}

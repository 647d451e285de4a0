//! The vendor's record: one conditional `PutItem`.
//!
//! Many invocations may write it at once, and none of them holds a lock: the revision decides. Two can even want to write
//! the very same (two claims of the probes within one millisecond), so a write is told from another's by a mark of its own.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use jiff::Timestamp;
use serde::de::DeserializeOwned;

use super::{DynamoLedger, Item, failed, unavailable};
use crate::ledger::{Pause, VendorRecord};
use crate::{Error, ErrorKind, Stage};

/// The sort key of the vendor's record.
const VENDOR: &str = "vendor";
/// The attribute that marks a write.
const MARK: &str = "written_as";

/// The key of a vendor's record.
pub(crate) fn vendor_key(vendor: &str) -> Item {
    HashMap::from([
        ("pk".to_owned(), AttributeValue::S(vendor.to_owned())),
        ("sk".to_owned(), AttributeValue::S(VENDOR.to_owned())),
    ])
}

/// Whether an item is a vendor's record.
pub(super) fn is_vendor(item: &Item) -> bool {
    matches!(item.get("sk"), Some(AttributeValue::S(sk)) if sk == VENDOR)
}

/// The record in an item, or what can be made out of it.
///
/// A part that this version cannot read must not stop the vendor: messages would go round until they are dead letters. So a
/// circuit that cannot be read counts as closed, since all it does is save calls, and the next failing calls write it anew. A pause
/// is a person's word and holds even if nothing of it can be read.
pub(crate) fn vendor_of(vendor: &str, item: &Item) -> VendorRecord {
    serde_dynamo::from_item(item.clone()).unwrap_or_else(|_| {
        tracing::warn!(target: "vendorbridge", vendor, "circuit.unreadable");
        salvage(vendor, item)
    })
}

fn salvage(vendor: &str, item: &Item) -> VendorRecord {
    let unknown = VendorRecord::new(vendor);
    VendorRecord {
        revision: part(item, "revision").unwrap_or(unknown.revision),
        pause: item.get("pause").map(|_| {
            part(item, "pause").unwrap_or_else(|| Pause {
                since: Timestamp::UNIX_EPOCH,
                until: None,
                reason: Some("a pause that this version cannot read".to_owned()),
            })
        }),
        circuit: part(item, "circuit"),
        window: part(item, "window").unwrap_or(unknown.window),
        vendor: unknown.vendor,
    }
}

fn part<T: DeserializeOwned>(item: &Item, attribute: &str) -> Option<T> {
    serde_dynamo::from_attribute_value(item.get(attribute)?.clone()).ok()
}

/// The item of a record, with a mark of its own.
pub(in crate::ledger) fn vendor_item(record: &VendorRecord) -> Result<Item, Error> {
    let mut item: Item = serde_dynamo::to_item(record).map_err(unavailable)?;
    item.extend(vendor_key(&record.vendor));
    // Each `RandomState` has other keys than any before it, on this machine or another. Only this adapter sees the mark.
    let mark = RandomState::new().build_hasher().finish();
    item.insert(MARK.to_owned(), AttributeValue::S(format!("{mark:016x}")));
    Ok(item)
}

/// Puts an item in place of the one of the revision before. `false`: somebody else did so first.
pub(in crate::ledger) async fn put_vendor(
    client: &Client,
    table: &str,
    item: Item,
    revision: u64,
) -> Result<bool, SdkError<PutItemError>> {
    let mark = item.get(MARK).cloned();
    let put = client
        .put_item()
        .table_name(table)
        .set_item(Some(item))
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
    let put = if revision == 1 {
        put.condition_expression("attribute_not_exists(revision)")
    } else {
        let before = AttributeValue::N(revision.saturating_sub(1).to_string());
        put.condition_expression("revision = :before")
            .expression_attribute_values(":before", before)
    };
    match put.send().await {
        Ok(_) => Ok(true),
        Err(error) => match error.as_service_error() {
            // What stands in the table is this very write: its first answer was lost, and the SDK sent it again.
            Some(PutItemError::ConditionalCheckFailedException(failed)) => Ok(failed
                .item()
                .is_some_and(|stored| stored.get(MARK) == mark.as_ref())),
            _ => Err(error),
        },
    }
}

/// Somebody else wrote the record first.
pub(in crate::ledger) fn vendor_conflict() -> Error {
    let message = "the vendor's record was written by somebody else in between";
    Error::retry(ErrorKind::Conflict, Stage::Settle, message)
}

impl DynamoLedger {
    pub(super) async fn write_vendor(&self, record: &VendorRecord) -> Result<(), Error> {
        let item = vendor_item(record)?;
        match put_vendor(&self.client, &self.table, item, record.revision).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(vendor_conflict()),
            Err(error) => Err(failed(&error)),
        }
    }
}

#[cfg(test)]
mod tests;

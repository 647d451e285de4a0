//! The vendor's record: one conditional `PutItem`.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::AttributeValue;

use super::{DynamoLedger, Item, failed, unavailable};
use crate::ledger::VendorRecord;
use crate::{Error, ErrorKind, Stage};

/// The sort key of the vendor's record.
const VENDOR: &str = "vendor";

/// The key of a vendor's record.
pub(in crate::ledger) fn vendor_key(vendor: &str) -> Item {
    HashMap::from([
        ("pk".to_owned(), AttributeValue::S(vendor.to_owned())),
        ("sk".to_owned(), AttributeValue::S(VENDOR.to_owned())),
    ])
}

/// Whether an item is a vendor's record.
pub(super) fn is_vendor(item: &Item) -> bool {
    matches!(item.get("sk"), Some(AttributeValue::S(sk)) if sk == VENDOR)
}

impl DynamoLedger {
    pub(super) async fn write_vendor(&self, record: &VendorRecord) -> Result<(), Error> {
        let mut item: Item = serde_dynamo::to_item(record).map_err(unavailable)?;
        item.extend(vendor_key(&record.vendor));
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item));
        let put = if record.revision == 1 {
            put.condition_expression("attribute_not_exists(revision)")
        } else {
            let before = AttributeValue::N((record.revision - 1).to_string());
            put.condition_expression("revision = :before")
                .expression_attribute_values(":before", before)
        };
        match put.send().await {
            Ok(_) => Ok(()),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(PutItemError::is_conditional_check_failed_exception) =>
            {
                let message = "the vendor's record was written by somebody else in between";
                Err(Error::retry(ErrorKind::Conflict, Stage::Settle, message))
            }
            Err(error) => Err(failed(&error)),
        }
    }
}

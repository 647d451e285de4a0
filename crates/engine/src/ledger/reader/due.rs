//! A waiting retry, made due by a person.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

use super::{Reader, failed};
use crate::Error;
use crate::ledger::dynamo::entity_key;
use crate::ledger::{EntityRecord, sort_time};

impl Reader {
    /// Makes the waiting retry of an entity due at `now`. `false`: the entity was settled since `record` was read, or does not
    /// wait.
    ///
    /// The revision stays: a function that works on the entity right now settles as if nobody had been here.
    ///
    /// # Errors
    /// If the table cannot be written.
    pub async fn make_due(&self, record: &EntityRecord, now: Timestamp) -> Result<bool, Error> {
        let updated = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(entity_key(&record.vendor, &record.entity)))
            .update_expression("SET parked.wake_at = :at, attention_sk = :due")
            .condition_expression("revision = :seen AND attribute_exists(parked)")
            .expression_attribute_values(":at", AttributeValue::S(now.to_string()))
            .expression_attribute_values(":due", AttributeValue::S(format!("wake#{}", sort_time(now))))
            .expression_attribute_values(":seen", AttributeValue::N(record.revision.to_string()))
            .send()
            .await;
        match updated {
            Ok(_) => Ok(true),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(UpdateItemError::is_conditional_check_failed_exception) =>
            {
                Ok(false)
            }
            Err(error) => Err(failed(&error)),
        }
    }
}

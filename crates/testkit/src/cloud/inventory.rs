//! A table with a stream, which belongs to another system and not to the stack.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
    StreamSpecification, StreamViewType, TableStatus,
};

use super::{Aws, CloudError, until};

/// A new table is there within this time.
const ACTIVE_WITHIN: Duration = Duration::from_mins(1);

/// The inventory: items under the partition key `pk`.
#[derive(Debug, Clone)]
pub struct Inventory {
    /// The table's name.
    pub table: String,
    /// Its stream of new and old images.
    pub stream_arn: String,
}

impl Inventory {
    /// Makes the table, unless it is there.
    ///
    /// # Errors
    /// If DynamoDB refuses it.
    pub async fn create(aws: &Aws, table: &str) -> Result<Self, CloudError> {
        let definition = AttributeDefinition::builder()
            .attribute_name("pk")
            .attribute_type(ScalarAttributeType::S)
            .build();
        let key = KeySchemaElement::builder()
            .attribute_name("pk")
            .key_type(KeyType::Hash)
            .build();
        let stream = StreamSpecification::builder()
            .stream_enabled(true)
            .stream_view_type(StreamViewType::NewAndOldImages)
            .build();
        let created = aws
            .dynamodb
            .create_table()
            .table_name(table)
            .billing_mode(BillingMode::PayPerRequest)
            .attribute_definitions(definition.map_err(|error| failed("CreateTable", error.to_string()))?)
            .key_schema(key.map_err(|error| failed("CreateTable", error.to_string()))?)
            .stream_specification(stream.map_err(|error| failed("CreateTable", error.to_string()))?)
            .send()
            .await;
        if let Err(error) = created
            && error.code() != Some("ResourceInUseException")
        {
            return Err(refused("CreateTable", error));
        }
        until("the inventory table", ACTIVE_WITHIN, async || {
            let described = aws.dynamodb.describe_table().table_name(table).send().await;
            let described = described.map_err(|error| refused("DescribeTable", error))?;
            let ready = described
                .table()
                .filter(|table| table.table_status() == Some(&TableStatus::Active));
            Ok(ready.and_then(|ready| ready.latest_stream_arn()).map(|arn| Self {
                table: table.to_owned(),
                stream_arn: arn.to_owned(),
            }))
        })
        .await
    }

    /// Writes an item.
    ///
    /// # Errors
    /// If DynamoDB refuses it.
    pub async fn put(&self, aws: &Aws, item: HashMap<String, AttributeValue>) -> Result<(), CloudError> {
        let put = aws
            .dynamodb
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item));
        put.send()
            .await
            .map(|_| ())
            .map_err(|error| refused("PutItem", error))
    }

    /// Removes an item.
    ///
    /// # Errors
    /// If DynamoDB refuses it.
    pub async fn remove(&self, aws: &Aws, pk: &str) -> Result<(), CloudError> {
        let key = AttributeValue::S(pk.to_owned());
        let delete = aws.dynamodb.delete_item().table_name(&self.table).key("pk", key);
        delete
            .send()
            .await
            .map(|_| ())
            .map_err(|error| refused("DeleteItem", error))
    }

    /// Removes the table.
    ///
    /// # Errors
    /// If DynamoDB refuses it.
    pub async fn delete(&self, aws: &Aws) -> Result<(), CloudError> {
        let delete = aws.dynamodb.delete_table().table_name(&self.table).send();
        delete
            .await
            .map(|_| ())
            .map_err(|error| refused("DeleteTable", error))
    }
}

fn failed(what: &'static str, reason: String) -> CloudError {
    CloudError::Aws { what, reason }
}

fn refused<E: std::error::Error + 'static>(what: &'static str, error: SdkError<E>) -> CloudError {
    failed(what, DisplayErrorContext(error).to_string())
}

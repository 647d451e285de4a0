//! Where a checkpoint is kept.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::AttributeValue;

use super::record::Record;
use crate::CliError;

/// Keeps one checkpoint.
pub(crate) trait Store {
    /// What there is.
    async fn read(&self) -> Result<Option<Found>, CliError>;

    /// Writes the record if the one before it, by its revision, still stands. Answers with whether it did.
    async fn write(&self, record: &Record) -> Result<bool, CliError>;
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    Readable(Record),
    /// Another version of the command wrote it.
    Foreign {
        revision: u64,
    },
}

impl Found {
    fn of(item: &HashMap<String, AttributeValue>) -> Self {
        let revision = || item.get("revision")?.as_n().ok()?.parse().ok();
        Record::of_item(item).map_or_else(
            || Self::Foreign {
                revision: revision().unwrap_or_default(),
            },
            Self::Readable,
        )
    }
}

/// An item of the ledger's table.
#[derive(Debug)]
pub(crate) struct Table {
    client: Client,
    name: String,
    key: HashMap<String, AttributeValue>,
}

impl Table {
    pub(super) fn new(client: Client, name: String, vendor: &str, sort_key: &str) -> Self {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let key = [("pk".to_owned(), text(vendor)), ("sk".to_owned(), text(sort_key))];
        Self {
            client,
            name,
            key: HashMap::from(key),
        }
    }
}

impl Store for Table {
    async fn read(&self) -> Result<Option<Found>, CliError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.name)
            .set_key(Some(self.key.clone()))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| CliError::of_sdk("reading the checkpoint in the ledger's table", &error))?;
        Ok(answer.item.as_ref().map(Found::of))
    }

    async fn write(&self, record: &Record) -> Result<bool, CliError> {
        let mut item = record.item();
        item.extend(self.key.clone());
        let before = record.revision.saturating_sub(1);
        let written = self
            .client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(revision) OR revision = :before")
            .expression_attribute_values(":before", AttributeValue::N(before.to_string()))
            .send()
            .await;
        match written {
            Ok(_) => Ok(true),
            Err(error) if error.code() == Some("ConditionalCheckFailedException") => Ok(false),
            Err(error) => Err(CliError::of_sdk(
                "writing the checkpoint into the ledger's table",
                &error,
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_revision_of_a_foreign_record_is_read_on_its_own() {
        let number = |number: &str| AttributeValue::N(number.to_owned());
        let mut item = HashMap::from([("revision".to_owned(), number("7"))]);
        assert_eq!(Found::of(&item), Found::Foreign { revision: 7 });
        item.clear();
        assert_eq!(Found::of(&item), Found::Foreign { revision: 0 });
    }
}

//! A DynamoDB table as the source: no service in between.

mod items;
mod key;
mod value;

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::future::BoxFuture;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Fetched, Source};
use crate::{EntityKey, Error, ErrorKind, Stage, Version};

pub use items::DynamoItems;
pub use key::{InvalidKeyTemplate, KeyTemplate, KeyValue};

/// Where the items of an entity type are, as `VENDOR_SETTINGS` says it.
///
/// `{"table": "Inventory", "key": {"pk": "SKU#{id}", "sk": "item"}}`. A number key is `{"N": "{id}"}`. With
/// `"key": {"attributes": {"pk": "{0}", "sk": "{1}"}, "split": "|"}` the id `blue|M` fills in both.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableSettings {
    /// The table's name.
    pub table: String,
    /// The key attributes, one or two.
    pub key: KeyTemplate,
    /// An attribute that counts the item's versions up, if there is one. Not of use where the events announce versions of
    /// another kind, such as the sequence numbers of a stream.
    #[serde(default)]
    pub version: Option<String>,
}

/// Reads one item of any table.
pub trait Items: Send + Sync {
    /// The item as it is now, in plain JSON; `None` if there is none. The read is strongly consistent.
    fn get<'a>(
        &'a self,
        request: &'a ItemRequest,
    ) -> BoxFuture<'a, Result<Option<Map<String, Value>>, Error>>;
}

/// Which item, and what of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemRequest {
    /// The table's name.
    pub table: String,
    /// The value of each key attribute.
    pub key: BTreeMap<String, KeyValue>,
    /// The top-level attributes that are read, each once; all of them if none is named.
    pub attributes: Vec<String>,
}

/// Reads an entity from its item. No item means that it is deleted.
///
/// The read is strongly consistent, so it sees every change that the table's stream has announced: it never lags.
pub struct DynamoSource {
    items: Arc<dyn Items>,
    settings: TableSettings,
    attributes: Vec<String>,
}

impl DynamoSource {
    /// The items that `settings` name, of which only these attributes are read, the key's besides.
    #[must_use]
    pub fn new(items: Arc<dyn Items>, settings: TableSettings, attributes: &[&str]) -> Self {
        let mut wanted: Vec<_> = attributes
            .iter()
            .map(|name| (*name).to_owned())
            // An item that has nothing else is there all the same.
            .chain(settings.key.names().map(str::to_owned))
            .chain(settings.version.clone())
            .collect();
        wanted.sort();
        wanted.dedup();
        Self {
            items,
            settings,
            attributes: wanted,
        }
    }

    async fn get(&self, entity: &EntityKey) -> Result<Fetched, Error> {
        let key = self
            .settings
            .key
            .fill(entity.id())
            .map_err(|reason| Error::permanent(ErrorKind::Invalid, Stage::Source, reason.to_string()))?;
        let request = ItemRequest {
            table: self.settings.table.clone(),
            key,
            attributes: self.attributes.clone(),
        };
        let Some(item) = self.items.get(&request).await? else {
            return Ok(Fetched::gone().current());
        };
        let version = self.settings.version.as_ref().and_then(|name| item.get(name));
        let version = version.and_then(Version::from_json);
        Ok(Fetched::found(Value::Object(item), version).current())
    }
}

impl Source for DynamoSource {
    fn fetch<'a>(&'a self, entity: &'a EntityKey) -> BoxFuture<'a, Result<Fetched, Error>> {
        Box::pin(self.get(entity))
    }
}

/// What a function has that was set up without a database.
pub(crate) struct NoItems;

impl Items for NoItems {
    fn get<'a>(&'a self, _: &'a ItemRequest) -> BoxFuture<'a, Result<Option<Map<String, Value>>, Error>> {
        Box::pin(async {
            let message = "expected a function that was set up with a database, found one without";
            Err(Error::retry(ErrorKind::Unexpected, Stage::Source, message))
        })
    }
}

#[cfg(test)]
mod tests;

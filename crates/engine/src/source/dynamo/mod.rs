//! A DynamoDB table as the source: no service in between.

mod items;
mod key;
mod value;

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::future::BoxFuture;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Fetched, Listed, Source, not_listable};
use crate::ask::{Page, PageRequest};
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

    /// Some of a table's items, in plain JSON. The read is eventually consistent, for half the cost: what was written a moment ago
    /// may be missing, or be as it was before.
    fn scan<'a>(&'a self, request: &'a ScanRequest) -> BoxFuture<'a, Result<Scanned, Error>>;
}

/// Which items, and what of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanRequest {
    /// The table's name.
    pub table: String,
    /// The top-level attributes that are read, each once.
    pub attributes: Vec<String>,
    /// Goes on behind this key.
    pub after: Option<BTreeMap<String, KeyValue>>,
    /// At most so many items.
    pub limit: u32,
}

/// Some items of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scanned {
    /// The items.
    pub items: Vec<Map<String, Value>>,
    /// Where it ended; nothing at the table's end.
    pub last: Option<BTreeMap<String, KeyValue>>,
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

    /// A table may hold other things, too: what has no key of the template is passed over.
    async fn scan(&self, asked: PageRequest<'_>) -> Result<Page<Listed>, Error> {
        let TableSettings { table, key, .. } = &self.settings;
        if !key.is_reversible() {
            let help = "each key attribute needs one place at most, and each part of the id its place";
            return Err(not_listable(help));
        }
        let after = asked.page.map(serde_json::from_str).transpose();
        let request = ScanRequest {
            table: table.clone(),
            attributes: if asked.with_states {
                self.attributes.clone()
            } else {
                key.names().map(str::to_owned).collect()
            },
            after: after.map_err(|_| asked.wrong(Stage::Source))?,
            limit: asked.limit,
        };
        let Scanned { items, last } = self.items.scan(&request).await?;
        let listed = items.into_iter().filter_map(|item| {
            let id = key.id_of(&item)?;
            let state = asked.with_states.then_some(Value::Object(item));
            Some(Listed { id, state })
        });
        let next = last.and_then(|key| serde_json::to_string(&key).ok());
        Ok(Page::new(listed.collect(), next))
    }
}

impl Source for DynamoSource {
    fn fetch<'a>(&'a self, entity: &'a EntityKey) -> BoxFuture<'a, Result<Fetched, Error>> {
        Box::pin(self.get(entity))
    }

    fn lists(&self) -> bool {
        self.settings.key.is_reversible()
    }

    fn list<'a>(&'a self, asked: PageRequest<'a>) -> BoxFuture<'a, Result<Page<Listed>, Error>> {
        Box::pin(self.scan(asked))
    }
}

/// What a function has that was set up without a database.
pub(crate) struct NoItems;

impl Items for NoItems {
    fn get<'a>(&'a self, _: &'a ItemRequest) -> BoxFuture<'a, Result<Option<Map<String, Value>>, Error>> {
        Box::pin(async { Err(no_database()) })
    }

    fn scan<'a>(&'a self, _: &'a ScanRequest) -> BoxFuture<'a, Result<Scanned, Error>> {
        Box::pin(async { Err(no_database()) })
    }
}

fn no_database() -> Error {
    let message = "expected a function that was set up with a database, found one without";
    Error::retry(ErrorKind::Unexpected, Stage::Source, message)
}

#[cfg(test)]
mod tests;

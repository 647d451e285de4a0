//! Tables of items in memory.

use std::collections::BTreeMap;
use std::sync::Mutex;

use futures::future::BoxFuture;
use serde_json::{Map, Value};
use vendorbridge::Error;
use vendorbridge::source::{ItemRequest, Items, KeyValue};

use super::lock;

type Place = (String, Vec<(String, KeyValue)>);

/// Items in plain JSON, each under its table and key.
#[derive(Debug, Default)]
pub struct MemoryItems {
    items: Mutex<BTreeMap<Place, Map<String, Value>>>,
    reads: Mutex<u64>,
}

impl MemoryItems {
    /// Puts an item under a key of one text attribute.
    pub fn put(&self, table: &str, key: (&str, &str), item: Map<String, Value>) {
        self.put_at(table, &[key], item);
    }

    /// Removes it again.
    pub fn remove(&self, table: &str, key: (&str, &str)) {
        self.remove_at(table, &[key]);
    }

    /// Puts an item under a key of several text attributes.
    pub fn put_at(&self, table: &str, key: &[(&str, &str)], item: Map<String, Value>) {
        lock(&self.items).insert(place(table, key), item);
    }

    /// Removes it again.
    pub fn remove_at(&self, table: &str, key: &[(&str, &str)]) {
        lock(&self.items).remove(&place(table, key));
    }

    /// How often an item was read.
    #[must_use]
    pub fn reads(&self) -> u64 {
        *lock(&self.reads)
    }
}

impl Items for MemoryItems {
    fn get<'a>(
        &'a self,
        request: &'a ItemRequest,
    ) -> BoxFuture<'a, Result<Option<Map<String, Value>>, Error>> {
        *lock(&self.reads) += 1;
        let key = request.key.clone().into_iter().collect();
        let item = lock(&self.items).get(&(request.table.clone(), key)).cloned();
        let item = item.map(|item| {
            let is_wanted =
                |name: &String| request.attributes.is_empty() || request.attributes.contains(name);
            item.into_iter().filter(|(name, _)| is_wanted(name)).collect()
        });
        Box::pin(async { Ok(item) })
    }
}

/// The attributes in the order of their names, as requests have them.
fn place(table: &str, key: &[(&str, &str)]) -> Place {
    let text = |(name, value): &(&str, &str)| ((*name).to_owned(), KeyValue::Text((*value).to_owned()));
    let key: BTreeMap<_, _> = key.iter().map(text).collect();
    (table.to_owned(), key.into_iter().collect())
}

//! Tables of items in memory.

use std::collections::BTreeMap;
use std::sync::Mutex;

use futures::future::BoxFuture;
use serde_json::{Map, Value};
use vendorbridge::Error;
use vendorbridge::source::{ItemRequest, Items, KeyValue, ScanRequest, Scanned};

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

    fn scan<'a>(&'a self, request: &'a ScanRequest) -> BoxFuture<'a, Result<Scanned, Error>> {
        let items = lock(&self.items);
        let after = request
            .after
            .as_ref()
            .map(|key| key.clone().into_iter().collect::<Vec<_>>());
        let limit = usize::try_from(request.limit).unwrap_or(usize::MAX);
        let some: Vec<_> = items
            .iter()
            .filter(|((table, key), _)| {
                *table == request.table && after.as_ref().is_none_or(|after| key > after)
            })
            .take(limit)
            .collect();
        let last = some.last().filter(|_| some.len() == limit);
        let last = last.map(|((_, key), _)| key.iter().cloned().collect());
        let whole = |((_, key), item): (&Place, &Map<String, Value>)| {
            let mut item = item.clone();
            item.extend(key.iter().map(|(name, value)| (name.clone(), plain(value))));
            item.retain(|name, _| request.attributes.contains(name));
            item
        };
        let items = some.iter().copied().map(whole).collect();
        Box::pin(async { Ok(Scanned { items, last }) })
    }
}

/// A table's items have their key attributes.
fn plain(value: &KeyValue) -> Value {
    match value {
        KeyValue::Text(text) => text.as_str().into(),
        KeyValue::Number(digits) => digits.parse::<i64>().map_or(Value::Null, Value::from),
    }
}

/// The attributes in the order of their names, as requests have them.
fn place(table: &str, key: &[(&str, &str)]) -> Place {
    let text = |(name, value): &(&str, &str)| ((*name).to_owned(), KeyValue::Text((*value).to_owned()));
    let key: BTreeMap<_, _> = key.iter().map(text).collect();
    (table.to_owned(), key.into_iter().collect())
}

//! Records that are not ours, or not any more. One of them hides none of the others.

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::ledger::dynamo::Item;

/// More are counted and not named.
const MAX_NAMED: usize = 10;

/// Records that cannot be read: how many, and which. Never what they hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Unreadable {
    /// How many there are.
    pub count: u64,
    /// The sort keys of the ten that sort first, in their order.
    pub keys: Vec<String>,
}

impl Unreadable {
    /// Adds what was found elsewhere.
    pub fn merge(&mut self, other: Self) {
        self.count += other.count;
        other.keys.into_iter().for_each(|key| self.name(key));
    }

    fn add(&mut self, key: Option<&AttributeValue>) {
        self.count += 1;
        let key = key.and_then(|key| key.as_s().ok());
        self.name(key.map_or("no sort key", String::as_str).to_owned());
    }

    /// Parts come in any order; what is named does not depend on it.
    fn name(&mut self, key: String) {
        let at = self.keys.partition_point(|named| *named <= key);
        self.keys.insert(at, key);
        self.keys.truncate(MAX_NAMED);
    }
}

/// The records among these items, in their order, and the others.
pub(super) fn sift<T: DeserializeOwned>(items: impl IntoIterator<Item = Item>) -> (Vec<T>, Unreadable) {
    let mut unreadable = Unreadable::default();
    let mut records = Vec::new();
    for item in items {
        let key = item.get("sk").cloned();
        match serde_dynamo::from_item(item) {
            Ok(record) => records.push(record),
            Err(_) => unreadable.add(key.as_ref()),
        }
    }
    (records, unreadable)
}

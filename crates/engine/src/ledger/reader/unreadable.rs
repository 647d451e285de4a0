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
    /// The sort keys of the first ten.
    pub keys: Vec<String>,
}

impl Unreadable {
    /// Adds what was found elsewhere.
    pub fn merge(&mut self, other: Self) {
        self.count += other.count;
        let room = MAX_NAMED.saturating_sub(self.keys.len());
        self.keys.extend(other.keys.into_iter().take(room));
    }

    fn add(&mut self, key: Option<&AttributeValue>) {
        self.count += 1;
        if self.keys.len() < MAX_NAMED {
            let key = key.and_then(|key| key.as_s().ok());
            self.keys
                .push(key.map_or("no sort key", String::as_str).to_owned());
        }
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

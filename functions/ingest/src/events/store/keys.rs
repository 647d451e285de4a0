//! The table's keys and attributes.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use vendorbridge::EntityKey;

pub(super) type Item = HashMap<String, AttributeValue>;

pub(super) fn request_pk(line: &str, id: &str) -> String {
    format!("ingest#{line}#{id}")
}

pub(super) fn state_pk(entity: &EntityKey) -> String {
    format!("line#{entity}")
}

pub(super) fn key(pk: String, sk: &str) -> Item {
    HashMap::from([
        ("pk".to_owned(), AttributeValue::S(pk)),
        ("sk".to_owned(), AttributeValue::S(sk.to_owned())),
    ])
}

pub(super) fn number(number: u64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

pub(super) fn expires(from: Timestamp, after: SignedDuration) -> AttributeValue {
    let at = from.saturating_add(after).unwrap_or(Timestamp::MAX);
    AttributeValue::N(at.as_second().to_string())
}

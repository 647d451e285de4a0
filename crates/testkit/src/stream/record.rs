//! Stream records of an invented table.

use serde_json::{Value, json};
use vendorbridge::changes::Stream;

/// The table whose changes are announced.
pub const TABLE: &str = "Inventory";
/// The ledger's table.
pub const LEDGER: &str = "ledger";

/// What is special about a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Nothing.
    Plain,
    /// Deleted by DynamoDB itself: announced to nobody.
    Expired,
    /// It cannot be understood.
    Unreadable,
    /// The bus refuses its entry for good.
    Refused,
    /// The bus refuses every request that it is in.
    RequestRefused,
    /// It kills the function.
    Killer,
}

/// One record of a shard.
#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) number: u64,
    pub(super) key: usize,
    pub(super) kind: Kind,
}

/// The tables as `STREAMS` names them.
#[must_use]
pub fn streams() -> Vec<Stream> {
    let streams = json!([{
        "table": TABLE, "source": "inventory", "detail_type": "InventoryItemChanged", "id": "{pk}",
        "ignore_ttl_deletes": true,
    }]);
    serde_json::from_value(streams).unwrap_or_default()
}

/// The sequence number of a record: 21 digits and more, as DynamoDB's.
pub(super) fn sequence(number: u64) -> String {
    format!("1{number:020}")
}

/// Its number again.
pub(super) fn number(sequence: &str) -> Option<u64> {
    sequence.strip_prefix('1')?.parse().ok()
}

pub(super) fn json_of(record: &Record) -> Value {
    let key = format!("SKU#{}", record.key);
    let mut json = json!({
        "eventID": format!("{:032x}", record.number), "eventName": "MODIFY", "eventSource": "aws:dynamodb",
        "dynamodb": {
            "ApproximateCreationDateTime": 1_769_697_386, "Keys": { "pk": { "S": key } },
            "SequenceNumber": sequence(record.number), "StreamViewType": "NEW_AND_OLD_IMAGES",
            "NewImage": { "pk": { "S": key }, "stock": { "N": record.number.to_string() } },
        },
        "eventSourceARN": format!("arn:aws:dynamodb:eu-west-1:123456789012:table/{TABLE}/stream/2026-01-01T00:00:00.000"),
    });
    match record.kind {
        Kind::Expired => {
            json["eventName"] = "REMOVE".into();
            json["userIdentity"] = json!({ "type": "Service", "principalId": "dynamodb.amazonaws.com" });
        }
        Kind::Unreadable => json["dynamodb"]["Keys"] = json!({ "pk": { "X": 1 } }),
        _ => {}
    }
    json
}

//! A DynamoDB stream record
//! (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_Record.html>).

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_dynamo::{AttributeValue, Item};
use serde_json::{Map, Value};

/// What happened to an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Change {
    Insert,
    Modify,
    Remove,
}

/// One change of one item.
#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) table: String,
    pub(super) change: Change,
    pub(super) keys: BTreeMap<String, AttributeValue>,
    pub(super) sequence: String,
    /// When it was written; whole seconds, cut.
    pub(super) at: Option<Timestamp>,
    pub(super) new: Option<Item>,
    pub(super) old: Option<Item>,
    /// DynamoDB itself deleted the item: its time to live was over.
    pub(super) is_expiry: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw {
    event_name: Change,
    #[serde(rename = "eventSourceARN")]
    arn: String,
    dynamodb: Body,
    #[serde(default)]
    user_identity: Option<UserIdentity>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Body {
    keys: BTreeMap<String, AttributeValue>,
    sequence_number: String,
    #[serde(default)]
    approximate_creation_date_time: Option<f64>,
    #[serde(default)]
    new_image: Option<Item>,
    #[serde(default)]
    old_image: Option<Item>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UserIdentity {
    #[serde(rename = "type")]
    kind: Option<String>,
    principal_id: Option<String>,
}

impl Record {
    /// Reads a record. The error names the place and says nothing of the data.
    pub(super) fn parse(raw: &Value) -> Result<Self, String> {
        let raw: Raw = serde_path_to_error::deserialize(raw).map_err(|error| {
            format!(
                "expected a DynamoDB stream record, found an error at `{}`",
                error.path()
            )
        })?;
        // `arn:aws:dynamodb:<region>:<account>:table/<name>/stream/<label>`; a pipe may leave the stream out.
        let table = raw
            .arn
            .split_once(":table/")
            .map(|(_, rest)| rest.split('/').next().unwrap_or(rest).to_owned())
            .ok_or("expected the ARN of a table's stream at `eventSourceARN`, found another text")?;
        let Body {
            keys,
            sequence_number: sequence,
            approximate_creation_date_time: at,
            new_image: new,
            old_image: old,
        } = raw.dynamodb;
        if keys.is_empty() {
            return Err("expected key attributes at `dynamodb.Keys`, found none".to_owned());
        }
        if sequence.is_empty() {
            return Err("expected a sequence number, found an empty text".to_owned());
        }
        let is_expiry = raw.user_identity.is_some_and(|identity| {
            identity.kind.as_deref() == Some("Service")
                && identity.principal_id.as_deref() == Some("dynamodb.amazonaws.com")
        });
        Ok(Self {
            table,
            change: raw.event_name,
            keys,
            sequence,
            at: at.and_then(seconds),
            new,
            old,
            is_expiry: is_expiry && raw.event_name == Change::Remove,
        })
    }

    /// The item's keys as plain JSON.
    pub(super) fn plain_keys(&self) -> Result<Map<String, Value>, String> {
        self.keys
            .iter()
            .map(|(name, value)| Ok((name.clone(), plain(value)?)))
            .collect()
    }
}

/// The record's sequence number, also where the rest of it cannot be read.
pub(super) fn sequence(raw: &Value) -> Option<String> {
    let sequence = raw.pointer("/dynamodb/SequenceNumber")?.as_str()?;
    (!sequence.is_empty()).then(|| sequence.to_owned())
}

/// A key attribute as plain JSON: text stays text, bytes become base64. A number that 64 bits do not hold exactly stays the
/// text of its digits, or different keys would fall together.
fn plain(value: &AttributeValue) -> Result<Value, String> {
    match value {
        AttributeValue::S(text) => Ok(Value::from(text.as_str())),
        AttributeValue::B(bytes) => Ok(Value::from(STANDARD.encode(bytes))),
        AttributeValue::N(digits) => {
            let whole = digits
                .parse::<i64>()
                .ok()
                .filter(|number| number.to_string() == *digits);
            Ok(whole.map_or_else(|| Value::from(digits.as_str()), Value::from))
        }
        _ => Err("expected key attributes of type S, N or B, found another type".to_owned()),
    }
}

fn seconds(since_epoch: f64) -> Option<Timestamp> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "whole seconds are what is wanted, and a cast to an integer never fails"
    )]
    Timestamp::from_second(since_epoch.floor() as i64).ok()
}

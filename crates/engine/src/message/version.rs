//! The version of an entity's state at its source.

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Serialize};

/// A longer tag is kept as a hash.
const MAX_TAG_BYTES: usize = 128;
/// The longest sequence number of a DynamoDB stream record has 40 digits.
const MAX_SEQUENCE_DIGITS: usize = 40;

/// What the source calls the version of a state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Version {
    /// Counts up: comparable.
    Number(u64),
    /// Counts up in more digits than a number holds, such as the sequence number of a stream record: comparable.
    Sequence(Sequence),
    /// Opaque, such as an `ETag`: only equality means something.
    Tag(String),
}

/// A whole number of decimal digits that does not fit 64 bits, without leading zeros.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Sequence(String);

impl TryFrom<String> for Sequence {
    type Error = &'static str;

    fn try_from(digits: String) -> Result<Self, Self::Error> {
        let is_number = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
        if is_number && digits.parse::<u64>().is_err() && (20..=MAX_SEQUENCE_DIGITS).contains(&digits.len()) {
            Ok(Self(digits))
        } else {
            Err("expected a whole number of more than 64 bits")
        }
    }
}

impl From<Sequence> for String {
    fn from(sequence: Sequence) -> Self {
        sequence.0
    }
}

impl Version {
    /// Reads a version field: a whole number, or a text that is taken as a number if it is one.
    #[must_use]
    pub fn from_json(value: &serde_json::Value) -> Option<Self> {
        match value {
            serde_json::Value::Number(number) => number.as_u64().map(Self::Number),
            serde_json::Value::String(text) => Some(Self::from_text(text)),
            _ => None,
        }
    }

    /// Reads an `ETag` (RFC 9110): the quotes and the weakness mark are not part of the version.
    #[must_use]
    pub fn from_etag(etag: &str) -> Option<Self> {
        let tag = etag.strip_prefix("W/").unwrap_or(etag).trim_matches('"');
        (!tag.is_empty()).then(|| Self::from_text(tag))
    }

    /// A time as a version: its milliseconds since 1970; `None` before that.
    #[must_use]
    pub fn from_time(time: jiff::Timestamp) -> Option<Self> {
        u64::try_from(time.as_millisecond()).ok().map(Self::Number)
    }

    fn from_text(text: &str) -> Self {
        match text.parse() {
            Ok(number) if !text.starts_with(['+', '0']) || text == "0" => Self::Number(number),
            _ => match Sequence::try_from(text.to_owned()) {
                Ok(sequence) => Self::Sequence(sequence),
                // Records must stay small; equal tags stay equal.
                Err(_) if text.len() > MAX_TAG_BYTES => Self::Tag(crate::lane::short_hash(text)),
                Err(_) => Self::Tag(text.to_owned()),
            },
        }
    }

    /// Whether versions of this kind have an order.
    #[must_use]
    pub fn is_ordered(&self) -> bool {
        !matches!(self, Self::Tag(_))
    }
}

impl PartialOrd for Version {
    /// `None` where the versions cannot be compared.
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => Some(a.cmp(b)),
            (Self::Sequence(Sequence(a)), Self::Sequence(Sequence(b))) => {
                Some(a.len().cmp(&b.len()).then_with(|| a.cmp(b)))
            }
            (Self::Number(_), Self::Sequence(_)) => Some(Ordering::Less),
            (Self::Sequence(_), Self::Number(_)) => Some(Ordering::Greater),
            (Self::Tag(a), Self::Tag(b)) if a == b => Some(Ordering::Equal),
            _ => None,
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Sequence(Sequence(digits)) => digits.fmt(f),
            Self::Tag(tag) => tag.fmt(f),
        }
    }
}

//! The version of an entity's state at its source.

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Serialize};

/// A longer tag is kept as a hash.
const MAX_TAG_BYTES: usize = 128;

/// What the source calls the version of a state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Version {
    /// Counts up: comparable.
    Number(u64),
    /// Opaque, such as an `ETag`: only equality means something.
    Tag(String),
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

    fn from_text(text: &str) -> Self {
        match text.parse() {
            Ok(number) if !text.starts_with(['+', '0']) || text == "0" => Self::Number(number),
            // Records must stay small; equal tags stay equal.
            _ if text.len() > MAX_TAG_BYTES => Self::Tag(crate::lane::short_hash(text)),
            _ => Self::Tag(text.to_owned()),
        }
    }
}

impl PartialOrd for Version {
    /// `None` where the versions cannot be compared.
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => Some(a.cmp(b)),
            (Self::Tag(a), Self::Tag(b)) if a == b => Some(Ordering::Equal),
            _ => None,
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Tag(tag) => tag.fmt(f),
        }
    }
}

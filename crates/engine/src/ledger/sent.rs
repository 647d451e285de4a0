//! What was sent last, in as few bytes as tell what a new payload changes (docs/adr/0017-what-was-sent-last.md).

use std::fmt;

use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::ask::{canonical, leaves};

/// Records of more fields are kept by their top-level members, those of more members not at all.
const MAX_ENTRIES: usize = 64;
/// The values are kept up to this size, deflated.
const MAX_VALUE_BYTES: usize = 32 * 1024;
/// No payload is larger: a vendor's own limit is far below.
const MAX_INFLATED_BYTES: usize = 4 * 1024 * 1024;
/// Two bytes of the pointer's hash, four of the value's.
const ENTRY_BYTES: usize = 6;

const BY_FIELD: u8 = 1;
const BY_MEMBER: u8 = 2;
const DEFLATED: u8 = 3;

/// What the ledger keeps of what was sent last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeepSent {
    /// Hashes: which fields changed can be told, not what they were.
    #[default]
    Fields,
    /// The payload: customers' data then stands in the ledger.
    Values,
    /// Nothing.
    None,
}

/// What was sent last. The first byte says in which form; one that a later version wrote is kept and not understood. `Debug`
/// shows none of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Sent(Vec<u8>);

/// What a [`Sent`] says.
pub(crate) enum Said {
    Fields(Vec<Mark>),
    Members(Vec<Mark>),
    Values(Value),
}

/// A field, or a member: where it stands and what it is, both hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark([u8; ENTRY_BYTES]);

impl Mark {
    pub(crate) fn of(pointer: &str, text: &str) -> Self {
        let (place, value) = (Sha256::digest(pointer), Sha256::digest(text));
        Self([place[0], place[1], value[0], value[1], value[2], value[3]])
    }

    /// Whether both may stand at the same place.
    pub(crate) fn is_beside(self, other: Self) -> bool {
        self.0[..2] == other.0[..2]
    }
}

impl Sent {
    /// What is to be kept of this payload.
    pub(crate) fn of(payload: &Value, keep: KeepSent) -> Option<Self> {
        match keep {
            KeepSent::None => None,
            KeepSent::Fields => Self::hashed(payload),
            KeepSent::Values => Self::deflated(payload).or_else(|| Self::hashed(payload)),
        }
    }

    /// Whether customers' data stands in it.
    pub(crate) fn has_values(&self) -> bool {
        self.0.first() == Some(&DEFLATED)
    }

    fn hashed(payload: &Value) -> Option<Self> {
        let fields = leaves(payload);
        if fields.len() <= MAX_ENTRIES {
            let marks = fields
                .iter()
                .map(|(pointer, leaf)| Mark::of(pointer, &canonical(leaf)));
            return Some(Self::marked(BY_FIELD, marks));
        }
        let members = payload.as_object().map(members)?;
        let marks = members.iter().map(|(pointer, text, _)| Mark::of(pointer, text));
        (members.len() <= MAX_ENTRIES).then(|| Self::marked(BY_MEMBER, marks))
    }

    fn marked(form: u8, marks: impl Iterator<Item = Mark>) -> Self {
        Self(
            std::iter::once(form)
                .chain(marks.flat_map(|mark| mark.0))
                .collect(),
        )
    }

    fn deflated(payload: &Value) -> Option<Self> {
        let text = serde_json::to_vec(payload).ok()?;
        if text.len() > MAX_INFLATED_BYTES {
            return None;
        }
        let mut kept = vec![DEFLATED];
        kept.extend(miniz_oxide::deflate::compress_to_vec(&text, 6));
        (kept.len() <= MAX_VALUE_BYTES).then_some(Self(kept))
    }

    /// Nothing if a later version wrote it.
    pub(crate) fn said(&self) -> Option<Said> {
        let (form, rest) = self.0.split_first()?;
        let marks = || {
            let (marks, rest) = rest.as_chunks::<ENTRY_BYTES>();
            rest.is_empty().then(|| marks.iter().copied().map(Mark).collect())
        };
        match *form {
            BY_FIELD => marks().map(Said::Fields),
            BY_MEMBER => marks().map(Said::Members),
            DEFLATED => {
                let text = miniz_oxide::inflate::decompress_to_vec_with_limit(rest, MAX_INFLATED_BYTES);
                serde_json::from_slice(&text.ok()?).ok().map(Said::Values)
            }
            _ => None,
        }
    }
}

/// The top-level members that hold anything: their pointer, their fields as one text, their value.
pub(crate) fn members(payload: &Map<String, Value>) -> Vec<(String, String, &Value)> {
    let text = |member| {
        let fields = leaves(member);
        let lines = fields
            .iter()
            .map(|(pointer, leaf)| format!("{pointer}={}\n", canonical(leaf)));
        lines.collect::<String>()
    };
    let members = payload.iter().map(|(name, member)| {
        let name = name.replace('~', "~0").replace('/', "~1");
        (format!("/{name}"), text(member), member)
    });
    members.filter(|(_, text, _)| !text.is_empty()).collect()
}

impl fmt::Debug for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sent({} bytes)", self.0.len())
    }
}

/// As bytes: a binary attribute in the table.
impl Serialize for Sent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Sent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_byte_buf(Bytes)
    }
}

struct Bytes;

impl Visitor<'_> for Bytes {
    type Value = Sent;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes")
    }

    fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Sent, E> {
        self.visit_byte_buf(bytes.to_vec())
    }

    fn visit_byte_buf<E: serde::de::Error>(self, bytes: Vec<u8>) -> Result<Sent, E> {
        if bytes.is_empty() {
            return Err(E::custom("expected at least one byte, found none"));
        }
        Ok(Sent(bytes))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case(KeepSent::Values, true)]
    #[case(KeepSent::Fields, false)]
    fn values_are_told_from_hashes(#[case] keep: KeepSent, #[case] expected: bool) {
        let sent = Sent::of(&json!({"name": "Ada"}), keep).unwrap();
        assert_eq!(sent.has_values(), expected);
    }
}

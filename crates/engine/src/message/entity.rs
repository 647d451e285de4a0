//! The key of what is kept in sync.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Longest entity id, in bytes of UTF-8. Keeps the ledger's keys well under DynamoDB's 1,024 bytes.
pub const MAX_ID_BYTES: usize = 512;

/// `type/id`, for example `customer/1042`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EntityKey {
    key: String,
    type_len: usize,
}

/// Why a text is no entity key. Never quotes the id: ids can be personal data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKey {
    /// The id is the empty text.
    #[error("expected an entity id, found an empty text")]
    EmptyId,
    /// The id is over [`MAX_ID_BYTES`].
    #[error("expected an entity id of at most {MAX_ID_BYTES} bytes, found {0} bytes")]
    LongId(usize),
    /// The id contains a control character.
    #[error("expected an entity id without control characters, found one")]
    ControlCharacter,
    /// There is no `type/` in front.
    #[error("expected `type/id` with a type of a-z, 0-9 and `-`, found none")]
    Type,
}

impl EntityKey {
    /// The key of `id` among the entities of `entity_type`.
    ///
    /// # Errors
    /// [`InvalidKey`] if the id is empty, over 512 bytes or has control characters, or the type is not of a-z, 0-9, `-`.
    pub fn new(entity_type: &str, id: &str) -> Result<Self, InvalidKey> {
        let type_is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if entity_type.is_empty() || entity_type.len() > 64 || !entity_type.bytes().all(type_is_plain) {
            return Err(InvalidKey::Type);
        }
        if id.is_empty() {
            return Err(InvalidKey::EmptyId);
        }
        if id.len() > MAX_ID_BYTES {
            return Err(InvalidKey::LongId(id.len()));
        }
        if id.chars().any(char::is_control) {
            return Err(InvalidKey::ControlCharacter);
        }
        Ok(Self {
            key: format!("{entity_type}/{id}"),
            type_len: entity_type.len(),
        })
    }

    /// The part before the first `/`.
    #[must_use]
    pub fn entity_type(&self) -> &str {
        &self.key[..self.type_len]
    }

    /// The part behind the first `/`; may itself contain `/`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.key[self.type_len + 1..]
    }

    /// `type/id`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.key
    }
}

impl fmt::Display for EntityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.key)
    }
}

impl TryFrom<String> for EntityKey {
    type Error = InvalidKey;

    fn try_from(key: String) -> Result<Self, InvalidKey> {
        let (entity_type, id) = key.split_once('/').ok_or(InvalidKey::Type)?;
        Self::new(entity_type, id)
    }
}

impl std::str::FromStr for EntityKey {
    type Err = InvalidKey;

    fn from_str(key: &str) -> Result<Self, InvalidKey> {
        Self::try_from(key.to_owned())
    }
}

impl From<EntityKey> for String {
    fn from(key: EntityKey) -> Self {
        key.key
    }
}

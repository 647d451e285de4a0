//! The state that an event brings itself (event-carried state transfer, docs/adr/0009-carried-state.md).

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Version;

/// Larger carried states are refused, in bytes of JSON: one that waits for a retry stands in the ledger, whose items end at
/// 400 KB.
pub const MAX_CARRIED_BYTES: usize = 256 * 1024;

/// What an event carries.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Carried {
    /// Its place among the states of the entity. Always ordered: an older state never follows a newer one.
    pub version: Version,
    /// The state; `None` says that the entity is gone.
    #[serde(default, with = "text", skip_serializing_if = "Option::is_none")]
    pub state: Option<Value>,
}

impl fmt::Debug for Carried {
    /// Without the state: it can be personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.state.is_some() {
            "a state"
        } else {
            "a removal"
        };
        write!(f, "Carried({what}, version {})", self.version)
    }
}

impl Carried {
    /// Whether this is certainly older than what has this version.
    #[must_use]
    pub fn is_older_than(&self, version: &Version) -> bool {
        self.version < *version
    }
}

/// Kept as JSON text: the ledger's own numbers and names are narrower than JSON's.
mod text {
    use serde::de::Error as _;
    use serde::ser::Error as _;
    use serde::{Deserialize, Deserializer, Serializer};
    use serde_json::Value;

    #[expect(clippy::ref_option, reason = "serde's signature")]
    pub(super) fn serialize<S: Serializer>(state: &Option<Value>, to: S) -> Result<S::Ok, S::Error> {
        let text = serde_json::to_string(state).map_err(S::Error::custom)?;
        to.serialize_str(&text)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Value>, D::Error> {
        let text = String::deserialize(from)?;
        serde_json::from_str(&text).map_err(D::Error::custom)
    }
}

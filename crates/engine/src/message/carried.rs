//! The state that an event brings itself (event-carried state transfer).

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Larger carried states are refused: one that waits for a retry stands in the ledger, whose items end at 400 KB.
pub const MAX_CARRIED_BYTES: usize = 256 * 1024;

/// What an event carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Carried {
    /// The entity's state.
    State(Value),
    /// The entity is gone.
    Gone,
}

//! The waker's message: an envelope like any other, so that everything in a queue reads the same.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{EntityKey, Envelope, Malformed};

/// The detail type of a wake message.
pub const WAKE_DETAIL_TYPE: &str = "RetryDue";
/// The EventBridge source of a wake message. Rules route none of it: a wake goes straight into its lane.
pub const WAKE_SOURCE: &str = "vendorbridge";

/// The body of a message that says: the waiting retry of `entity` is due.
#[must_use]
pub fn wake_body(entity: &EntityKey, id: &str, now: Timestamp) -> String {
    json!({
        "version": "0",
        "id": id,
        "detail-type": WAKE_DETAIL_TYPE,
        "source": WAKE_SOURCE,
        "time": now,
        "resources": [],
        "detail": { "entity": entity },
    })
    .to_string()
}

pub(super) fn read(envelope: &Envelope) -> Result<Option<EntityKey>, Malformed> {
    if envelope.detail_type != WAKE_DETAIL_TYPE || envelope.source != WAKE_SOURCE {
        return Ok(None);
    }
    let key = envelope
        .detail
        .get("entity")
        .and_then(Value::as_str)
        .unwrap_or_default();
    key.parse()
        .map(Some)
        .map_err(|invalid: super::InvalidKey| envelope.malformed("/detail/entity", invalid.to_string()))
}

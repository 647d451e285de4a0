//! `SyncRequested`: any service may ask for a sync.

use serde_json::Value;

use super::{EntityKey, Envelope, InvalidKey, Malformed, Notification, TraceParent};
use crate::sabotage::{self, Sabotage};

/// The detail type by which any service asks for a sync: `{ "entity": "type/id", "vendor"?: "name", "force"?: true }`.
pub const SYNC_REQUESTED: &str = "SyncRequested";

/// Reads a request; `None` if it is for another vendor, or for a type of entity that this vendor does not keep and nobody said
/// it should.
pub(super) fn read(
    envelope: Envelope,
    vendor: &str,
    keeps: impl FnOnce(&str) -> bool,
) -> Result<Option<Notification>, Malformed> {
    let named = match envelope.detail.get("vendor") {
        None | Some(Value::Null) => false,
        Some(Value::String(name)) if name == vendor => true,
        Some(Value::String(_)) => return Ok(None),
        Some(_) => {
            let reason = "expected a vendor's name as text, found another type".to_owned();
            return Err(envelope.malformed("/detail/vendor", reason));
        }
    };
    let is_forced = match envelope.detail.get("force") {
        None | Some(Value::Null) => false,
        Some(Value::Bool(force)) => *force && !sabotage::is(Sabotage::ForceLikeAnyOther),
        Some(_) => {
            let reason = "expected true or false, found another type".to_owned();
            return Err(envelope.malformed("/detail/force", reason));
        }
    };
    let key = envelope.detail.get("entity").and_then(Value::as_str);
    let entity: EntityKey = key
        .unwrap_or_default()
        .parse()
        .map_err(|invalid: InvalidKey| envelope.malformed("/detail/entity", invalid.to_string()))?;
    if !keeps(entity.entity_type()) {
        if !named {
            return Ok(None);
        }
        let reason = "expected an entity of a type that this vendor keeps, found another type".to_owned();
        return Err(envelope.malformed("/detail/entity", reason));
    }
    let trace = TraceParent::of_detail(&envelope.detail);
    Ok(Some(Notification {
        event_id: envelope.delivery_id(),
        detail_type: envelope.detail_type,
        time: envelope.time,
        entity,
        version: None,
        carried: None,
        is_forced,
        trace,
    }))
}

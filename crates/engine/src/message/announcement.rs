//! How an event type announces an entity: data, so that one more event type needs no code.

use serde_json::Value;

use super::{EntityKey, Envelope, Malformed, Notification, Version};

/// Says where in an event's detail the entity's id and version stand.
#[derive(Debug, Clone)]
pub struct Announcement {
    detail_type: String,
    source: Option<String>,
    id: String,
    version: Option<String>,
}

impl Announcement {
    /// Events of this detail type, whose entity id stands at `id`: a JSON Pointer into the detail.
    #[must_use]
    pub fn new(detail_type: &str, id: &str) -> Self {
        Self {
            detail_type: detail_type.to_owned(),
            source: None,
            id: id.to_owned(),
            version: None,
        }
    }

    /// Only events of this EventBridge source. Without it the rule alone decides.
    #[must_use]
    pub fn from_source(mut self, source: &str) -> Self {
        self.source = Some(source.to_owned());
        self
    }

    /// Where the announced version stands: a JSON Pointer into the detail. Versions of an id must only go up.
    #[must_use]
    pub fn version(mut self, pointer: &str) -> Self {
        self.version = Some(pointer.to_owned());
        self
    }

    /// The detail type that is listened for.
    #[must_use]
    pub fn detail_type(&self) -> &str {
        &self.detail_type
    }

    pub(super) fn matches(&self, envelope: &Envelope) -> bool {
        envelope.detail_type == self.detail_type
            && self
                .source
                .as_ref()
                .is_none_or(|source| *source == envelope.source)
    }

    pub(super) fn read(&self, entity_type: &str, envelope: Envelope) -> Result<Notification, Malformed> {
        let pointer = format!("/detail{}", self.id);
        let id = match envelope.detail.pointer(&self.id) {
            Some(Value::String(id)) => id.clone(),
            // A fraction, or more digits than a float keeps, would fall together with other ids.
            Some(Value::Number(id)) if id.is_u64() || id.is_i64() => id.to_string(),
            None | Some(Value::Null) => {
                return Err(envelope.malformed(&pointer, "expected an entity id, found none".to_owned()));
            }
            Some(_) => {
                let reason = "expected an entity id as text or whole number, found another type".to_owned();
                return Err(envelope.malformed(&pointer, reason));
            }
        };
        let entity = EntityKey::new(entity_type, &id)
            .map_err(|invalid| envelope.malformed(&pointer, invalid.to_string()))?;
        let version = self
            .version
            .as_ref()
            .and_then(|at| envelope.detail.pointer(at))
            .and_then(Version::from_json);
        Ok(Notification {
            event_id: envelope.delivery_id(),
            detail_type: envelope.detail_type,
            time: envelope.time,
            entity,
            version,
            carried: None,
            is_forced: false,
        })
    }
}

//! The EventBridge envelope.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{EntityKey, Excluded, Malformed};

/// Longest event id, in bytes. EventBridge's are UUIDs of 36; a direct producer may choose its own.
pub const MAX_EVENT_ID_BYTES: usize = 128;

/// An event as EventBridge delivers it
/// (<https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html>).
#[derive(Debug, Clone, Deserialize)]
pub struct Envelope {
    /// Unique per event.
    pub id: String,
    /// What kind of event it is.
    #[serde(rename = "detail-type")]
    pub detail_type: String,
    /// Who sent it.
    pub source: String,
    /// When it was sent; whole seconds.
    pub time: Timestamp,
    /// The sender's own part.
    pub detail: Value,
    /// Set when an archive is replayed.
    #[serde(rename = "replay-name", default)]
    pub replay_name: Option<String>,
}

impl Envelope {
    /// Reads a message body as an envelope.
    ///
    /// # Errors
    /// [`Malformed`] that says where the body departs from an envelope.
    pub fn parse(body: &str) -> Result<Self, Malformed> {
        let mut json = serde_json::Deserializer::from_str(body);
        let mut envelope: Self = serde_path_to_error::deserialize(&mut json).map_err(|error| {
            let expected = match error.inner().classify() {
                serde_json::error::Category::Data => "expected an EventBridge envelope",
                _ => "expected JSON",
            };
            let place = error.inner();
            let field = missing_field(body);
            Malformed {
                reason: match field {
                    Some(field) => format!("{expected}, found no usable `{field}`"),
                    None => format!(
                        "{expected}, found an error at line {} column {}",
                        place.line(),
                        place.column()
                    ),
                },
                pointer: field.map(|field| format!("/{field}")),
                event_id: None,
                time: None,
                detail_type: None,
            }
        })?;
        json.end().map_err(|error| {
            envelope.malformed(
                "",
                format!("expected one JSON value, found more at column {}", error.column()),
            )
        })?;
        if envelope.id.is_empty() || envelope.id.len() > MAX_EVENT_ID_BYTES {
            let found = envelope.id.len();
            envelope.id.clear();
            return Err(envelope.malformed(
                "/id",
                format!("expected an event id of 1 to {MAX_EVENT_ID_BYTES} bytes, found {found} bytes"),
            ));
        }
        Ok(envelope)
    }

    /// An id that tells a replayed event from its first delivery.
    #[must_use]
    pub fn delivery_id(&self) -> String {
        match &self.replay_name {
            Some(replay) => format!("{}~{}", self.id, crate::lane::short_hash(replay)),
            None => self.id.clone(),
        }
    }

    pub(super) fn excluded(&self, entity: Option<EntityKey>, rule: String) -> Excluded {
        Excluded {
            event_id: self.delivery_id(),
            detail_type: self.detail_type.clone(),
            time: self.time,
            entity,
            rule,
        }
    }

    /// What rules on events look at.
    pub(super) fn in_rules(&self) -> Value {
        json!({"source": self.source, "detail-type": self.detail_type, "detail": self.detail})
    }

    pub(super) fn malformed(&self, pointer: &str, reason: String) -> Malformed {
        Malformed {
            reason,
            pointer: (!pointer.is_empty()).then(|| pointer.to_owned()),
            event_id: (!self.id.is_empty()).then(|| self.delivery_id()),
            time: Some(self.time),
            detail_type: Some(self.detail_type.clone()),
        }
    }
}

/// Names the first envelope field that is absent or of the wrong type. Never quotes the body.
fn missing_field(body: &str) -> Option<&'static str> {
    let value: Value = serde_json::from_str(body).ok()?;
    let text = |field: &str| value.get(field).is_some_and(Value::is_string);
    let has_time = value
        .get("time")
        .and_then(Value::as_str)
        .is_some_and(|time| time.parse::<Timestamp>().is_ok());
    if !text("id") {
        Some("id")
    } else if !text("detail-type") {
        Some("detail-type")
    } else if !text("source") {
        Some("source")
    } else if !has_time {
        Some("time")
    } else if value.get("detail").is_none() {
        Some("detail")
    } else {
        None
    }
}

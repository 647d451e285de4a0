//! What a change of a table is announced as.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::record::Record;
use super::settings::Stream;

/// One event for the bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Events of the same key are published in order.
    pub key: String,
    /// The EventBridge source.
    pub source: String,
    /// The detail type.
    pub detail_type: String,
    /// The detail: a JSON object.
    pub detail: String,
    /// When it happened; without it the bus takes the time at which it is put.
    pub time: Option<Timestamp>,
}

impl Event {
    /// What counts against the limit of a request
    /// (<https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevent-size.html>).
    pub(super) fn size(&self) -> usize {
        const TIME: usize = 14;
        let time = self.time.map_or(0, |_| TIME);
        time + self.source.len() + self.detail_type.len() + self.detail.len()
    }
}

impl Stream {
    /// The event for a change: which item, what happened, and when. What the item holds stays in the table: whoever needs it
    /// reads it there, as it is by then.
    pub(super) fn announce(&self, record: &Record) -> Result<Option<Event>, String> {
        if record.is_expiry && self.ignore_ttl_deletes {
            return Ok(None);
        }
        let keys = record.plain_keys()?;
        let key = format!("{}\n{}", record.table, Value::Object(keys.clone()));
        let mut detail = json!({ "change": record.change, "sequence": record.sequence });
        if let Some(id) = &self.id {
            detail["id"] = id.fill(&keys)?.into();
        }
        if let Some(at) = record.at {
            detail["at"] = at.to_string().into();
        }
        detail["keys"] = Value::Object(keys);
        Ok(Some(Event {
            key,
            source: self.source.clone(),
            detail_type: self.detail_type.clone(),
            detail: detail.to_string(),
            time: record.at,
        }))
    }
}

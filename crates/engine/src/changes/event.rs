//! What a change of a table is announced as.

use serde_json::{Value, json};

use super::record::Record;
use super::settings::Stream;
use crate::bus::Event;

impl Stream {
    /// The event for a change: which item, what happened, and when. What the item holds stays in the table: whoever needs it
    /// reads it there, as it is by then.
    pub(super) fn announce(&self, record: &Record) -> Result<Option<Event>, String> {
        if record.is_expiry && self.ignore_ttl_deletes {
            return Ok(None);
        }
        let keys = record.plain_keys()?;
        let key = format!("{}\n{}", record.table, Value::Object(keys.clone()));
        let mut detail = json!({ "change": record.change, "sequence": version(&record.sequence) });
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

/// A sequence number as a version: numbers are compared, so they have no leading zeros.
fn version(sequence: &str) -> &str {
    match sequence.trim_start_matches('0') {
        "" => "0",
        digits => digits,
    }
}

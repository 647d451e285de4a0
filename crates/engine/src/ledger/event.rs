//! The event record: what became of one event at one vendor.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Effect, ErrorRecord, StepRecord};
use crate::Version;
use crate::message::TraceParent;

/// What became of an event, and where an entity stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Status {
    /// The vendor holds the source's state.
    Synced,
    /// The source no longer has the entity; neither has the vendor.
    Deleted,
    /// What would be pushed is what the vendor already holds.
    Unchanged,
    /// An earlier read of the source already saw this change.
    Covered,
    /// Another event of the same entity does the work.
    Coalesced,
    /// A rule of ours keeps it from the vendor.
    Excluded,
    /// A retry waits.
    Parked,
    /// It cannot succeed until the data changes.
    Rejected,
    /// Retries are used up.
    Dead,
}

impl Status {
    /// The name in the ledger, in logs and on screen.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Synced => "SYNCED",
            Self::Deleted => "DELETED",
            Self::Unchanged => "UNCHANGED",
            Self::Covered => "COVERED",
            Self::Coalesced => "COALESCED",
            Self::Excluded => "EXCLUDED",
            Self::Parked => "PARKED",
            Self::Rejected => "REJECTED",
            Self::Dead => "DEAD",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// One event at one vendor. A later outcome of the same event replaces an earlier one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventRecord {
    /// The vendor's name.
    pub vendor: String,
    /// The entity key, or `-` where the message named none.
    pub entity: String,
    /// The event's id; the message's id where there is none.
    pub event_id: String,
    /// The event's detail type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail_type: Option<String>,
    /// What became of it.
    pub status: Status,
    /// When the event was sent, or received where it does not say.
    pub event_time: Timestamp,
    /// When the outcome was settled.
    pub settled_at: Timestamp,
    /// The queue's id of the message.
    pub message_id: String,
    /// Which try this was, from 1; absent where none was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// The event that does this one's work; for a covered one, the latest that was settled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by_event: Option<String>,
    /// The rule that keeps it from the vendor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The vendor's id for the entity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// By what the vendor acknowledged the push, such as the id of a task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<String>,
    /// The source's version: the one that was read, or announced where nothing was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
    /// Milliseconds spent asking the source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_ms: Option<u64>,
    /// Milliseconds spent calling the vendor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vendor_ms: Option<u64>,
    /// When the waiting retry is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wake_at: Option<Timestamp>,
    /// What failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorRecord>,
    /// The steps of the plan that are completed, in their order, those of earlier tries included as far as the last one went
    /// through the plan again: one that the vendor's circuit stopped tells none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StepReport>,
    /// After a failure the steps of the plan that are not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_done: Vec<String>,
    /// Less is known of the event than when it was settled: written only where the stored record, if there is one, has another
    /// status.
    #[serde(skip)]
    pub is_second_hand: bool,
    /// The trace that the event belongs to, as `traceparent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<TraceParent>,
    /// The function's request id.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub request_id: String,
}

/// A completed step, for those who ask what was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepReport {
    /// Its name.
    pub name: String,
    /// The vendor's id that it answered, if it answered one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// When it was completed.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "jiff::fmt::serde::timestamp::millisecond::optional"
    )]
    pub at: Option<Timestamp>,
    /// How long it took, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took_ms: Option<u64>,
}

impl From<&StepRecord> for StepReport {
    fn from(step: &StepRecord) -> Self {
        Self {
            name: step.name.clone(),
            id: id(&step.output),
            at: step.at,
            took_ms: step.took_ms,
        }
    }
}

impl From<&Effect> for StepReport {
    fn from(effect: &Effect) -> Self {
        Self {
            name: effect.name.clone(),
            id: id(&effect.output),
            at: effect.at,
            took_ms: effect.took_ms,
        }
    }
}

fn id(output: &serde_json::Value) -> Option<String> {
    match output {
        serde_json::Value::String(id) => Some(id.clone()),
        serde_json::Value::Number(id) => Some(id.to_string()),
        _ => None,
    }
}

/// Stands for the entity of a message that names none.
pub(crate) const NO_ENTITY: &str = "-";

impl EventRecord {
    /// The record of an event of which no more is known than this; `message_id` is the queue's.
    #[must_use]
    pub fn new(
        vendor: &str,
        entity: &str,
        event_id: &str,
        status: Status,
        event_time: Timestamp,
        settled_at: Timestamp,
        message_id: &str,
    ) -> Self {
        Self {
            vendor: vendor.to_owned(),
            entity: entity.to_owned(),
            event_id: event_id.to_owned(),
            detail_type: None,
            status,
            event_time,
            settled_at,
            message_id: message_id.to_owned(),
            attempt: None,
            by_event: None,
            rule: None,
            link: None,
            receipt: None,
            version: None,
            source_ms: None,
            vendor_ms: None,
            wake_at: None,
            error: None,
            steps: Vec::new(),
            not_done: Vec::new(),
            is_second_hand: false,
            trace: None,
            request_id: String::new(),
        }
    }

    /// `<entity key>#<time>#<event id>`: the sort key.
    #[must_use]
    pub fn sort_key(&self) -> String {
        format!(
            "{}#{}#{}",
            self.entity,
            super::sort_time(self.event_time),
            self.event_id
        )
    }

    /// The partition key.
    #[must_use]
    pub fn partition_key(&self) -> String {
        let spread_by = if self.entity == NO_ENTITY {
            &self.message_id
        } else {
            &self.entity
        };
        let shard = super::key::shard(spread_by, super::EVENT_SHARDS);
        super::event_pk(&self.vendor, &super::hour(self.event_time), shard)
    }
}

//! The entity record: where an entity stands at a vendor. A small state machine guarded by its revision.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Effect, ErrorRecord, Reservation, Sent, Status, Steps, Tried};
use crate::message::{Carried, TraceParent};
use crate::{EntityKey, ErrorKind, Version};

/// How many of the latest outcomes an entity record keeps.
const RECENT: usize = 3;

/// One entity at one vendor. Under 1 KB, one write unit, unless ids or a vendor's words are long.
///
/// Every settle raises `revision` by one and is conditional on the one before. The duplicate window that is left:
/// a function that dies between the vendor's answer and the settle. The message is then delivered again, and a
/// redelivery is always read and pushed again; what a repeat could not mend is written ahead
/// (docs/adr/0007-written-ahead.md).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntityRecord {
    /// The vendor's name.
    pub vendor: String,
    /// The entity.
    pub entity: EntityKey,
    /// The outcome that holds.
    pub status: Status,
    /// Counts the settles.
    pub revision: u64,
    /// The vendor's id for the entity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// Ids under which pushes of unknown outcome may have left something at the vendor.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub maybe_links: Vec<String>,
    /// The canonical hash of what was last pushed; absent when the vendor holds nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pushed_hash: Option<String>,
    /// What is kept of what was last pushed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<Sent>,
    /// The record's revision when what was last pushed was tried first; part of its idempotency key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pushed_revision: Option<u64>,
    /// Which delivery of which message settled the last push: a short hash. The very next delivery of the same message
    /// repeats that push.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pushed_by: Option<String>,
    /// The source's version of what was last pushed, or tried at the vendor: a part of that may stand there. Of carried
    /// states the newest that was worked on, whatever came of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pushed_version: Option<Version>,
    /// Where events carry the state: the version that was last brought to the vendor with success.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub synced_version: Option<Version>,
    /// The start of the last read of the source whose result stands at the vendor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_at: Option<Timestamp>,
    /// When the status was set.
    pub settled_at: Timestamp,
    /// Failed tries since the last success. What waited for another entity, or was not tried, did not fail.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub attempts: u32,
    /// What the vendor holds is uncertain: the next sync takes no shortcut.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unsure: bool,
    /// The push that was tried last and is not settled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tried: Option<Tried>,
    /// A create that may have happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reservation: Option<Reservation>,
    /// How far an ordered plan has got.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps: Option<Steps>,
    /// Calls that happened, or may have, and must not happen again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub effects: Vec<Effect>,
    /// The parts of its state that certainly stand at the vendor, each with a hash of what was brought there.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parts: BTreeMap<String, String>,
    /// The forced sync, a hash of its event's id, for which the record forgot what was brought: its message may come again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubted_for: Option<String>,
    /// The rule that keeps the entity from the vendor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The waiting retry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parked: Option<Parked>,
    /// Why the entity is rejected or dead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorRecord>,
    /// The outcome of a woken event whose own record may not be written yet: only the wake, in the lane, would write it, and
    /// the event's message is long gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owed: Option<Recent>,
    /// The latest outcomes, newest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recent: Vec<Recent>,
}

/// A retry that waits in the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parked {
    /// Not before this time.
    pub wake_at: Timestamp,
    /// When the first try failed.
    pub since: Timestamp,
    /// The id of the event that waits.
    pub event_id: String,
    /// The time of the event that waits.
    pub event_time: Timestamp,
    /// The detail type of the event that waits.
    pub detail_type: String,
    /// The trace that the event which waits belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<TraceParent>,
    /// The newest version announced so far; the retry must read at least this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
    /// Since when the source has been lagging.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lagging_since: Option<Timestamp>,
    /// Since when the source has denied the entity, of which there was no event since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denied_since: Option<Timestamp>,
    /// The newest state that came with an event: its message is gone. Without it the source is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carried: Option<Carried>,
    /// The source is asked although a state was carried, which is what is left if the source refuses to answer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub asks: bool,
    /// Why it waits.
    pub error: ErrorRecord,
}

/// One of the latest outcomes of an entity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recent {
    /// The event.
    pub event_id: String,
    /// When it was sent. A number in the ledger, as `at` is: three of these must leave room in one write unit.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub time: Timestamp,
    /// What became of it.
    pub status: Status,
    /// When.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub at: Timestamp,
}

impl EntityRecord {
    /// The record of an entity that the ledger does not know yet; its first settle creates it.
    #[must_use]
    pub fn unknown(vendor: &str, entity: EntityKey) -> Self {
        Self {
            vendor: vendor.to_owned(),
            entity,
            status: Status::Deleted,
            revision: 0,
            link: None,
            maybe_links: Vec::new(),
            pushed_hash: None,
            sent: None,
            pushed_revision: None,
            pushed_by: None,
            pushed_version: None,
            synced_version: None,
            read_at: None,
            settled_at: Timestamp::UNIX_EPOCH,
            attempts: 0,
            unsure: false,
            tried: None,
            reservation: None,
            steps: None,
            effects: Vec::new(),
            parts: BTreeMap::new(),
            doubted_for: None,
            rule: None,
            parked: None,
            error: None,
            owed: None,
            recent: Vec::new(),
        }
    }

    /// The next revision of this record with the outcome of an event.
    #[must_use]
    pub fn next(&self, status: Status, event_id: &str, time: Timestamp, now: Timestamp) -> Self {
        let mut next = self.clone();
        next.revision += 1;
        next.status = status;
        next.settled_at = now;
        next.recent.retain(|recent| recent.event_id != event_id);
        next.recent.push(Recent {
            event_id: event_id.to_owned(),
            time,
            status,
            at: now,
        });
        let excess = next.recent.len().saturating_sub(RECENT);
        next.recent.drain(..excess);
        next
    }

    /// Somebody forces a sync by this event: nothing of what was brought before is believed any more, but what may happen only
    /// once. Parts are brought again, and a plan in progress begins anew. What is brought from then on is believed, also when
    /// the event is delivered again: else a plan that takes longer than a process lives would never end.
    pub(crate) fn doubt(&mut self, event_id: &str) {
        let mut mark = crate::lane::short_hash(event_id);
        mark.truncate(8);
        if self.doubted_for.as_ref() == Some(&mark) {
            return;
        }
        self.doubted_for = Some(mark);
        self.parts.clear();
        if let Some(steps) = self.steps.as_mut().filter(|steps| steps.undoing.is_none()) {
            *steps = steps.replan(&steps.plan);
        }
    }

    /// The outcome of this event, if it is among the latest that the record keeps.
    #[must_use]
    pub fn remembered(&self, event_id: &str) -> Option<&Recent> {
        self.recent.iter().find(|recent| recent.event_id == event_id)
    }

    /// Whether anything was ever done, or tried, for the entity at the vendor.
    #[must_use]
    pub fn may_stand(&self) -> bool {
        self.link.is_some()
            || self.pushed_hash.is_some()
            || self.tried.is_some()
            || self.reservation.is_some()
            || self.steps.is_some()
            || !self.maybe_links.is_empty()
            || !self.effects.is_empty()
    }

    /// Whether what is recorded as pushed is certainly what the vendor holds.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        !self.unsure && self.parked.is_none() && self.error.is_none()
    }
}

impl Parked {
    /// Whether the entity waits for a failure of its own, not because the vendor may not be called.
    #[must_use]
    pub fn fails_alone(&self) -> bool {
        !matches!(self.error.kind, ErrorKind::Paused | ErrorKind::CircuitOpen)
    }

    /// Since when the entity has failed. The time in which the vendor was not called does not count.
    #[must_use]
    pub fn waiting_since(&self, record: &EntityRecord, now: Timestamp) -> Timestamp {
        if self.fails_alone() {
            return self.since;
        }
        let waited = now.duration_since(record.settled_at);
        self.since.saturating_add(waited).unwrap_or(now).min(now)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_latest_outcomes_once_each() {
        let now: Timestamp = "2026-01-29T14:36:26Z".parse().unwrap();
        let mut record = EntityRecord::unknown("mailchimp", EntityKey::new("customer", "1").unwrap());
        for event in ["a", "b", "c", "d", "e", "f", "b"] {
            record = record.next(Status::Synced, event, now, now);
        }
        let events: Vec<_> = record
            .recent
            .iter()
            .map(|recent| recent.event_id.as_str())
            .collect();
        assert_eq!(events, ["e", "f", "b"]);
        assert_eq!(record.revision, 7);
    }
}

//! What became of the latest events, and what needs attention.

use std::collections::BTreeMap;
use std::fmt::Write;

use comfy_table::{CellAlignment, ContentArrangement};
use futures::future::{try_join, try_join_all};
use jiff::{Timestamp, ToSpan};
use serde::Serialize;
use vendorbridge::Error;
use vendorbridge::ledger::{AttentionKind, EntityRecord, EventRecord, Reader, Status, hour};

use super::failure::Failure;
use crate::output;

/// Entities listed per vendor.
const MAX_ATTENTION: usize = 50;
/// Hours read side by side per vendor, a few queries each.
const HOURS_AT_ONCE: usize = 6;
/// What the ledger names as the entity of an event that names none.
const NO_ENTITY: &str = "-";

const STATUSES: [Status; 8] = [
    Status::Synced,
    Status::Deleted,
    Status::Unchanged,
    Status::Covered,
    Status::Coalesced,
    Status::Parked,
    Status::Rejected,
    Status::Dead,
];

/// What `status --json` prints:
///
/// ```json
/// {"stack": "vendorbridge", "since": "2026-01-29T13:36:26Z", "until": "2026-01-29T14:36:26Z",
///  "vendors": [{"vendor": "mailchimp", "total": 3,
///    "events": {"SYNCED": 2, "DELETED": 0, "UNCHANGED": 0, "COVERED": 0, "COALESCED": 0, "PARKED": 0,
///      "REJECTED": 1, "DEAD": 0},
///    "attention": [{"entity": "customer/c-4714", "event_id": null, "status": "REJECTED", "since": "…",
///      "wake_at": null, "attempts": 1, "error": {"stage": "map", "field": "/email", "code": null,
///      "reason": "…", "kind": "invalid", "verdict": "permanent"}}],
///    "attention_not_shown": 0}]}
/// ```
///
/// Every field is always there; what does not apply is null. `events` counts by the events' own times. `attention` lists what stands now, however old:
/// dead, rejected, then parked entities, at most 50; behind the rejected ones, events of the same time that name no
/// entity (`entity` null, `event_id` set).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Overview {
    stack: String,
    since: Timestamp,
    until: Timestamp,
    vendors: Vec<AtVendor>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct AtVendor {
    vendor: String,
    total: u64,
    events: BTreeMap<Status, u64>,
    attention: Vec<Attention>,
    attention_not_shown: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Attention {
    entity: Option<String>,
    event_id: Option<String>,
    status: Status,
    since: Timestamp,
    wake_at: Option<Timestamp>,
    attempts: Option<u32>,
    error: Option<Failure>,
}

impl Overview {
    /// Reads the events of the `hours` before `now`, and what needs attention, of each vendor.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn read(
        reader: &Reader,
        stack: &str,
        vendors: &[&str],
        now: Timestamp,
        hours: u8,
    ) -> Result<Self, Error> {
        let since = now.saturating_sub(i64::from(hours).hours()).unwrap_or(now);
        let vendors = vendors.iter().map(|vendor| async move {
            let (events, entities) =
                try_join(count(reader, vendor, since, hours), entities(reader, vendor)).await?;
            Ok::<_, Error>(AtVendor::of(vendor, events, entities))
        });
        Ok(Self {
            stack: stack.to_owned(),
            since,
            until: now,
            vendors: try_join_all(vendors).await?,
        })
    }

    /// The report for people, at most `width` columns wide.
    #[must_use]
    pub fn text(&self, width: u16) -> String {
        let mut header = vec!["vendor", "events"];
        header.extend(STATUSES.map(Status::name));
        let mut counts = output::table(&header, width);
        counts.set_content_arrangement(ContentArrangement::Disabled); // numbers do not wrap
        for column in counts.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        counts.add_rows(self.vendors.iter().map(AtVendor::counts));
        let mut text = format!(
            "Events of {} from {} to {}\n{}",
            self.stack,
            output::time(self.since),
            output::time(self.until),
            output::lines(&counts)
        );
        if self.vendors.iter().all(|vendor| vendor.attention.is_empty()) {
            text.push_str("\nNothing needs attention\n");
            return text;
        }
        let header = [
            "vendor",
            "entity",
            "status",
            "since (UTC)",
            "attempts",
            "stage, field",
            "code",
            "reason",
        ];
        let mut table = output::table(&header, width);
        for vendor in &self.vendors {
            table.add_rows(vendor.attention.iter().map(|row| row.cells(&vendor.vendor)));
        }
        _ = write!(text, "\nNeeds attention\n{}", output::lines(&table));
        for vendor in self
            .vendors
            .iter()
            .filter(|vendor| vendor.attention_not_shown > 0)
        {
            _ = writeln!(
                text,
                "{}: {} more not shown",
                vendor.vendor, vendor.attention_not_shown
            );
        }
        text
    }
}

/// The events of a time: how many of each status, and those that failed without naming an entity.
#[derive(Debug, Default)]
struct Events {
    counts: BTreeMap<Status, u64>,
    nameless: Vec<EventRecord>,
}

impl Events {
    fn add(&mut self, event: EventRecord) {
        *self.counts.entry(event.status).or_default() += 1;
        if event.entity == NO_ENTITY && matches!(event.status, Status::Rejected | Status::Dead) {
            self.nameless.push(event);
        }
    }
}

async fn count(reader: &Reader, vendor: &str, since: Timestamp, hours: u8) -> Result<Events, Error> {
    // One more than the hours asked for: the first one is cut.
    let hours: Vec<_> = (0..=i64::from(hours))
        .filter_map(|after| since.saturating_add(after.hours()).ok())
        .map(hour)
        .collect();
    let mut events = Events::default();
    for some in hours.chunks(HOURS_AT_ONCE) {
        let read = try_join_all(some.iter().map(|hour| reader.events_of_hour(vendor, hour))).await?;
        for event in read
            .into_iter()
            .flatten()
            .filter(|event| event.event_time >= since)
        {
            events.add(event);
        }
    }
    Ok(events)
}

/// The entities to list, and how many more there are of each kind.
async fn entities(reader: &Reader, vendor: &str) -> Result<Vec<(Vec<EntityRecord>, usize)>, Error> {
    let kinds = [AttentionKind::Dead, AttentionKind::Rejected, AttentionKind::Wake];
    let counts = try_join_all(kinds.map(|kind| reader.attention_count(vendor, kind))).await?;
    let mut entities = Vec::with_capacity(kinds.len());
    let mut room = MAX_ATTENTION;
    for (kind, count) in kinds.into_iter().zip(counts) {
        let limit = count.min(room);
        let records = match limit {
            0 => Vec::new(),
            limit => reader.attention(vendor, kind, limit).await?,
        };
        room -= limit;
        entities.push((records, count - limit));
    }
    Ok(entities)
}

impl AtVendor {
    fn of(vendor: &str, mut events: Events, entities: Vec<(Vec<EntityRecord>, usize)>) -> Self {
        let mut attention = Vec::new();
        let mut not_shown = 0;
        let mut nameless: Vec<_> = events.nameless.drain(..).rev().map(Attention::from).collect();
        for (records, more) in entities {
            let parked = records
                .first()
                .is_some_and(|record| record.status == Status::Parked);
            if parked {
                attention.append(&mut nameless);
            }
            attention.extend(records.into_iter().map(Attention::from));
            not_shown += more;
        }
        attention.append(&mut nameless);
        not_shown += attention.len().saturating_sub(MAX_ATTENTION);
        attention.truncate(MAX_ATTENTION);
        let counts = STATUSES.map(|status| (status, events.counts.get(&status).copied().unwrap_or(0)));
        Self {
            vendor: vendor.to_owned(),
            total: counts.iter().map(|(_, count)| count).sum(),
            events: counts.into(),
            attention,
            attention_not_shown: not_shown,
        }
    }

    fn counts(&self) -> Vec<String> {
        let mut cells = vec![self.vendor.clone(), self.total.to_string()];
        cells.extend(self.events.values().map(u64::to_string));
        cells
    }
}

impl Attention {
    /// Cells of several short lines: the reason needs the width.
    fn cells(&self, vendor: &str) -> [String; 8] {
        let status = match self.wake_at {
            Some(wake_at) => format!("{} until\n{}", self.status, lines_of_time(wake_at)),
            None => self.status.name().to_owned(),
        };
        let error = self.error.as_ref();
        let place = match error {
            Some(Failure {
                stage,
                field: Some(field),
                ..
            }) => format!("{stage}\n{field}"),
            Some(Failure { stage, .. }) => (*stage).to_owned(),
            None => "-".to_owned(),
        };
        let reason = output::or_dash(error.map(|error| error.reason.as_str()));
        [
            vendor.to_owned(),
            self.entity.clone().unwrap_or_else(|| "none".to_owned()),
            status,
            lines_of_time(self.since),
            self.attempts
                .map_or("-".to_owned(), |attempts| attempts.to_string()),
            place,
            output::or_dash(error.and_then(|error| error.code.as_deref())).to_owned(),
            match &self.event_id {
                Some(event) => format!("{reason} (event {event})"),
                None => reason.to_owned(),
            },
        ]
    }
}

/// UTC, whole minutes, the date above the time.
fn lines_of_time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d\n%H:%M").to_string()
}

impl From<EntityRecord> for Attention {
    fn from(record: EntityRecord) -> Self {
        let (since, wake_at, parked) = match record.parked {
            Some(parked) => (parked.since, Some(parked.wake_at), Some(parked.error)),
            None => (record.settled_at, None, None),
        };
        Self {
            entity: Some(record.entity.into()),
            event_id: None,
            status: record.status,
            since,
            wake_at,
            attempts: Some(record.attempts),
            error: record.error.or(parked).map(Failure::from),
        }
    }
}

impl From<EventRecord> for Attention {
    fn from(event: EventRecord) -> Self {
        Self {
            entity: None,
            event_id: Some(event.event_id),
            status: event.status,
            since: event.settled_at,
            wake_at: None,
            attempts: event.attempt,
            error: event.error.map(Failure::from),
        }
    }
}

#[cfg(test)]
mod tests;

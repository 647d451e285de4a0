//! What became of the latest events, and what needs attention.

mod attention;

use std::collections::BTreeMap;
use std::fmt::Write;

use comfy_table::{CellAlignment, ContentArrangement};
use futures::future::{try_join_all, try_join3};
use jiff::{Timestamp, ToSpan};
use serde::Serialize;
use vendorbridge::Error;
use vendorbridge::ledger::{
    AttentionKind, EntityRecord, EventRecord, Reader, Status, Unreadable, VendorRecord, hour,
};

use crate::output;
use crate::report::STATUSES;
use crate::vendor::Standing;
use attention::Attention;

/// Entities listed per vendor.
const MAX_ATTENTION: usize = 50;
/// Hours read side by side per vendor, a few queries each.
const HOURS_AT_ONCE: usize = 6;
/// What the ledger names as the entity of an event that names none.
const NO_ENTITY: &str = "-";

/// What `status --json` prints:
///
/// ```json
/// {"stack": "vendorbridge", "since": "2026-01-29T13:36:26Z", "until": "2026-01-29T14:36:26Z",
///  "vendors": [{"vendor": "mailchimp", "state": "running", "pause": null, "circuit": null, "total": 3,
///    "events": {"SYNCED": 2, "DELETED": 0, "UNCHANGED": 0, "COVERED": 0, "EXCLUDED": 0, "COALESCED": 0,
///      "PARKED": 0, "REJECTED": 1, "DEAD": 0},
///    "attention": [{"entity": "customer/c-4714", "event_id": null, "status": "REJECTED", "since": "…",
///      "wake_at": null, "attempts": 1, "error": {"stage": "map", "step": null, "field": "/email", "code": null,
///      "reason": "…", "kind": "invalid", "verdict": "permanent"}}],
///    "attention_not_shown": 0, "unreadable": {"count": 0, "keys": []}}]}
/// ```
///
/// Every field is always there; what does not apply is null. `state`, `pause` and `circuit` are those of `vendor show`. `events` counts by the events' own times. `attention` lists what stands now, however old:
/// dead, rejected, then parked entities, at most 50; behind the rejected ones, events of the same time that name no
/// entity (`entity` null, `event_id` set). `unreadable` are event records that cannot be read and may be of the time,
/// the first ten named by their sort keys.
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
    #[serde(flatten)]
    standing: Standing,
    total: u64,
    events: BTreeMap<Status, u64>,
    attention: Vec<Attention>,
    attention_not_shown: usize,
    unreadable: Unreadable,
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
            let events = count(reader, vendor, since, hours);
            let entities = entities(reader, vendor);
            let (events, entities, record) = try_join3(events, entities, reader.vendor(vendor)).await?;
            let record = record.unwrap_or_else(|| VendorRecord::new(vendor));
            Ok::<_, Error>(AtVendor::of(Standing::of(&record, now), vendor, events, entities))
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
        for vendor in self.vendors.iter().filter(|vendor| vendor.unreadable.count > 0) {
            _ = write!(
                text,
                "{}: {}",
                vendor.vendor,
                output::unreadable(&vendor.unreadable)
            );
        }
        let shut: Vec<_> = self
            .vendors
            .iter()
            .filter(|vendor| !vendor.standing.is_running())
            .collect();
        if !shut.is_empty() {
            text.push_str("\nNot called\n");
        }
        for vendor in &shut {
            _ = writeln!(text, "{}: {}", vendor.vendor, vendor.standing.words());
        }
        if self.vendors.iter().all(|vendor| vendor.attention.is_empty()) {
            if shut.is_empty() {
                text.push_str("\nNothing needs attention\n");
            }
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
    unreadable: Unreadable,
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
        let read = some
            .iter()
            .map(|hour| reader.events_within(vendor, hour, since, Timestamp::MAX));
        for some in try_join_all(read).await? {
            some.events.into_iter().for_each(|event| events.add(event));
            events.unreadable.merge(some.unreadable);
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
    fn of(
        standing: Standing,
        vendor: &str,
        mut events: Events,
        entities: Vec<(Vec<EntityRecord>, usize)>,
    ) -> Self {
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
            standing,
            total: counts.iter().map(|(_, count)| count).sum(),
            events: counts.into(),
            attention,
            attention_not_shown: not_shown,
            unreadable: events.unreadable,
        }
    }

    fn counts(&self) -> Vec<String> {
        let mut cells = vec![self.vendor.clone(), self.total.to_string()];
        let count = |status| self.events.get(&status).copied().unwrap_or(0).to_string();
        cells.extend(STATUSES.map(count));
        cells
    }
}

#[cfg(test)]
mod tests;

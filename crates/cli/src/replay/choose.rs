//! Finds the entities that were chosen: by the index of what needs attention, or by the hours of their events. Never by a scan.

use std::collections::BTreeSet;

use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use vendorbridge::EntityKey;
use vendorbridge::ledger::{AttentionKind, EventRecord, Reader, Unreadable};

use super::options::Filter;
use crate::CliError;
use crate::args::Global;
use crate::hours::Span;
use crate::progress::Progress;

/// Hours read side by side, a few queries each.
const HOURS_AT_ONCE: usize = 6;

/// The entities of a vendor that need attention for one of these reasons, and pass the filter.
pub(super) async fn attention(
    reader: &Reader,
    vendor: &str,
    kinds: &[AttentionKind],
    filter: &Filter,
) -> Result<BTreeSet<EntityKey>, CliError> {
    let mut found = BTreeSet::new();
    for kind in kinds {
        let records = reader.attention(vendor, *kind, usize::MAX).await;
        for record in records.map_err(CliError::unread)? {
            let parked = record.parked.as_ref().map(|parked| &parked.error);
            if filter.takes(record.status, record.error.as_ref().or(parked)) {
                found.insert(record.entity);
            }
        }
    }
    Ok(found)
}

/// The entities of a vendor's events between two times that pass the filter, and the records that cannot be read and may be of the time.
pub(super) async fn events(
    global: &Global,
    reader: &Reader,
    vendor: &str,
    (since, until): (Timestamp, Timestamp),
    filter: &Filter,
) -> Result<(BTreeSet<EntityKey>, Unreadable), CliError> {
    let span = Span::new(since, until).map_err(CliError::Usage)?;
    let mut hours = Progress::new(global.json, "hours", u64::try_from(span.hours().len()).ok());
    let reading = span.hours().into_iter().map(async |hour| {
        let events = reader.events_within(vendor, &hour, since, until).await;
        events.map_err(CliError::unread)
    });
    let chosen = |event: &EventRecord| filter.takes(event.status, event.error.as_ref());
    let mut reading = stream::iter(reading).buffered(HOURS_AT_ONCE);
    let (mut found, mut unreadable) = (BTreeSet::new(), Unreadable::default());
    while let Some(read) = reading.try_next().await? {
        // An event that names no entity has nothing to sync.
        let entities = read.events.iter().filter(|event| chosen(event));
        found.extend(entities.filter_map(|event| event.entity.parse::<EntityKey>().ok()));
        unreadable.merge(read.unreadable);
        hours.add(1);
    }
    hours.finish();
    Ok((found, unreadable))
}

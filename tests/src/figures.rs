//! Figures for the test's output.

use vendorbridge::ledger::EventRecord;

use crate::Published;

/// Milliseconds from PutEvents to the settled outcome, sorted.
#[must_use]
pub fn milliseconds(events: &[Published], records: &[EventRecord]) -> Vec<i64> {
    let took = |(event, record): (&Published, &EventRecord)| {
        i64::try_from(record.settled_at.duration_since(event.at).as_millis()).unwrap_or(i64::MAX)
    };
    let mut all: Vec<_> = events.iter().zip(records).map(took).collect();
    all.sort_unstable();
    all
}

/// The nearest-rank percentile of sorted values.
#[must_use]
pub fn percentile(sorted: &[i64], percent: usize) -> i64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or_default()
}

//! `vendorbridge report`: counts the events of a time. Reads page by page, never scans, and keeps counts only.

mod freshness;
mod table;

use std::collections::BTreeMap;
use std::io::Write;

use futures::{StreamExt, TryStreamExt};
use jiff::Timestamp;
use serde::Serialize;
use vendorbridge::Error;
use vendorbridge::clock::{Clock, SystemClock};
use vendorbridge::ledger::{Counted, EVENT_SHARDS, Reader, Status, Unreadable};

use crate::args::Global;
use crate::hours::{AT_ONCE, Span};
use crate::progress::Progress;
use crate::session::Session;
use crate::{CliError, Outcome, output, when};
use freshness::Freshness;

/// All statuses, in the order in which they are shown.
pub(crate) const STATUSES: [Status; 9] = [
    Status::Synced,
    Status::Deleted,
    Status::Unchanged,
    Status::Covered,
    Status::Excluded,
    Status::Coalesced,
    Status::Parked,
    Status::Rejected,
    Status::Dead,
];

/// The options of `report`.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Only this vendor
    #[arg(long)]
    pub vendor: Option<String>,
    /// How far to look back: a time, or a duration such as `24h` or `90d`
    #[arg(long, default_value = "24h", value_parser = when::ago, value_name = "TIME", allow_hyphen_values = true)]
    pub since: Timestamp,
    /// Where to end: a time, or a duration before now; now if not given
    #[arg(long, value_parser = when::ago, value_name = "TIME", allow_hyphen_values = true)]
    pub until: Option<Timestamp>,
    /// What makes a row
    #[arg(long, default_value = "vendor")]
    pub by: By,
    /// The form; `--json` is short for `--format json`
    #[arg(long, default_value = "table")]
    pub format: Format,
}

/// What makes a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// A row for each vendor
    Vendor,
    /// A row for each vendor and status
    Status,
    /// A row for each vendor and hour in which something happened
    Hour,
}

/// The form of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people
    Table,
    /// For spreadsheets, RFC 4180
    Csv,
    /// For programs
    Json,
}

/// What `report --json` prints:
///
/// ```json
/// {"stack": "vendorbridge", "since": "2026-01-28T14:00:00Z", "until": "2026-01-29T14:00:00Z", "by": "hour",
///  "rows": [{"vendor": "mailchimp", "status": null, "hour": "2026-01-29T13", "total": 3,
///    "events": {"SYNCED": 2, "DELETED": 0, "UNCHANGED": 0, "COVERED": 0, "EXCLUDED": 0, "COALESCED": 0, "PARKED": 0,
///      "REJECTED": 1, "DEAD": 0}, "freshness_p50_ms": 1184, "freshness_p99_ms": 2300}],
///  "unreadable": {"mailchimp": {"count": 0, "keys": []}}}
/// ```
///
/// Every field is always there; what does not apply is null. Events count by their own times, with their latest outcome.
/// Freshness is the time from the event to its outcome, of those that brought the vendor in step (`SYNCED`, `DELETED`,
/// `UNCHANGED`), up to 1.6 % too high. `unreadable` are each vendor's event records whose status or times cannot be read, of all hours
/// that have a part in the time: they count nowhere else, and the first ten are named by their sort keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The stack.
    pub stack: String,
    /// The start.
    pub since: Timestamp,
    /// The end.
    pub until: Timestamp,
    /// What makes a row.
    pub by: By,
    /// The rows, by vendor, then status or hour.
    pub rows: Vec<Row>,
    /// What counts in no row, by vendor.
    pub unreadable: BTreeMap<String, Unreadable>,
}

/// A row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The vendor.
    pub vendor: String,
    /// The status, by status.
    pub status: Option<Status>,
    /// The hour in UTC, by hour.
    pub hour: Option<String>,
    /// How many events.
    pub total: u64,
    /// How many of each status.
    pub events: BTreeMap<Status, u64>,
    /// Half of the events were in step within this.
    pub freshness_p50_ms: Option<u64>,
    /// All but one in a hundred were.
    pub freshness_p99_ms: Option<u64>,
}

/// What is counted of some events.
#[derive(Debug, Clone, Default)]
struct Counts {
    events: BTreeMap<Status, u64>,
    /// Apart by status, since a row may be one.
    freshness: BTreeMap<Status, Freshness>,
}

impl Report {
    /// Counts: four queries for each vendor and hour, some side by side. `progress` is told of each that is read.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn read(
        reader: &Reader,
        stack: &str,
        vendors: &[&str],
        span: Span,
        by: By,
        progress: &mut dyn FnMut(),
    ) -> Result<Self, Error> {
        let hours = span.hours();
        let parts = vendors.iter().flat_map(|vendor| {
            let of_hour = move |hour| (0..EVENT_SHARDS).map(move |shard| (*vendor, hour, shard));
            hours.iter().flat_map(of_hour)
        });
        let queries = parts.map(|(vendor, hour, shard)| async move {
            let mut counts = Counts::default();
            let each = |event: Counted| counts.add(event, span);
            let walked = reader.each_event(vendor, hour, shard, usize::MAX, each).await?;
            Ok::<_, Error>((vendor, hour, counts, walked.unreadable))
        });
        let mut answers = futures::stream::iter(queries).buffer_unordered(AT_ONCE);
        let mut counted: BTreeMap<(String, Option<String>), Counts> = BTreeMap::new();
        let none = |vendor: &&str| ((*vendor).to_owned(), Unreadable::default());
        let mut unreadable: BTreeMap<_, _> = vendors.iter().map(none).collect();
        while let Some((vendor, hour, counts, others)) = answers.try_next().await? {
            let hour = (by == By::Hour).then(|| hour.clone());
            counted
                .entry((vendor.to_owned(), hour))
                .or_default()
                .merge(counts);
            unreadable.entry(vendor.to_owned()).or_default().merge(others);
            progress();
        }
        drop(answers);
        let rows = counted.into_iter();
        Ok(Self {
            stack: stack.to_owned(),
            since: span.since,
            until: span.until,
            by,
            rows: rows
                .flat_map(|((vendor, hour), counts)| counts.rows(&vendor, hour.as_deref(), by))
                .collect(),
            unreadable,
        })
    }
}

impl Counts {
    fn add(&mut self, event: Counted, span: Span) {
        if !(span.since..span.until).contains(&event.event_time) {
            return;
        }
        *self.events.entry(event.status).or_default() += 1;
        if matches!(event.status, Status::Synced | Status::Deleted | Status::Unchanged) {
            // The sender's clock may be ahead.
            let took = event.settled_at.duration_since(event.event_time).as_millis();
            let took = u64::try_from(took).unwrap_or(0);
            self.freshness.entry(event.status).or_default().add(took);
        }
    }

    fn merge(&mut self, other: Self) {
        for (status, count) in other.events {
            *self.events.entry(status).or_default() += count;
        }
        for (status, freshness) in other.freshness {
            self.freshness.entry(status).or_default().merge(freshness);
        }
    }

    fn rows(self, vendor: &str, hour: Option<&str>, by: By) -> Vec<Row> {
        let row = |status: Option<Status>| {
            let of = |this: &Status| status.is_none_or(|wanted| *this == wanted);
            let count = |this: Status| (this, if of(&this) { self.count(this) } else { 0 });
            let events = BTreeMap::from(STATUSES.map(count));
            let mut fresh = Freshness::default();
            for (_, some) in self.freshness.iter().filter(|(this, _)| of(this)) {
                fresh.merge(some.clone());
            }
            Row {
                vendor: vendor.to_owned(),
                status,
                hour: hour.map(str::to_owned),
                total: events.values().sum(),
                events,
                freshness_p50_ms: fresh.percentile(50),
                freshness_p99_ms: fresh.percentile(99),
            }
        };
        match by {
            By::Hour if self.events.is_empty() => Vec::new(),
            By::Vendor | By::Hour => vec![row(None)],
            By::Status => self.events.keys().map(|status| row(Some(*status))).collect(),
        }
    }

    fn count(&self, status: Status) -> u64 {
        self.events.get(&status).copied().unwrap_or(0)
    }
}

/// Counts the events of a time.
///
/// # Errors
/// If the vendor is not deployed, the time span is none, or the stack or its ledger cannot be read.
pub async fn run(global: &Global, options: &Options) -> Result<Outcome, CliError> {
    let until = options.until.unwrap_or_else(|| SystemClock.now());
    let span = Span::new(options.since, until).map_err(CliError::Usage)?;
    let session = Session::open(global).await?;
    let vendors = session.deployment.chosen(options.vendor.as_deref())?;
    let queries = vendors.len() * span.hours().len() * usize::from(EVENT_SHARDS);
    let is_data = global.json || options.format != Format::Table;
    let mut bar = Progress::new(is_data, "queries", u64::try_from(queries).ok());
    let (reader, stack) = (session.reader(), &session.stack);
    let report = Report::read(&reader, stack, &vendors, span, options.by, &mut || bar.add(1)).await;
    bar.finish();
    let report = report.map_err(CliError::unread)?;
    match options.format {
        Format::Json => output::json(&report).map(Outcome::from),
        Format::Csv if !global.json => {
            // A spreadsheet has no place for it.
            _ = write!(std::io::stderr(), "{}", output::harmless(&report.left_out()));
            Ok(report.csv().into())
        }
        Format::Csv | Format::Table => output::answer(global, &report, Report::text),
    }
}

#[cfg(test)]
mod tests;

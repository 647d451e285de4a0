//! `vendorbridge timeline`: all events of an entity at a vendor.

mod entry;

use std::fmt::Write;

use futures::{StreamExt, TryStreamExt};
use jiff::Timestamp;
use serde::Serialize;
use vendorbridge::clock::{Clock, SystemClock};
use vendorbridge::ledger::{Reader, Unreadable};
use vendorbridge::{EntityKey, Error};

use crate::args::Global;
use crate::hours::{AT_ONCE, Span};
use crate::progress::Progress;
use crate::session::Session;
use crate::{CliError, Outcome, output, when};

pub use entry::Entry;

/// The options of `timeline`.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// The vendor's name
    pub vendor: String,
    /// The entity, such as `customer/c-4711`
    #[arg(value_name = "TYPE/ID")]
    pub entity: EntityKey,
    /// How far to look back: a time, or a duration such as `24h` or `90d`
    #[arg(long, default_value = "24h", value_parser = when::ago, value_name = "TIME", allow_hyphen_values = true)]
    pub since: Timestamp,
    /// Where to end: a time, or a duration before now; now if not given
    #[arg(long, value_parser = when::ago, value_name = "TIME", allow_hyphen_values = true)]
    pub until: Option<Timestamp>,
}

/// What `timeline --json` prints:
///
/// ```json
/// {"vendor": "mailchimp", "entity": "customer/c-4711", "since": "2026-01-28T14:00:00Z", "until": "2026-01-29T14:00:00Z",
///  "hours": 25, "events": [{"event_id": "…", "detail_type": "DeliveryPreferenceUpdated", "status": "SYNCED",
///    "event_time": "…", "settled_at": "…", "freshness_ms": 1184, "attempt": 1, "by_event": null, "rule": null,
///    "link": "…", "receipt": null, "version": "12", "source_ms": 41, "vendor_ms": 212, "wake_at": null, "error": null,
///    "steps": [{"name": "course", "id": "c-1", "at": "…", "took_ms": 20}], "not_done": [], "request_id": "…"}],
///  "unreadable": {"count": 0, "keys": []}}
/// ```
///
/// Every field is always there; what does not apply is null. Events stand in the order in which they were sent. `hours` says how
/// many hours were looked at; older events may be there, or have expired. `unreadable` are event records that cannot be read: the
/// first ten are named by their sort keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Timeline {
    /// The vendor.
    pub vendor: String,
    /// The entity.
    pub entity: EntityKey,
    /// The start of what was looked at.
    pub since: Timestamp,
    /// Its end.
    pub until: Timestamp,
    /// How many hours that are.
    pub hours: usize,
    /// The events, oldest first.
    pub events: Vec<Entry>,
    /// What is left out of them.
    pub unreadable: Unreadable,
}

impl Timeline {
    /// Reads the entity's events: one query for each hour, some side by side. `progress` is told of each hour that is read.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn read(
        reader: &Reader,
        vendor: &str,
        entity: &EntityKey,
        span: Span,
        progress: &mut (dyn FnMut() + Send),
    ) -> Result<Self, Error> {
        let hours = span.hours();
        let count = hours.len();
        // Hours by value: with borrowed ones the future could not leave its thread, as the console's must.
        let queries = hours.into_iter().map(|hour| async move {
            reader
                .entity_events(vendor, entity, &hour, span.since, span.until)
                .await
        });
        let (mut events, mut unreadable) = (Vec::new(), Unreadable::default());
        let mut answers = futures::stream::iter(queries).buffered(AT_ONCE);
        while let Some(some) = answers.try_next().await? {
            events.extend(some.events.into_iter().map(Entry::from));
            unreadable.merge(some.unreadable);
            progress();
        }
        drop(answers);
        events.sort_by_key(|event: &Entry| (event.event_time, event.settled_at));
        Ok(Self {
            vendor: vendor.to_owned(),
            entity: entity.clone(),
            since: span.since,
            until: span.until,
            hours: count,
            events,
            unreadable,
        })
    }

    /// The timeline for people, at most `width` columns wide.
    #[must_use]
    pub fn text(&self, width: u16) -> String {
        let mut text = format!(
            "{} at {} from {} to {}\n",
            self.entity,
            self.vendor,
            output::time(self.since),
            output::time(self.until)
        );
        let unreadable = output::unreadable(&self.unreadable);
        if self.events.is_empty() {
            text.push_str("\nNo event in this time. Look further back with --since, such as --since 90d.\n");
            text.push_str(&unreadable);
            return text;
        }
        for event in &self.events {
            _ = write!(text, "\n{}", event.text(width));
        }
        let count = match self.events.len() {
            1 => "1 event".to_owned(),
            count => format!("{count} events"),
        };
        _ = writeln!(text, "\n{count}. What is older was not looked at.");
        text.push_str(&unreadable);
        text
    }
}

/// Shows what happened to an entity.
///
/// # Errors
/// If the vendor is not deployed, the time span is none, or the stack or its ledger cannot be read.
pub async fn run(global: &Global, options: &Options) -> Result<Outcome, CliError> {
    let until = options.until.unwrap_or_else(|| SystemClock.now());
    let span = Span::new(options.since, until).map_err(CliError::Usage)?;
    let session = Session::open(global).await?;
    session.deployment.chosen(Some(&options.vendor))?;
    let mut hours = Progress::new(global.json, "hours", u64::try_from(span.hours().len()).ok());
    let (reader, vendor) = (session.reader(), &options.vendor);
    let timeline = Timeline::read(&reader, vendor, &options.entity, span, &mut || hours.add(1)).await;
    hours.finish();
    output::answer(global, &timeline.map_err(CliError::unread)?, Timeline::text)
}

#[cfg(test)]
mod tests;

//! One event of an entity's timeline.

use std::fmt::Write;

use comfy_table::{ContentArrangement, Table, presets};
use jiff::Timestamp;
use serde::Serialize;
use vendorbridge::Version;
use vendorbridge::ledger::{EventRecord, Status, StepReport};

use crate::failure::Failure;
use crate::output;

/// What became of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// The event's id.
    pub event_id: String,
    /// Its detail type.
    pub detail_type: Option<String>,
    /// What became of it.
    pub status: Status,
    /// When it was sent.
    pub event_time: Timestamp,
    /// When the outcome was settled.
    pub settled_at: Timestamp,
    /// Milliseconds from the one to the other, at least 0.
    pub freshness_ms: u64,
    /// Which try it was.
    pub attempt: Option<u32>,
    /// The event that does this one's work.
    pub by_event: Option<String>,
    /// The rule that keeps it from the vendor.
    pub rule: Option<String>,
    /// The vendor's id for the entity.
    pub link: Option<String>,
    /// By what the vendor acknowledged the push.
    pub receipt: Option<String>,
    /// The source's version.
    pub version: Option<Version>,
    /// Milliseconds spent asking the source.
    pub source_ms: Option<u64>,
    /// Milliseconds spent calling the vendor.
    pub vendor_ms: Option<u64>,
    /// When the waiting retry is due.
    pub wake_at: Option<Timestamp>,
    /// The point of failure.
    pub error: Option<Failure>,
    /// The completed steps of the plan.
    pub steps: Vec<Step>,
    /// After a failure the steps that are not.
    pub not_done: Vec<String>,
    /// The function's request id.
    pub request_id: String,
}

/// A completed step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Its name.
    pub name: String,
    /// The vendor's id that it answered.
    pub id: Option<String>,
    /// When it was completed.
    pub at: Option<Timestamp>,
    /// How long it took, in milliseconds.
    pub took_ms: Option<u64>,
}

impl Entry {
    /// The event for people: a line, and under it what else is known.
    pub(super) fn text(&self, width: u16) -> String {
        let mut text = format!(
            "{}  {:<9}  {}  {}\n",
            output::time(self.event_time),
            self.status,
            output::or_dash(self.detail_type.as_deref()),
            self.event_id
        );
        let mut table = Table::new();
        table
            .load_style(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(width.max(output::MIN_WIDTH));
        let mut row = |name: &str, value: String| _ = table.add_row(["   ", name, &value]);
        row("settled", self.settled());
        if let Some(error) = &self.error {
            row("failed at", error.words());
        }
        if let Some(wake_at) = self.wake_at {
            row("next try", output::time(wake_at));
        }
        if let Some(by) = &self.by_event {
            row("done by", by.clone());
        }
        if let Some(rule) = &self.rule {
            row("kept out by", rule.clone());
        }
        for step in &self.steps {
            row("step done", step.words());
        }
        if !self.not_done.is_empty() {
            row("not done", self.not_done.join(", "));
        }
        if let Some(link) = &self.link {
            row("link", link.clone());
        }
        text.push_str(&output::lines(&table));
        text
    }

    fn settled(&self) -> String {
        let mut text = format!(
            "{}, {} after the event",
            output::time(self.settled_at),
            output::duration(self.freshness_ms)
        );
        if let Some(attempt) = self.attempt {
            _ = write!(text, "; try {attempt}");
        }
        if let Some(version) = &self.version {
            _ = write!(text, "; version {version}");
        }
        for (name, took) in [("source", self.source_ms), ("vendor", self.vendor_ms)] {
            if let Some(took) = took {
                _ = write!(text, "; {name} {took} ms");
            }
        }
        text
    }
}

impl Step {
    fn words(&self) -> String {
        let mut text = self.name.clone();
        if let Some(id) = &self.id {
            _ = write!(text, " {id}");
        }
        if let Some(at) = self.at {
            _ = write!(text, ", {}", output::time(at));
        }
        if let Some(took) = self.took_ms {
            _ = write!(text, ", {took} ms");
        }
        text
    }
}

impl From<StepReport> for Step {
    fn from(step: StepReport) -> Self {
        Self {
            name: step.name,
            id: step.id,
            at: step.at,
            took_ms: step.took_ms,
        }
    }
}

impl From<EventRecord> for Entry {
    fn from(event: EventRecord) -> Self {
        let fresh = event.settled_at.duration_since(event.event_time).as_millis();
        Self {
            event_id: event.event_id,
            detail_type: event.detail_type,
            status: event.status,
            event_time: event.event_time,
            settled_at: event.settled_at,
            // The sender's clock may be ahead.
            freshness_ms: u64::try_from(fresh).unwrap_or(0),
            attempt: event.attempt,
            by_event: event.by_event,
            rule: event.rule,
            link: event.link,
            receipt: event.receipt,
            version: event.version,
            source_ms: event.source_ms,
            vendor_ms: event.vendor_ms,
            wake_at: event.wake_at,
            error: event.error.map(Failure::from),
            steps: event.steps.into_iter().map(Step::from).collect(),
            not_done: event.not_done,
            request_id: event.request_id,
        }
    }
}

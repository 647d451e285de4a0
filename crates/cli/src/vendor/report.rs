//! What `vendorbridge vendor` prints.

use comfy_table::{ContentArrangement, Table, presets};
use jiff::Timestamp;
use serde::Serialize;
use vendorbridge::ledger::{VendorRecord, Window};

use super::queues::Queue;
use super::standing::Standing;
use crate::{CliError, output};

/// What `vendor … --json` prints:
///
/// ```json
/// {"stack": "vendorbridge", "vendor": "mailchimp", "changed": null, "state": "circuit-open",
///  "pause": null,
///  "circuit": {"since": "2026-01-29T14:36:26Z", "probes_from": "2026-01-29T14:36:56Z", "times": 1,
///    "error": "deauthorized", "reason": "deauthorized"},
///  "window": {"since": "2026-01-29T14:36:20Z", "calls": 20, "failures": 12},
///  "waiting": 31,
///  "queues": [{"name": "vendorbridge-mailchimp.fifo", "visible": 12, "in_flight": 3}]}
/// ```
///
/// Every field is always there; what does not apply is null. `changed` says whether `pause` or `resume` had something to do;
/// it is null for `show`. `state` is `running`, `paused`, `circuit-open` or `half-open` (probes are due). `window` is the
/// latest one with a failure. `waiting` counts the parked entities, whatever they wait for. `queues` has one entry for each
/// partition, and is null if they may not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VendorReport {
    stack: String,
    vendor: String,
    changed: Option<bool>,
    #[serde(flatten)]
    standing: Standing,
    window: Option<Counts>,
    waiting: usize,
    queues: Option<Vec<Queue>>,
    #[serde(skip)]
    unread: Option<String>,
    #[serde(skip)]
    outcome: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Counts {
    since: Timestamp,
    calls: u32,
    failures: u32,
}

impl VendorReport {
    /// The report on a vendor with this record and so many parked entities.
    #[must_use]
    pub fn of(stack: &str, record: &VendorRecord, waiting: usize, now: Timestamp) -> Self {
        Self {
            stack: stack.to_owned(),
            vendor: record.vendor.clone(),
            changed: None,
            standing: Standing::of(record, now),
            window: (record.window.calls > 0).then(|| Counts::from(record.window)),
            waiting,
            queues: None,
            unread: None,
            outcome: None,
        }
    }

    /// Adds what the vendor's queues hold, or why nobody knows: that is no reason to say nothing at all.
    #[must_use]
    pub(super) fn holding(mut self, queues: Result<Vec<Queue>, CliError>) -> Self {
        match queues {
            Ok(queues) => self.queues = Some(queues),
            Err(error) => self.unread = Some(error.to_string()),
        }
        self
    }

    /// Adds what a change came to: whether there was something to change, and in words.
    #[must_use]
    pub fn changed(mut self, changed: bool, outcome: String) -> Self {
        self.changed = Some(changed);
        self.outcome = Some(outcome);
        self
    }

    /// The report for people, at most `width` columns wide.
    #[must_use]
    pub fn text(&self, width: u16) -> String {
        let mut table = Table::new();
        table
            .load_style(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(width.max(output::MIN_WIDTH));
        let mut row = |name: &str, value: String| _ = table.add_row([name, &value]);
        row("state", self.standing.words());
        if self.standing.pause.is_some() || self.standing.is_running() {
            row("circuit", self.standing.circuit_words());
        }
        if let Some(window) = &self.window {
            let since = output::time(window.since);
            let counts = format!(
                "{} of {} calls in the window from {since}",
                window.failures, window.calls
            );
            row("latest failures", counts);
        }
        row(
            "waiting",
            match self.waiting {
                0 => "no entity".to_owned(),
                1 => "1 entity".to_owned(),
                count => format!("{count} entities"),
            },
        );
        let lines = self.queues.iter().flatten().map(Queue::words);
        for line in lines.chain(self.unread.clone()) {
            row("queue", line);
        }
        let outcome = self
            .outcome
            .as_ref()
            .map(|outcome| format!("{outcome}\n\n"))
            .unwrap_or_default();
        format!(
            "{outcome}{} of {}\n{}",
            self.vendor,
            self.stack,
            output::lines(&table)
        )
    }
}

impl From<Window> for Counts {
    fn from(window: Window) -> Self {
        Self {
            since: window.since,
            calls: window.calls,
            failures: window.failures,
        }
    }
}

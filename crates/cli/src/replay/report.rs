//! What `replay` did.

use std::fmt::Write;

use serde::Serialize;
use vendorbridge::ledger::Unreadable;

use super::Options;
use crate::output;
use crate::session::Session;

/// What `replay --json` prints:
///
/// ```json
/// {"stack": "vendorbridge", "vendor": "algolia", "run": "replay-0f1e2d3c4b5a", "dry_run": false,
///  "chosen": 120, "sent_before": 0, "sent": 120, "left_out": 0,
///  "unreadable": {"count": 0, "keys": []}, "interrupted": false}
/// ```
///
/// `sent_before` was sent by the run that this one goes on with. `left_out` could not be chosen: only its events have its state.
/// `unreadable` are the event records that cannot be read and may be of the time (their key says no other), the first ten named by their
/// sort keys: what they are about is not sent for their sake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Replayed {
    pub(super) stack: String,
    pub(super) vendor: String,
    pub(super) run: String,
    pub(super) dry_run: bool,
    pub(super) chosen: u64,
    pub(super) sent_before: u64,
    pub(super) sent: u64,
    pub(super) left_out: u64,
    pub(super) unreadable: Unreadable,
    /// Whether the same command goes on where this one was stopped.
    #[serde(skip)]
    pub(super) goes_on: bool,
    pub(super) interrupted: bool,
}

impl Replayed {
    /// Nothing is sent yet.
    pub(super) fn new(session: &Session, options: &Options, run: &str) -> Self {
        Self {
            stack: session.stack.clone(),
            vendor: options.vendor.clone(),
            run: run.to_owned(),
            dry_run: false,
            chosen: 0,
            sent_before: 0,
            sent: 0,
            left_out: 0,
            unreadable: Unreadable::default(),
            goes_on: false,
            interrupted: false,
        }
    }

    /// In words.
    #[must_use]
    pub fn text(&self, _width: u16) -> String {
        let Self {
            vendor,
            chosen,
            sent,
            sent_before,
            left_out,
            run,
            ..
        } = self;
        if self.dry_run {
            return format!("{chosen} events would go to {vendor}. dry run: nothing was sent\n");
        }
        let before = match sent_before {
            0 => String::new(),
            before => format!(", {before} before"),
        };
        let mut text = if self.interrupted {
            let then = if self.goes_on {
                "goes on from there"
            } else {
                "begins anew"
            };
            format!("stopped: {sent} of {chosen} sent to {vendor}{before}. The same command {then}.\n")
        } else if *chosen == 0 {
            format!("nothing to replay: the ledger has nothing at {vendor} that was chosen\n")
        } else {
            format!("{sent} of {chosen} sent to {vendor}{before} ({run})\n")
        };
        text.push_str(&carried(*left_out, vendor));
        if self.unreadable.count > 0 {
            let unreadable = output::unreadable(&self.unreadable);
            _ = writeln!(text, "{unreadable}What they are about is not sent for them.");
        }
        text
    }
}

/// How many cannot be asked for, and what to do about them; empty if there are none.
pub(super) fn carried(left_out: u64, vendor: &str) -> String {
    if left_out == 0 {
        return String::new();
    }
    format!(
        "{left_out} left out: only their events have their state. Send their next event, or the event itself with --file; \
         what is dead goes again with `vendorbridge redrive {vendor}`.\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replayed() -> Replayed {
        Replayed {
            stack: "s".into(),
            vendor: "algolia".into(),
            run: "replay-1".into(),
            dry_run: false,
            chosen: 0,
            sent_before: 0,
            sent: 0,
            left_out: 0,
            unreadable: Unreadable::default(),
            goes_on: false,
            interrupted: false,
        }
    }

    #[test]
    fn what_is_left_out_is_told() {
        let report = Replayed {
            left_out: 3,
            ..replayed()
        };
        let text = report.text(80);
        assert!(
            text.contains("3 left out") && text.contains("redrive algolia"),
            "{text}"
        );
    }
    #[test]
    fn what_cannot_be_read_was_not_sent() {
        assert!(!replayed().text(80).contains("readable"));
        let unreadable = Unreadable {
            count: 2,
            keys: vec!["a/1#t#e".into()],
        };
        let damaged = Replayed {
            unreadable,
            ..replayed()
        };
        let told = "2 event records not readable, and left out: a/1#t#e and 1 more\nWhat they are about is not sent for them.\n";
        assert!(damaged.text(80).ends_with(told), "{}", damaged.text(80));
        let json = serde_json::to_value(&damaged).unwrap();
        assert_eq!(
            json["unreadable"],
            serde_json::json!({"count": 2, "keys": ["a/1#t#e"]})
        );
    }
}

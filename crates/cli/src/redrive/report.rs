//! What `redrive` did.

use std::fmt::Write;

use serde::Serialize;

use super::letter::{Letter, Way};

/// Letters that are named on screen; JSON has all.
const SHOWN: usize = 20;

/// What `redrive --json` prints:
///
/// ```json
/// {"stack": "vendorbridge", "vendor": "algolia", "run": "redrive-0f1e2d3c4b5a", "dry_run": false, "found": 4, "redriven": 2,
///  "as_it_is": 1, "not_chosen": 1, "letters": [{"message_id": "…", "group": "product/1", "entity": "product/1"}],
///  "unreadable": [{"message_id": "…", "group": "intake", "reason": "expected JSON, found …"}],
///  "note": null, "interrupted": false}
/// ```
///
/// `redriven` counts all that were sent (with `dry_run`: would be), `as_it_is` those of them whose own message goes back.
/// `found` is what SQS counted at the start, approximately. An unreadable letter stays in the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Redriven {
    pub(super) stack: String,
    pub(super) vendor: String,
    pub(super) run: String,
    pub(super) dry_run: bool,
    pub(super) found: u64,
    #[serde(rename = "redriven")]
    pub(super) sent: u64,
    pub(super) as_it_is: u64,
    pub(super) not_chosen: u64,
    letters: Vec<Sent>,
    unreadable: Vec<Unreadable>,
    pub(super) note: Option<String>,
    pub(super) interrupted: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Sent {
    message_id: String,
    group: String,
    entity: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Unreadable {
    message_id: String,
    group: String,
    reason: String,
}

impl Redriven {
    pub(super) fn new(stack: &str, vendor: &str, run: &str, dry_run: bool, found: u64) -> Self {
        Self {
            stack: stack.to_owned(),
            vendor: vendor.to_owned(),
            run: run.to_owned(),
            dry_run,
            found,
            sent: 0,
            as_it_is: 0,
            not_chosen: 0,
            letters: Vec::new(),
            unreadable: Vec::new(),
            note: None,
            interrupted: false,
        }
    }

    pub(super) fn sends(&mut self, letter: &Letter, way: &Way) {
        self.sent += 1;
        self.as_it_is += u64::from(*way == Way::AsItIs);
        self.letters.push(Sent {
            message_id: letter.message_id.clone(),
            group: letter.group.clone(),
            entity: letter.entity().map(|entity| entity.as_str().to_owned()),
        });
    }

    pub(super) fn unreadable(&mut self, letter: &Letter, reason: &str) {
        self.unreadable.push(Unreadable {
            message_id: letter.message_id.clone(),
            group: letter.group.clone(),
            reason: reason.to_owned(),
        });
    }

    /// In words.
    #[must_use]
    pub fn text(&self, _width: u16) -> String {
        let mut text = String::new();
        if let Some(note) = &self.note {
            _ = writeln!(text, "note: {note}");
        }
        for letter in self.letters.iter().take(SHOWN).filter(|_| self.dry_run) {
            let entity = letter.entity.as_deref().unwrap_or("as it is");
            _ = writeln!(text, "{} in {}: {entity}", letter.message_id, letter.group);
        }
        for letter in self.unreadable.iter().take(SHOWN) {
            _ = writeln!(
                text,
                "{} in {} stays: {}",
                letter.message_id, letter.group, letter.reason
            );
        }
        let (done, dry) = if self.dry_run {
            ("would be redriven", ". dry run: nothing was sent")
        } else {
            ("redriven", "")
        };
        if self.interrupted {
            text.push_str("stopped; the same command takes the rest. ");
        }
        let unseen = self
            .found
            .saturating_sub(self.sent + self.not_chosen + self.unreadable.len() as u64);
        let unseen = match unseen {
            0 => String::new(),
            unseen if self.dry_run => format!(", about {unseen} behind others of their lanes not looked at"),
            unseen => format!(", about {unseen} in somebody else's hands"),
        };
        _ = writeln!(
            text,
            "{} of about {} dead letters of {} {done} ({} as they are), {} not chosen, {} unreadable{unseen}{dry}",
            self.sent,
            self.found,
            self.vendor,
            self.as_it_is,
            self.not_chosen,
            self.unreadable.len()
        );
        text
    }
}

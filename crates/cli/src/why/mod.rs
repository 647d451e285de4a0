//! `vendorbridge why`: why an entity is, or is not, at a vendor. One read of the ledger.

mod chain;
mod finding;
mod sentence;
mod step;

use std::fmt::Write;

use jiff::Timestamp;
use serde::Serialize;
use vendorbridge::clock::{Clock, SystemClock};
use vendorbridge::ledger::{EntityStanding, Reader, Status};
use vendorbridge::{EntityKey, Error};

use crate::args::Global;
use crate::next::Next;
use crate::session::Session;
use crate::{CliError, Exit, Outcome, output};

pub use finding::Finding;
pub(crate) use step::OVERDUE;

/// The options of `why`.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// The vendor's name
    pub vendor: String,
    /// The entity, such as `customer/c-4711`
    #[arg(value_name = "TYPE/ID")]
    pub entity: EntityKey,
}

/// What `why --json` prints:
///
/// ```json
/// {"stack": "vendorbridge", "vendor": "mailchimp", "entity": "customer/c-4714", "at": "2026-01-29T15:00:00Z",
///  "is_at_vendor": false, "status": "REJECTED",
///  "findings": [
///    {"code": "rejected", "since": "2026-01-29T14:36:26Z", "attempts": 1, "error": {"stage": "map", "step": null,
///      "field": "/email", "code": null, "reason": "…", "kind": "invalid", "verdict": "permanent"},
///     "sentence": "It is refused for good since 2026-01-29 14:36:26Z, …"},
///    {"code": "last-event", "event_id": "…", "event_time": "…", "status": "REJECTED", "settled_at": "…",
///     "sentence": "…"}],
///  "next": {"reason": "…", "command": "vendorbridge replay mailchimp --entity customer/c-4714"}}
/// ```
///
/// Every field is always there; what does not apply is null. `is_at_vendor`: what the source held when it was last read stands
/// at the vendor, a removal included. `status` is null if the vendor never saw the entity. `findings` begins with what decides;
/// its codes are those of [`Finding`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// The stack.
    pub stack: String,
    /// The vendor.
    pub vendor: String,
    /// The entity.
    pub entity: EntityKey,
    /// When the ledger was read.
    pub at: Timestamp,
    /// Whether the vendor is in step with the source, as of its last read.
    pub is_at_vendor: bool,
    /// The outcome that holds.
    pub status: Option<Status>,
    /// The chain of causes.
    pub findings: Vec<Said>,
    /// What to do.
    pub next: Option<Next>,
}

/// A finding, for programs and in a sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Said {
    /// For programs.
    #[serde(flatten)]
    pub finding: Finding,
    /// For people.
    pub sentence: String,
}

impl Answer {
    /// Reads the ledger once and draws the conclusions.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn read(
        reader: &Reader,
        stack: &str,
        vendor: &str,
        entity: &EntityKey,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let standing = reader.standing(vendor, entity).await?;
        Ok(Self::of(stack, entity, &standing, now))
    }

    /// The conclusions from what the ledger holds at `now`. Pure.
    #[must_use]
    pub fn of(stack: &str, entity: &EntityKey, standing: &EntityStanding, now: Timestamp) -> Self {
        let vendor = &standing.vendor.vendor;
        let said = chain::findings(standing, now).into_iter().map(|finding| Said {
            sentence: sentence::of(&finding, vendor, entity),
            finding,
        });
        Self {
            stack: stack.to_owned(),
            vendor: vendor.clone(),
            entity: entity.clone(),
            at: now,
            is_at_vendor: chain::is_at_vendor(standing),
            status: standing.entity.as_ref().map(|record| record.status),
            findings: said.collect(),
            next: step::next(stack, entity, standing, now),
        }
    }

    /// The answer for people. Sentences are left to the terminal to wrap, whatever the width.
    #[must_use]
    pub fn text(&self, _width: u16) -> String {
        let status = self.status.map_or("never seen", Status::name);
        let mut text = format!("{} at {}: {status}\n\n", self.entity, self.vendor);
        for said in &self.findings {
            _ = writeln!(text, "{}", said.sentence);
        }
        if let Some(next) = &self.next {
            _ = writeln!(text, "\nNext: {}", next.reason);
            if let Some(command) = &next.command {
                _ = writeln!(text, "  {command}");
            }
        }
        text
    }
}

/// Says why an entity is or is not at a vendor.
///
/// # Errors
/// If the vendor is not deployed, or the stack or its ledger cannot be read.
pub async fn run(global: &Global, options: &Options) -> Result<Outcome, CliError> {
    let session = Session::open(global).await?;
    session.deployment.chosen(Some(&options.vendor))?;
    let now = SystemClock.now();
    let reader = session.reader();
    let answer = Answer::read(&reader, &session.stack, &options.vendor, &options.entity, now).await;
    let answer = answer.map_err(CliError::unread)?;
    let code = if answer.is_at_vendor {
        Exit::Done
    } else {
        Exit::BadNews
    };
    output::answer(global, &answer, Answer::text).map(|outcome| outcome.ending(code))
}

#[cfg(test)]
mod tests;

//! One function's log, asked page by page.

use std::time::Duration;

use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::types::FilteredLogEvent;
use jiff::Timestamp;
use vendorbridge::lane::short_hash;

use super::again::{Failed, pause};
use super::cursor::{Cursor, Logged};
use crate::CliError;

/// How often the end of a log is asked for.
const EVERY: Duration = Duration::from_secs(2);
/// `CloudWatch` Logs finds the text of a line by it; the line is read as JSON then.
const PATTERN: &str = "\"sync.settled\"";

/// A log that has never answered is given up after so many failures: it may be the wrong place to ask.
const TRIES: u32 = 5;
const ACTION: &str = "reading the function's log";

/// Where a function's log is read on.
#[derive(Debug)]
pub(super) struct Log {
    client: Client,
    vendor: String,
    group: String,
    cursor: Cursor,
    /// Where the question begins whose pages are asked for.
    from: i64,
    /// The next of its pages; its first one has no token.
    token: Option<String>,
    /// How often in a row the page did not come.
    failures: u32,
    /// Why it did not come the last time.
    failure: Option<CliError>,
    /// A page has come before.
    has_answered: bool,
    /// The end of the log was reached before.
    was_read: bool,
    /// That it did not come was said, and the end of the log not reached since.
    is_told: bool,
}

/// What came of a question.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Page {
    /// Lines that were not seen before.
    pub(super) lines: Vec<Logged>,
    /// Why there are none, if the person at the keyboard does not know yet.
    pub(super) trouble: Option<String>,
    /// How long to wait before the next question: not at all as long as there are pages.
    pub(super) rest: Duration,
}

impl Log {
    /// The log of a vendor's function, from a time on.
    pub(super) fn new(client: Client, stack: &str, vendor: &str, since: Timestamp) -> Self {
        let cursor = Cursor::new(since);
        Self {
            client,
            vendor: vendor.to_owned(),
            group: format!("/aws/lambda/{stack}-{vendor}"),
            from: cursor.from(),
            cursor,
            token: None,
            failures: 0,
            failure: None,
            has_answered: false,
            was_read: false,
            is_told: false,
        }
    }

    /// Whether the last question had no answer.
    pub(super) const fn is_failing(&self) -> bool {
        self.failures > 0
    }

    /// Why the log was not read, if nobody asks it any more: it does not answer now, and its end was never reached.
    pub(super) fn unread(&mut self) -> Option<CliError> {
        if self.was_read {
            return None;
        }
        let unanswered = || CliError::NoAnswer {
            action: ACTION,
            found: "none in this time".to_owned(),
        };
        let failure = self.failure.take();
        failure.or_else(|| (!self.has_answered).then(unanswered))
    }

    /// Asks for the next page; after a failure that may pass, for the same one again.
    ///
    /// # Errors
    /// If the log cannot be read, and waiting will not help; or if it has failed [`TRIES`] times and never answered.
    pub(super) async fn page(&mut self) -> Result<Page, CliError> {
        let asked = self
            .client
            .filter_log_events()
            .log_group_name(&self.group)
            .filter_pattern(PATTERN)
            .start_time(self.from)
            .set_next_token(self.token.clone());
        let answer = match asked.send().await {
            Ok(answer) => answer,
            Err(error) => {
                let told = CliError::of_sdk(ACTION, &error);
                let is_tried = self.has_answered || self.failures + 1 < TRIES;
                return match pause(Failed::of(&error), self.failures) {
                    Some(rest) if is_tried => Ok(self.failed(told, rest)),
                    _ => Err(told),
                };
            }
        };
        self.failures = 0;
        self.failure = None;
        self.has_answered = true;
        let logged = answer.events.unwrap_or_default().into_iter().filter_map(line);
        let lines = self.cursor.fresh(logged.collect());
        let next = answer.next_token;
        self.token = next.filter(|next| Some(next) != self.token.as_ref());
        let mut rest = Duration::ZERO;
        if self.token.is_none() {
            self.from = self.cursor.from();
            self.is_told = false;
            self.was_read = true;
            rest = EVERY;
        }
        let trouble = None;
        Ok(Page { lines, trouble, rest })
    }

    fn failed(&mut self, error: CliError, rest: Duration) -> Page {
        self.failures = self.failures.saturating_add(1);
        let words = format!("{}: {error}. It is asked again", self.vendor);
        let trouble = (!self.is_told).then_some(words);
        self.is_told = true;
        self.failure = Some(error);
        Page {
            lines: Vec::new(),
            trouble,
            rest,
        }
    }
}

fn line(event: FilteredLogEvent) -> Option<Logged> {
    let (at, text) = (event.timestamp?, event.message?);
    // Not every service that speaks the API names its lines; a settled line has its message's id in it.
    let id = event
        .event_id
        .unwrap_or_else(|| short_hash(&format!("{at}\n{text}")));
    Some(Logged { id, at, text })
}

#[cfg(test)]
mod tests;

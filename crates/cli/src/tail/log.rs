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
            is_told: false,
        }
    }

    /// Asks for the next page; after a failure that may pass, for the same one again.
    ///
    /// # Errors
    /// If the log cannot be read, and waiting will not help.
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
                let told = CliError::of_sdk("reading the function's log", &error);
                return match pause(Failed::of(&error), self.failures) {
                    Some(rest) => Ok(self.failed(&told, rest)),
                    None => Err(told),
                };
            }
        };
        self.failures = 0;
        let logged = answer.events.unwrap_or_default().into_iter().filter_map(line);
        let lines = self.cursor.fresh(logged.collect());
        let next = answer.next_token;
        self.token = next.filter(|next| Some(next) != self.token.as_ref());
        let mut rest = Duration::ZERO;
        if self.token.is_none() {
            self.from = self.cursor.from();
            self.is_told = false;
            rest = EVERY;
        }
        let trouble = None;
        Ok(Page { lines, trouble, rest })
    }

    fn failed(&mut self, error: &CliError, rest: Duration) -> Page {
        self.failures += 1;
        let words = format!("{}: {error}. It is asked again until it answers", self.vendor);
        let trouble = (!self.is_told).then_some(words);
        self.is_told = true;
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

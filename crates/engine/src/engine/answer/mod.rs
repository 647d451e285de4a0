//! Answers questions about the vendor. Nothing here changes anything, anywhere.

mod describe;
mod pages;
mod preview;

use std::time::Duration;

use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};

use super::Engine;
use crate::ask::{Answer, MAX_PREVIEWS, PageRequest, Question};
use crate::ledger::ErrorRecord;
use crate::{Error, ErrorKind, Stage, park};

/// What one read of a source takes at the longest, and a moment to say so.
const SLOWEST_READ: Duration = Duration::from_secs(6);

impl Engine {
    /// The answer to a question, before the deadline. That there is none is an answer, too.
    pub async fn answer(&self, question: &Question, deadline: Timestamp) -> Answer {
        let answered = match question {
            Question::Describe => Ok(Answer::Describe(self.describe().await)),
            Question::Preview { entities } if entities.len() > MAX_PREVIEWS => Err(invalid(&format!(
                "expected at most {MAX_PREVIEWS} entities, found {}",
                entities.len()
            ))),
            Question::Preview { entities } => self.preview(entities, deadline).await,
            Question::SourcePage {
                entity_type,
                page,
                limit,
                with_fields,
            } => {
                let asked = PageRequest {
                    entity_type,
                    page: page.as_deref(),
                    limit: *limit,
                    with_states: *with_fields,
                };
                self.source_page(asked, deadline).await
            }
            Question::VendorPage {
                entity_type,
                page,
                limit,
            } => {
                let asked = PageRequest {
                    entity_type,
                    page: page.as_deref(),
                    limit: *limit,
                    with_states: true,
                };
                self.vendor_page(asked, deadline).await
            }
        };
        answered.unwrap_or_else(|error| Answer::Failed {
            error: ErrorRecord::from(&error),
        })
    }

    /// Asks, and asks again after what may pass while somebody waits for the answer, as long as there is time for one that takes
    /// the longest. Nothing is changed by it, so that an outcome that is unknown is no obstacle.
    async fn patiently<'a, T>(
        &self,
        slowest: Duration,
        deadline: Timestamp,
        ask: impl Fn() -> BoxFuture<'a, Result<T, Error>>,
    ) -> Result<T, Error> {
        let mut tries = 0;
        loop {
            let error = match ask().await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            match park::page_retry(&error, tries, self.random()) {
                Some(pause) if self.ends_before(pause.saturating_add(slowest), deadline) => {
                    tries += 1;
                    self.parts.clock.sleep(pause).await;
                }
                _ => return Err(error),
            }
        }
    }

    fn ends_before(&self, needed: Duration, deadline: Timestamp) -> bool {
        let needed = SignedDuration::try_from(needed).unwrap_or(SignedDuration::MAX);
        self.now().saturating_add(needed).unwrap_or(Timestamp::MAX) <= deadline
    }

    /// Whether a read of the source may still be begun.
    fn may_read(&self, deadline: Timestamp) -> Result<(), Error> {
        if self.ends_before(SLOWEST_READ, deadline) {
            return Ok(());
        }
        let message = "the time left is too short to ask the source";
        Err(Error::retry(ErrorKind::Timeout, Stage::Source, message))
    }
}

fn panicked() -> Error {
    let message = "the vendor's code panicked; the function's log has the place";
    Error::permanent(ErrorKind::Panicked, Stage::Map, message)
}

fn invalid(message: &str) -> Error {
    Error::permanent(ErrorKind::Invalid, Stage::Intake, message)
}

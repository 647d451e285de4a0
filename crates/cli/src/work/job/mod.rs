//! A checkpoint in the ledger's table, so that the same command goes on where it was stopped, or died.
//!
//! pk `<vendor>`, sk `job#<command>#<hash of what was chosen>`. Each write raises `revision` and is conditional on the one before:
//! of two processes at the same work, the one that was taken over notices at its next checkpoint.

mod record;
mod store;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use vendorbridge::clock::{Clock, SystemClock};
use vendorbridge::lane::short_hash;

use super::Again;
use crate::CliError;
use crate::lanes::run_id;
use crate::session::Session;
use record::{Record, State};
use store::{Found, Store, Table};

/// A process that has written nothing for so long is dead.
pub(crate) const DEAD_AFTER: SignedDuration = SignedDuration::from_mins(5);

/// How much of what is done.
pub(crate) type Counts = BTreeMap<String, u64>;

/// What a job is begun with.
pub(crate) struct Start<'a> {
    pub(crate) vendor: &'a str,
    pub(crate) command: &'static str,
    /// What was chosen, in a form that is the same for the same choice.
    pub(crate) choice: &'a str,
    pub(crate) again: Again,
    /// A checkpoint older than this is not gone on from.
    pub(crate) go_on_within: SignedDuration,
}

/// Work under way.
#[derive(Debug)]
pub(crate) struct Job<S = Table> {
    store: S,
    command: &'static str,
    /// How far the work is; its `revision` is the last that was really written.
    record: Record,
    /// When the run began that is gone on with; `None` if it begins now.
    goes_on_from: Option<Timestamp>,
    is_taken_over: bool,
}

impl Job {
    /// Begins, or goes on where the same work was left.
    ///
    /// # Errors
    /// [`CliError::UnderWay`] if another process is at it; if the table cannot be read or written.
    pub(crate) async fn begin(session: &Session, start: &Start<'_>) -> Result<Self, CliError> {
        let sort_key = format!("job#{}#{}", start.command, short_hash(start.choice));
        let table = session.deployment.table.clone();
        let store = Table::new(session.dynamodb(), table, start.vendor, &sort_key);
        let run = run_id(start.command, &mut fastrand::Rng::new());
        Self::begin_in(store, &run, start).await
    }
}

impl<S: Store> Job<S> {
    async fn begin_in(store: S, run: &str, start: &Start<'_>) -> Result<Self, CliError> {
        let now = SystemClock.now();
        let found = store.read().await?;
        let (record, goes_on_from) = match &found {
            None => (Record::new(run, now), None),
            Some(Found::Readable(found)) => {
                let next = found.next(start, run, now)?;
                let goes_on_from = (next.run == found.run).then_some(next.started_at);
                (next, goes_on_from)
            }
            // Whether somebody is at it, or how far it is, this version cannot say: a person has to.
            Some(Found::Foreign { revision }) if start.again.restart => {
                (Record::new(run, now).behind(*revision), None)
            }
            Some(Found::Foreign { .. }) => {
                return Err(CliError::Usage(format!(
                    "expected a checkpoint of this {} that this version can read, found another's: \
                 once nobody is at it any more, begin anew with --restart",
                    start.command
                )));
            }
        };
        if store.write(&record).await? {
            return Ok(Self {
                store,
                command: start.command,
                record,
                goes_on_from,
                is_taken_over: false,
            });
        }
        // Somebody else began between our read and our write.
        let found = match store.read().await? {
            Some(Found::Readable(found)) => found,
            Some(Found::Foreign { .. }) | None => record,
        };
        Err(found.under_way(start.command))
    }

    /// The run's id: the same after it was gone on with.
    pub(crate) fn run(&self) -> &str {
        &self.record.run
    }

    /// Where the last checkpoint was.
    pub(crate) fn cursor(&self) -> Option<&str> {
        self.record.cursor.as_deref()
    }

    /// What was done until the last checkpoint.
    pub(crate) fn counts(&self) -> &Counts {
        &self.record.counts
    }

    /// When the run began that is gone on with.
    pub(crate) fn goes_on_from(&self) -> Option<Timestamp> {
        self.goes_on_from
    }

    /// The work is done up to `cursor`.
    ///
    /// # Errors
    /// [`CliError::TakenOver`] if another process has gone on; if the table cannot be written.
    pub(crate) async fn reached(&mut self, cursor: Option<String>, counts: Counts) -> Result<(), CliError> {
        self.record.cursor = cursor;
        self.record.counts = counts;
        self.save().await
    }

    /// Nothing is new, but the process lives.
    ///
    /// # Errors
    /// As [`reached`](Self::reached).
    pub(crate) async fn alive(&mut self) -> Result<(), CliError> {
        let idle = SystemClock.now().duration_since(self.record.updated_at);
        if idle < DEAD_AFTER / 5 {
            return Ok(());
        }
        self.save().await
    }

    /// The work ends here: it is all done, or was stopped and can be gone on with.
    ///
    /// # Errors
    /// As [`reached`](Self::reached). What was taken over is not ended: it is another's.
    pub(crate) async fn end(&mut self, is_done: bool) -> Result<(), CliError> {
        self.record.state = if is_done { State::Done } else { State::Stopped };
        self.save().await
    }

    async fn save(&mut self) -> Result<(), CliError> {
        let next = Record {
            updated_at: SystemClock.now(),
            ..self.record.clone().behind(self.record.revision)
        };
        if !self.is_taken_over && self.store.write(&next).await? {
            self.record = next;
            return Ok(());
        }
        self.is_taken_over = true;
        Err(CliError::TakenOver {
            command: self.command,
        })
    }
}

#[cfg(test)]
mod tests;

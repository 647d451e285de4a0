//! What a push writes ahead, and how far its plan has got.

use jiff::Timestamp;

use super::Push;
use crate::Error;
use crate::clock::Clock;
use crate::ledger::{EntityRecord, Ledger, StepReport};

/// The stored record and where to write it: raised by every checkpoint.
pub(crate) struct Journal<'a> {
    pub(crate) record: &'a mut EntityRecord,
    pub(crate) ledger: &'a dyn Ledger,
    /// The canonical hash of the payload.
    pub(crate) plan: &'a str,
    /// No call of this process arrives at the vendor after this.
    pub(crate) ends: Timestamp,
    /// What the calls are timed with.
    pub(crate) clock: &'a dyn Clock,
}

/// How far a plan has got, for those who ask.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Progress {
    /// The steps that the plan names.
    planned: Vec<String>,
    /// Those that are behind it: completed, or found completed.
    passed: Vec<String>,
    /// Those that were completed for this payload, or since the event.
    pub(crate) done: Vec<StepReport>,
}

impl Progress {
    /// The steps that the plan names and that are not completed.
    pub(crate) fn not_done(&self) -> Vec<String> {
        let is_open = |name: &&String| !self.passed.contains(name);
        self.planned.iter().filter(is_open).cloned().collect()
    }
}

impl Journal<'_> {
    /// Writes the record as it stands, ahead of a call. What the vendor holds is uncertain from here to the settle.
    pub(crate) async fn write(&mut self) -> Result<(), Error> {
        let before = self.record.unsure;
        self.record.revision += 1;
        self.record.unsure = true;
        let written = self.ledger.settle(self.record).await;
        if written.is_err() {
            self.record.revision -= 1;
            self.record.unsure = before;
        }
        written
    }
}

impl Push<'_> {
    /// Names the plan's steps in their order, so that a failure can say what was not done.
    pub fn plan(&mut self, names: impl IntoIterator<Item = String>) {
        self.progress.planned = names.into_iter().collect();
    }

    pub(crate) fn take_progress(&mut self) -> Progress {
        std::mem::take(&mut self.progress)
    }

    pub(super) fn passed(&mut self, name: &str) {
        self.progress.passed.push(name.to_owned());
    }

    pub(super) fn completed(&mut self, report: StepReport) {
        self.passed(&report.name);
        self.progress.done.push(report);
    }
}

//! Plans that failed for good, and must not stay half-done.

use super::attempt::{Trace, Work};
use super::push::Call;
use super::{Engine, Entity};
use crate::ledger::{EntityRecord, ErrorRecord};
use crate::{Error, Stage, Verdict};

impl Engine {
    /// Undoes a plan that failed for good. Answers with the failure that holds.
    ///
    /// # Errors
    /// If the ledger could not be written.
    pub(super) async fn undo_plan(
        &self,
        entity: &Entity,
        work: &mut Work<'_>,
        trace: &mut Trace,
        error: Error,
    ) -> Result<Error, Error> {
        let Some(steps) = &mut work.record.steps else {
            return Ok(error);
        };
        if error.verdict() != Verdict::Permanent
            || (steps.done.is_empty() && steps.earlier.is_empty() && steps.begun.is_empty())
        {
            return Ok(error);
        }
        steps.undoing = Some(ErrorRecord::from(&error));
        let plan = steps.plan.clone();
        self.journal(&mut work.record, &plan, work.deadline)
            .write()
            .await?;
        match self.compensate(entity, work, trace).await {
            Ok(()) => Ok(error),
            Err(other) if other.stage() == Stage::Settle => Err(other),
            Err(other) if other.verdict() == Verdict::Permanent => {
                let message = format!(
                    "could not be undone: {}; it failed for: {}",
                    other.message(),
                    error.message()
                );
                let code = other.vendor_code().unwrap_or("undo").to_owned();
                Ok(other.reworded(message, code))
            }
            Err(other) => Ok(other),
        }
    }

    pub(super) async fn compensate(
        &self,
        entity: &Entity,
        work: &mut Work<'_>,
        trace: &mut Trace,
    ) -> Result<(), Error> {
        self.call(entity, work, trace, Call::Compensate).await?;
        work.record.steps = None;
        Ok(())
    }
}

/// Why a plan is being undone, if one is.
pub(super) fn undoing(record: &EntityRecord) -> Option<ErrorRecord> {
    record.steps.as_ref()?.undoing.clone()
}

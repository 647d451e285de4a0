//! One push: what the engine knows of it, and the journal of an ordered plan.

use std::future::Future;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::journal::{Journal, Progress};
use crate::ledger::{Status, StepRecord, StepReport, Steps};
use crate::{EntityKey, Error, ErrorKind, Stage, Verdict, Version};

/// What the engine knows about one push.
pub struct Push<'a> {
    /// The entity.
    pub entity: &'a EntityKey,
    /// The vendor's id, once it is known.
    pub link: Option<String>,
    /// Ids under which earlier pushes of unknown outcome may have left something. After a successful push nothing may be
    /// left there.
    pub maybe_links: Vec<String>,
    /// The event that led here.
    pub event_id: &'a str,
    /// When that event was sent.
    pub event_time: jiff::Timestamp,
    /// The source's version of the state.
    pub version: Option<&'a Version>,
    /// The same for a repeat of the same push, different for any other: usable as an idempotency key. For a vendor that
    /// [creates once](super::Creates::Once) and an entity that is not linked yet, the key of the reservation: it stays the
    /// same until the entity is linked, whatever the payload.
    pub idempotency_key: &'a str,
    /// The time of the attempt.
    pub now: jiff::Timestamp,
    receipt: Option<String>,
    pub(super) progress: Progress,
    pub(super) journal: Journal<'a>,
}

/// How another entity of the same vendor stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The outcome that holds.
    pub status: Status,
    /// The vendor's id for it.
    pub link: Option<String>,
    /// When that was settled.
    pub settled_at: jiff::Timestamp,
}

/// What a step is told about earlier tries.
#[derive(Debug, Clone, PartialEq)]
pub struct Step<T> {
    /// The step was begun before and its outcome is unknown: it may have happened.
    pub is_repeat: bool,
    /// What it answered before the plan began anew.
    pub earlier: Option<T>,
}

impl<'a> Push<'a> {
    pub(crate) fn new(
        entity: &'a EntityKey,
        event_id: &'a str,
        event_time: jiff::Timestamp,
        version: Option<&'a Version>,
        idempotency_key: &'a str,
        now: jiff::Timestamp,
        journal: Journal<'a>,
    ) -> Self {
        Self {
            entity,
            link: journal.record.link.clone(),
            maybe_links: journal.record.maybe_links.clone(),
            event_id,
            event_time,
            version,
            idempotency_key,
            now,
            receipt: None,
            progress: Progress::default(),
            journal,
        }
    }

    /// Keeps in the event's record by what the vendor acknowledged this push, such as the id of a task or a request: what
    /// one quotes when asking the vendor.
    pub fn set_receipt(&mut self, receipt: impl Into<String>) {
        self.receipt = Some(receipt.into());
    }

    pub(crate) fn take_receipt(&mut self) -> Option<String> {
        self.receipt.take()
    }

    /// How another entity of the same vendor stands; `None` if the ledger does not know it. One strongly consistent read.
    ///
    /// # Errors
    /// If the ledger cannot be read, which must be passed on.
    pub async fn standing(&self, entity: &EntityKey) -> Result<Option<Standing>, Error> {
        let mut snapshot = self.journal.ledger.read(std::slice::from_ref(entity)).await?;
        let record = snapshot.entities.remove(entity).transpose()?;
        Ok(record.map(|record| Standing {
            status: record.status,
            link: record.link,
            settled_at: record.settled_at,
        }))
    }

    /// A number that only goes up from one push of an entity to the next: milliseconds since 1970, and more than at the
    /// last settle, whatever the clock of that process said. For a vendor that refuses what is numbered lower than what it
    /// has, so that a call that was held up on the way cannot overtake a later one.
    #[must_use]
    pub fn order(&self) -> i64 {
        let settled = self.journal.record.settled_at.as_millisecond();
        self.now.as_millisecond().max(settled.saturating_add(1))
    }

    /// Runs one step of an ordered plan, unless it is completed for this payload: then its answer is returned.
    ///
    /// Before the step begins, the ledger says that it does, and that the steps before it are completed. So a step can be
    /// begun twice, after a crash or an unknown outcome ([`Step::is_repeat`]), but never once it is known to be completed.
    /// A changed payload starts the plan anew, and so does a forced sync; [`Step::earlier`] then has the answer of the last time.
    /// Begun anew by force, a step has the same [key](Self::step_key): for the same payload, in the name of the same event, it is a repeat.
    ///
    /// # Errors
    /// What the step answers, with its name; or that the ledger could not be written, which must be passed on.
    pub async fn step<T, F, Work>(&mut self, name: &str, work: F) -> Result<T, Error>
    where
        T: Serialize + DeserializeOwned,
        F: FnOnce(Step<T>) -> Work,
        Work: Future<Output = Result<T, Error>>,
    {
        let steps = self.steps();
        if let Some(done) = find(&steps.done, name) {
            let (output, report) = (read(done), StepReport::from(done));
            self.completed(report);
            return output;
        }
        let is_repeat = steps.begun.iter().any(|begun| begun == name);
        let earlier = find(&steps.earlier, name).map(read).transpose()?;
        if !is_repeat {
            self.steps_mut().begun.push(name.to_owned());
            self.checkpoint().await?;
        }
        let started = self.journal.clock.now();
        let output = match work(Step { is_repeat, earlier }).await {
            Ok(output) => output,
            Err(error) => {
                // It certainly did not happen, unless an earlier try did.
                if !is_repeat && !is_unknown(&error) {
                    self.steps_mut().begun.retain(|begun| begun != name);
                }
                return Err(error.in_step(name));
            }
        };
        let record = StepRecord {
            name: name.to_owned(),
            output: serde_json::to_value(&output).map_err(|error| unreadable(name, error))?,
            at: Some(self.journal.clock.now()),
            took_ms: Some(self.millis_since(started)),
        };
        self.completed(StepReport::from(&record));
        // Written with the beginning of the next step, or with the settle.
        let steps = self.steps_mut();
        steps.begun.retain(|begun| begun != name);
        steps.earlier.retain(|earlier| earlier.name != name);
        steps.done.push(record);
        Ok(output)
    }

    /// No push of this entity was ever completed: what a plan creates is new, and may be undone.
    #[must_use]
    pub fn is_first(&self) -> bool {
        self.journal.record.pushed_hash.is_none()
    }

    /// Says that the vendor's id became known, or was lost, in mid-plan. Kept with the next step, or the settle. Completed
    /// steps go with a lost id, unless they are being undone.
    pub fn set_link(&mut self, link: Option<String>) {
        self.link.clone_from(&link);
        let record = &mut *self.journal.record;
        if link.is_some() {
            record.reservation = None;
        } else {
            // What a plan completed, it completed on what is gone.
            record.steps.take_if(|steps| steps.undoing.is_none());
            record.parts.clear();
        }
        self.journal.record.link = link;
    }

    /// An idempotency key of one step: the same for a repeat of the same step of the same push, different for any other.
    #[must_use]
    pub fn step_key(&self, step: &str) -> String {
        crate::lane::short_hash(&format!("{}\n{step}", self.idempotency_key))
    }

    /// Whether a step is completed for this payload.
    #[must_use]
    pub fn is_done(&self, name: &str) -> bool {
        self.journal
            .record
            .steps
            .as_ref()
            .is_some_and(|steps| steps.plan == self.journal.plan && find(&steps.done, name).is_some())
    }

    /// Undoes a step: for [`Vendor::compensate`](super::Vendor::compensate), latest step first. `work` gets the step's answer,
    /// or `None` if the step was begun and its outcome is unknown. Does nothing if the step was not begun, or is undone.
    ///
    /// # Errors
    /// What `work` answers, or that the ledger could not be written.
    pub async fn undo<T, F, Work>(&mut self, name: &str, work: F) -> Result<(), Error>
    where
        T: DeserializeOwned,
        F: FnOnce(Option<T>) -> Work,
        Work: Future<Output = Result<(), Error>>,
    {
        let Some(steps) = &self.journal.record.steps else {
            return Ok(());
        };
        // What an earlier payload's plan completed stands at the vendor as well.
        let done = find(&steps.done, name).or_else(|| find(&steps.earlier, name));
        let output = match done {
            Some(done) => Some(read(done)?),
            None if steps.begun.iter().any(|begun| begun == name) => None,
            None => return Ok(()),
        };
        work(output).await.map_err(|error| error.in_step(name))?;
        if let Some(steps) = &mut self.journal.record.steps {
            steps.done.retain(|done| done.name != name);
            steps.earlier.retain(|done| done.name != name);
            steps.begun.retain(|begun| begun != name);
        }
        self.checkpoint().await
    }

    /// The plan of this payload; what an earlier one answered is kept for [`Step::earlier`].
    fn steps(&mut self) -> &Steps {
        let plan = self.journal.plan;
        let steps = self.journal.record.steps.get_or_insert_with(|| Steps::new(plan));
        if steps.plan != plan {
            *steps = steps.replan(plan);
        }
        steps
    }

    fn steps_mut(&mut self) -> &mut Steps {
        let plan = self.journal.plan;
        self.journal.record.steps.get_or_insert_with(|| Steps::new(plan))
    }

    pub(super) fn millis_since(&self, started: jiff::Timestamp) -> u64 {
        let took = self.journal.clock.now().duration_since(started);
        u64::try_from(took.as_millis()).unwrap_or(0)
    }

    pub(super) async fn checkpoint(&mut self) -> Result<(), Error> {
        self.journal.write().await
    }
}

fn is_unknown(error: &Error) -> bool {
    error.verdict() == Verdict::Unknown
}

fn find<'s>(steps: &'s [StepRecord], name: &str) -> Option<&'s StepRecord> {
    steps.iter().find(|step| step.name == name)
}

fn read<T: DeserializeOwned>(step: &StepRecord) -> Result<T, Error> {
    T::deserialize(&step.output).map_err(|error| unreadable(&step.name, error))
}

pub(super) fn unreadable(step: &str, error: serde_json::Error) -> Error {
    let message = "the answer of a completed step cannot be kept or read back";
    Error::permanent(ErrorKind::Unexpected, Stage::Push, message)
        .in_step(step)
        .caused_by(error)
}

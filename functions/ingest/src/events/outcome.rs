//! What became of an event: pure, from what the ledger says of it.

use jiff::Timestamp;
use serde::Serialize;
use vendorbridge::ledger::{EntityRecord, ErrorRecord, Status, StepReport};

use super::store::Outcome;
use vendorbridge::{ErrorKind, Version};

/// How one entity of an event stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Standing {
    /// Nothing is known yet.
    Pending,
    /// The vendor holds it.
    Done(Progress),
    /// It failed, and will be tried again at this time.
    Retrying(Box<Failure>, Timestamp),
    /// It failed, and only another event changes that.
    Failed(Box<Failure>),
}

/// What a plan did.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Progress {
    /// The outcome in the ledger.
    pub(crate) status: Status,
    /// The vendor's id.
    pub(crate) link: Option<String>,
    /// The steps that were completed.
    pub(crate) steps: Vec<StepView>,
}

/// What a plan did before it failed, where it did, and what it did not.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Failure {
    pub(crate) progress: Progress,
    pub(crate) error: ErrorRecord,
    pub(crate) not_done: Vec<String>,
}

/// How an entity stands for an event, and for the revision that this brought.
pub(crate) fn standing(outcome: &Outcome, event_id: &str, revision: u64) -> Standing {
    let Some(event) = &outcome.event else {
        // Its own outcome is written next; another event may have brought a newer state meanwhile.
        let by_another = outcome
            .entity
            .as_ref()
            .filter(|entity| entity.remembered(event_id).is_none());
        let done = by_another.filter(|entity| is_brought(entity, revision));
        return done.map_or(Standing::Pending, |entity| Standing::Done(of_entity(entity)));
    };
    let progress = Progress {
        status: event.status,
        link: event.link.clone(),
        steps: event.steps.iter().map(StepView::from).collect(),
    };
    match event.status {
        Status::Synced | Status::Unchanged | Status::Deleted | Status::Excluded => Standing::Done(progress),
        Status::Coalesced | Status::Covered => match &outcome.entity {
            Some(entity) => by_another(entity, revision),
            None => Standing::Pending,
        },
        Status::Parked => failed(progress, event.error.as_ref(), &event.not_done, event.wake_at),
        Status::Rejected | Status::Dead => failed(progress, event.error.as_ref(), &event.not_done, None),
    }
}

/// Another event does the work: the entity says how far that is. What was brought once stays done, whatever fails later.
fn by_another(entity: &EntityRecord, revision: u64) -> Standing {
    let progress = of_entity(entity);
    if is_brought(entity, revision) {
        return Standing::Done(progress);
    }
    match (&entity.parked, &entity.error) {
        (Some(parked), _) => failed(progress, Some(&parked.error), &[], Some(parked.wake_at)),
        (None, Some(error)) => failed(progress, Some(error), &[], None),
        (None, None) => Standing::Pending,
    }
}

fn is_brought(entity: &EntityRecord, revision: u64) -> bool {
    let wanted = Version::Number(revision);
    entity
        .synced_version
        .as_ref()
        .is_some_and(|synced| *synced >= wanted)
}

fn of_entity(entity: &EntityRecord) -> Progress {
    Progress {
        status: entity.status,
        link: entity.link.clone(),
        steps: Vec::new(),
    }
}

fn failed(
    progress: Progress,
    error: Option<&ErrorRecord>,
    not_done: &[String],
    again: Option<Timestamp>,
) -> Standing {
    let Some(error) = error else {
        return Standing::Pending;
    };
    let failure = Box::new(Failure {
        progress,
        error: error.clone(),
        not_done: not_done.to_vec(),
    });
    match again {
        Some(at) => Standing::Retrying(failure, at),
        None => Standing::Failed(failure),
    }
}

/// What waits for another entity of the same event did not fail, as long as nothing is known of that one.
pub(crate) fn in_plan(standings: Vec<Standing>) -> Vec<Standing> {
    if !standings.iter().any(Standing::is_pending) {
        return standings;
    }
    let waits = |standing: &Standing| matches!(standing, Standing::Retrying(failure, _) if failure.error.kind == ErrorKind::Waiting);
    let each = standings.into_iter();
    each.map(|standing| {
        if waits(&standing) {
            Standing::Pending
        } else {
            standing
        }
    })
    .collect()
}

/// A completed step, as a caller is told of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct StepView {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    took_ms: Option<u64>,
}

impl From<&StepReport> for StepView {
    fn from(step: &StepReport) -> Self {
        Self {
            name: step.name.clone(),
            id: step.id.clone(),
            at: step.at,
            took_ms: step.took_ms,
        }
    }
}

impl Standing {
    /// Whether it is worth while to look again soon.
    pub(crate) fn is_pending(&self) -> bool {
        matches!(self, Self::Pending)
    }
}

#[cfg(test)]
mod tests;

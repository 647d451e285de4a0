//! Taking an event: its request and the states that it leads to are written together, then the states go into their lanes.

use std::time::Duration;

use futures::future::join_all;
use http::StatusCode;
use jiff::Timestamp;
use serde_json::{Value, json};
use vendorbridge::lane::{LaneMessage, lane, short_hash};
use vendorbridge::{EntityKey, Error};

use super::outcome::standing;
use super::store::{Acceptance, Changed, Replacement, Request, Wanted};
use super::{DETAIL_TYPE, SOURCE};
use crate::app::Ingest;
use crate::lines::{Change, merge};
use crate::problem::{Problem, Violation};

/// Two that change the same product at once take turns: this often.
const TRIES: u32 = 8;
/// The longest pause before the second try; it grows with each.
const PAUSE: Duration = Duration::from_millis(40);
/// When to come again.
pub(super) const RETRY_AFTER_SECONDS: u32 = 2;

/// An event that is accepted, and what is to be sent for it.
#[derive(Debug)]
pub(super) struct Accepted {
    pub(super) request: Request,
    /// The states to send; none where a repeat finds that they arrived.
    pub(super) messages: Vec<LaneMessage>,
}

/// Writes the request and what it leads to, or finds that this was done before.
///
/// # Errors
/// What is wrong with the event, or that it cannot be taken at the moment.
pub(super) async fn accept(ingest: &Ingest, seed: &Request, changes: &[Change]) -> Result<Accepted, Problem> {
    for attempt in 0..TRIES {
        let known = ingest
            .store
            .request(&seed.line, &seed.id)
            .await
            .map_err(|error| not_taken(&error))?;
        if let Some(known) = known {
            return repeat(ingest, seed, known).await;
        }
        let replacements = replacements(ingest, &seed.line, changes).await?;
        let request = Request {
            changes: changed(changes, &replacements),
            ..seed.clone()
        };
        let written = ingest.store.accept(&request, &replacements).await;
        match written.map_err(|error| not_taken(&error))? {
            Acceptance::Written => {
                let states = replacements.iter().map(|each| (&each.entity, &each.wanted));
                let messages = states
                    .map(|(entity, wanted)| message(&event_id(&request), request.at, entity, wanted))
                    .collect();
                return Ok(Accepted { request, messages });
            }
            Acceptance::Overtaken => {
                let pause = PAUSE.saturating_mul(attempt + 1).mul_f64(ingest.random());
                ingest.clock.sleep(pause).await;
            }
            Acceptance::Claimed(at) => return Err(claimed(changes, &replacements[at])),
        }
    }
    let detail = "others change the same product all the time: nothing was taken";
    Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not-taken", detail).retry_after(RETRY_AFTER_SECONDS))
}

/// The same id once more: the same outcome, or a conflict.
async fn repeat(ingest: &Ingest, seed: &Request, known: Request) -> Result<Accepted, Problem> {
    if known.hash != seed.hash {
        let detail = "expected what came with this id the first time, found something else: a new event needs a new id";
        return Err(Problem::new(StatusCode::CONFLICT, "idempotency-mismatch", detail));
    }
    let mut messages = Vec::new();
    let id = event_id(&known);
    for change in &known.changes {
        let outcome = ingest.store.outcome(&change.entity, known.at, &id).await;
        let outcome = outcome.map_err(|error| not_taken(&error))?;
        if outcome.event.is_some() || !standing(&outcome, &id, change.revision).is_pending() {
            continue;
        }
        // It may never have been sent. What the line wants by now includes it, but is another event's outcome.
        let wanted = ingest
            .store
            .wanted(&change.entity)
            .await
            .map_err(|error| not_taken(&error))?;
        messages.extend(wanted.map(|wanted| {
            let id = if wanted.revision == change.revision {
                id.clone()
            } else {
                format!("{id}~{}", wanted.revision)
            };
            message(&id, known.at, &change.entity, &wanted)
        }));
    }
    Ok(Accepted {
        request: known,
        messages,
    })
}

/// The states after these changes.
async fn replacements(ingest: &Ingest, line: &str, changes: &[Change]) -> Result<Vec<Replacement>, Problem> {
    let entities = changes.iter().map(|change| entity(line, change));
    let entities: Vec<_> = entities.collect::<Result<_, _>>()?;
    let wanted = join_all(entities.iter().map(|entity| ingest.store.wanted(entity))).await;
    let mut replacements: Vec<Replacement> = Vec::with_capacity(changes.len());
    for ((change, entity), wanted) in changes.iter().zip(entities).zip(wanted) {
        let wanted = wanted.map_err(|error| not_taken(&error))?;
        let revision = wanted.as_ref().map_or(0, |wanted| wanted.revision);
        let pending = replacements.iter().position(|each| each.entity == entity);
        let before = match pending {
            Some(at) => Some(replacements[at].wanted.state.clone()),
            None => wanted.map(|wanted| wanted.state),
        };
        let is_new = before.is_none();
        let state = merge(before, change).map_err(invalid)?;
        match pending {
            Some(at) => replacements[at].wanted.state = state,
            None => replacements.push(Replacement {
                entity,
                claim: is_new.then(|| key_at_vendor(&state)).flatten(),
                wanted: Wanted {
                    revision: revision + 1,
                    state,
                },
            }),
        }
    }
    Ok(replacements)
}

fn changed(changes: &[Change], replacements: &[Replacement]) -> Vec<Changed> {
    let of = |replacement: &Replacement| {
        let id = replacement.entity.id().split_once(':').map_or("", |(_, id)| id);
        let kind = replacement.entity.entity_type();
        changes
            .iter()
            .rev()
            .find(|change| change.id == id && change.entity_type.as_str() == kind)
    };
    let each = replacements.iter().map(|replacement| Changed {
        entity: replacement.entity.clone(),
        revision: replacement.wanted.revision,
        origin: of(replacement)
            .map(|change| change.origin.clone())
            .unwrap_or_default(),
    });
    each.collect()
}

/// What is wrong with an event's data.
pub(super) fn invalid(violations: Vec<crate::lines::Violation>) -> Problem {
    let violations = violations.into_iter().map(|violation| Violation {
        index: None,
        pointer: format!("/data{}", violation.pointer),
        expected: violation.expected,
        found: violation.found,
    });
    Problem::violations(violations.collect())
}

/// Organization and number make a course's key at the vendor: two products of one key would be one course there.
fn key_at_vendor(state: &Value) -> Option<String> {
    let text = |pointer| state.pointer(pointer).and_then(Value::as_str);
    Some(format!(
        "{}+{}",
        text("/course/organization")?,
        text("/course/number")?
    ))
}

/// The key of what a change is about.
fn entity(line: &str, change: &Change) -> Result<EntityKey, Problem> {
    EntityKey::new(change.entity_type.as_str(), &format!("{line}:{}", change.id)).map_err(|error| {
        let violation = Violation {
            index: None,
            pointer: change
                .origin
                .of("/id")
                .map_or_else(|| "/data".to_owned(), |at| format!("/data{at}")),
            expected: "an id".to_owned(),
            found: error.to_string(),
        };
        Problem::violations(vec![violation])
    })
}

fn claimed(changes: &[Change], replacement: &Replacement) -> Problem {
    let course = changes
        .iter()
        .rev()
        .find(|change| change.entity_type.as_str() == replacement.entity.entity_type());
    let pointer = course.and_then(|change| change.origin.of("/course/number"));
    Problem::violations(vec![Violation {
        index: None,
        pointer: pointer.map_or_else(|| "/data".to_owned(), |at| format!("/data{at}")),
        expected: "a number that no other product of the organization has".to_owned(),
        found: "that of another product".to_owned(),
    }])
}

/// The id of a request's event on its way and in the ledger.
pub(super) fn event_id(request: &Request) -> String {
    format!("{}:{}", request.line, request.id)
}

/// A state on its way into its lane: an event as EventBridge would deliver it.
fn message(id: &str, at: Timestamp, entity: &EntityKey, wanted: &Wanted) -> LaneMessage {
    let body = json!({
        "version": "0", "id": id, "detail-type": DETAIL_TYPE, "source": SOURCE,
        "account": "", "time": at, "region": "", "resources": [],
        "detail": {
            "type": entity.entity_type(), "key": entity.id(), "revision": wanted.revision, "state": wanted.state,
        },
    });
    LaneMessage {
        trace_header: None,
        group: lane(entity),
        deduplication_id: short_hash(&format!("{id}\n{entity}\n{}", wanted.revision)),
        body: body.to_string(),
    }
}

/// The table or the queue does not answer.
pub(super) fn not_taken(error: &Error) -> Problem {
    let detail = "the event cannot be taken at the moment: send it again, with the same id if it has one";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not-taken", detail)
        .retry_after(RETRY_AFTER_SECONDS)
        .because(error.vendor_code().unwrap_or(error.kind().name()))
}

/// To the millisecond, which is what the ledger's keys know.
pub(super) fn to_the_millisecond(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at)
}

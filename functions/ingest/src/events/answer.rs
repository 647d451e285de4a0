//! What a caller is told of an event.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::LOCATION;
use http::{HeaderValue, StatusCode};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use vendorbridge::ledger::Status;

use super::outcome::{Failure, Standing, StepView};
use super::store::Request;
use crate::problem::{More, PointOfFailure, Problem, Retry};

/// An event, and how it stands.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Report {
    id: String,
    line: String,
    event: String,
    status: Overall,
    href: String,
    entities: Vec<Entity>,
}

#[derive(Debug, Clone, Serialize)]
struct Entity {
    #[serde(rename = "entity")]
    key: String,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<String>,
    steps: Vec<StepView>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Overall {
    /// The vendor holds all of it.
    Done,
    /// Not all of it is known.
    Pending,
    /// Something failed and is tried again.
    Retrying,
    /// Something failed for good.
    Failed,
}

impl Report {
    /// A request, and how each of its entities stands, in the plan's order.
    pub(crate) fn new(request: &Request, standings: &[Standing]) -> Self {
        let entities = request.changes.iter().zip(standings).map(|(change, standing)| {
            let progress = match standing {
                Standing::Pending => None,
                Standing::Done(progress) => Some(progress),
                Standing::Retrying(failure, _) | Standing::Failed(failure) => Some(&failure.progress),
            };
            Entity {
                key: change.entity.to_string(),
                status: progress.map_or("PENDING", |progress| progress.status.name()),
                link: progress.and_then(|progress| progress.link.clone()),
                steps: progress
                    .map(|progress| progress.steps.clone())
                    .unwrap_or_default(),
            }
        });
        Self {
            id: request.id.clone(),
            line: request.line.clone(),
            event: request.event.clone(),
            status: overall(standings),
            href: format!("/v1/events/{}", request.id),
            entities: entities.collect(),
        }
    }

    /// As the answer to `GET`: whatever became of the event, it was found.
    pub(crate) fn found(self, problem: Option<&Problem>) -> Response {
        let mut body = json!(self);
        if let (Some(problem), Some(members)) = (problem, body.as_object_mut()) {
            members.insert("problem".to_owned(), problem.body());
        }
        Json(body).into_response()
    }
}

/// What one event of a request comes to.
#[derive(Debug)]
pub(crate) enum Answer {
    /// It is done, or under way.
    Report(Report),
    /// It is not, or not yet, what the caller wanted.
    Problem(Box<Problem>),
}

impl Answer {
    /// The answer to an event that was accepted.
    pub(crate) fn of(request: &Request, standings: &[Standing]) -> Self {
        match problem(request, standings) {
            Some(problem) => Self::Problem(Box::new(problem)),
            None => Self::Report(Report::new(request, standings)),
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Report(report) if report.status == Overall::Pending => StatusCode::ACCEPTED,
            Self::Report(_) => StatusCode::OK,
            Self::Problem(problem) => problem.status(),
        }
    }

    /// The event was accepted.
    pub(crate) fn is_accepted(&self) -> bool {
        match self {
            Self::Report(_) => true,
            Self::Problem(problem) => problem.is_of_accepted(),
        }
    }

    /// The answer to a request that brought this event alone.
    pub(crate) fn alone(self) -> Response {
        let status = self.status();
        match self {
            Self::Problem(problem) => problem.into_response(),
            Self::Report(report) => {
                let location = HeaderValue::from_str(&report.href).ok();
                let mut response = (status, Json(report)).into_response();
                if let Some(location) = location.filter(|_| status == StatusCode::ACCEPTED) {
                    response.headers_mut().insert(LOCATION, location);
                }
                response
            }
        }
    }

    fn in_array(&self) -> Value {
        let mut body = match self {
            Self::Report(report) => json!(report),
            Self::Problem(problem) => problem.body(),
        };
        if let Some(members) = body.as_object_mut() {
            members.insert("http_status".to_owned(), self.status().as_u16().into());
        }
        body
    }
}

/// The answer to a request that brought several.
pub(crate) fn array(answers: &[Answer]) -> Response {
    let is_all = |status: StatusCode| answers.iter().all(|answer| answer.status() == status);
    let status = if answers.iter().any(|answer| matches!(answer, Answer::Problem(_))) {
        StatusCode::MULTI_STATUS
    } else if is_all(StatusCode::OK) {
        StatusCode::OK
    } else {
        StatusCode::ACCEPTED
    };
    let outcomes: Vec<_> = answers.iter().map(Answer::in_array).collect();
    (status, Json(json!({ "outcomes": outcomes }))).into_response()
}

fn overall(standings: &[Standing]) -> Overall {
    let any = |is: fn(&Standing) -> bool| standings.iter().any(is);
    if any(|standing| matches!(standing, Standing::Failed(_))) {
        Overall::Failed
    } else if any(|standing| matches!(standing, Standing::Retrying(..))) {
        Overall::Retrying
    } else if any(Standing::is_pending) {
        Overall::Pending
    } else {
        Overall::Done
    }
}

/// The exact point of failure, if there is one: the first in the plan's order, one for good before one that is tried again.
pub(crate) fn problem(request: &Request, standings: &[Standing]) -> Option<Problem> {
    let each = || request.changes.iter().zip(standings);
    let for_good = each().find_map(|(change, standing)| match standing {
        Standing::Failed(failure) => Some((change, failure, None)),
        _ => None,
    });
    let again = || {
        each().find_map(|(change, standing)| match standing {
            Standing::Retrying(failure, at) => Some((change, failure, Some(*at))),
            _ => None,
        })
    };
    let (change, failure, retry_at) = for_good.or_else(again)?;
    let error = &failure.error;
    let pointer = error
        .pointer
        .as_deref()
        .and_then(|pointer| change.origin.of(pointer));
    let point = PointOfFailure {
        entity: change.entity.to_string(),
        step: error
            .step
            .clone()
            .unwrap_or_else(|| error.stage.name().to_owned()),
        pointer: pointer.map(|pointer| format!("/data{pointer}")),
        vendor_status: error.status,
        vendor_code: error.code.clone(),
        vendor_message: error.message.clone(),
    };
    let more = More::Failure {
        id: request.id.clone(),
        href: format!("/v1/events/{}", request.id),
        point_of_failure: point,
        done: done(standings),
        not_done: not_done(request, standings, failure),
        retry: Retry {
            will_be_retried: retry_at.is_some(),
            at: retry_at,
        },
    };
    let problem = if failure.progress.status == Status::Dead {
        let detail =
            "the vendor did not carry this out, and it is not tried again: send it again under a new id";
        Problem::new(StatusCode::BAD_GATEWAY, "vendor-failed", detail)
    } else if retry_at.is_none() {
        let detail = "the vendor refuses this: mend it and send it again under a new id";
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "refused-by-vendor", detail)
    } else {
        let detail =
            "the vendor did not carry this out to the end; it is tried again, nothing need be sent again";
        Problem::new(StatusCode::BAD_GATEWAY, "vendor-failed", detail)
    };
    Some(problem.with(more))
}

fn done(standings: &[Standing]) -> Vec<StepView> {
    let steps = standings.iter().flat_map(|standing| match standing {
        Standing::Pending => &[],
        Standing::Done(progress) => &progress.steps[..],
        Standing::Retrying(failure, _) | Standing::Failed(failure) => &failure.progress.steps[..],
    });
    steps.cloned().collect()
}

/// The steps that are open where it failed, and the entities of which nothing is known.
fn not_done(request: &Request, standings: &[Standing], failure: &Failure) -> Vec<String> {
    let others = request.changes.iter().zip(standings);
    let others = others.filter(|(_, standing)| standing.is_pending());
    let others = others.map(|(change, _)| change.entity.to_string());
    failure.not_done.iter().cloned().chain(others).collect()
}

/// The time, for `Retry-After`; at least a second.
pub(crate) fn seconds_until(at: Timestamp, now: Timestamp) -> u32 {
    let seconds = at.duration_since(now).as_secs().saturating_add(1);
    u32::try_from(seconds.max(1)).unwrap_or(1)
}

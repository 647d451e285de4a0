//! `POST /v1/lines/{line}/events`: what a line of business wants to stand at the vendor, and what became of it.

mod accept;
mod answer;
mod body;
mod caller;
mod outcome;
mod sender;
mod store;
mod wait;

use std::sync::Arc;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequest, Path, State};
use axum::response::{IntoResponse, Response};
use futures::future::join_all;
use http::{Request as HttpRequest, StatusCode};
use jiff::{SignedDuration, Timestamp};
use vendorbridge::telemetry::loggable;

use crate::app::Ingest;
use crate::line::Line;
use crate::lines::{Shape, ShapeError, Shapes};
use crate::problem::Problem;

use accept::{not_taken, to_the_millisecond};
use answer::{Answer, Report};
use body::is_known_id;
use caller::{unknown, wait_seconds};
use sender::Sender;
use wait::{standings, wait_for};

pub(crate) use caller::Caller;
pub(crate) use outcome::StepView;
pub use store::{Acceptance, Changed, DynamoStore, Outcome, Replacement, Request, Store, Wanted};

/// The vendor that products go to.
pub(crate) const VENDOR: &str = "discovery";
/// The source of its events.
pub(crate) const SOURCE: &str = "lines";
/// Their detail type.
pub(crate) const DETAIL_TYPE: &str = "LineStateChanged";

pub(crate) const PATH: &str = "/v1/lines/{line}/events";
pub(crate) const EVENT_PATH: &str = "/v1/events/{id}";

/// A longer body is not read.
pub(crate) const MAX_BODY_BYTES: usize = 1024 * 1024;
/// The longest a caller waits for the outcome; API Gateway gives up after 30 s
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>).
const MAX_WAIT_SECONDS: u32 = 20;
/// Calls are counted in windows of this length.
const WINDOW_SECONDS: i64 = 10;

/// Takes the body's events, and waits for what becomes of them.
pub(crate) async fn post(
    State(ingest): State<Arc<Ingest>>,
    name: Result<Path<String>, PathRejection>,
    request: HttpRequest<axum::body::Body>,
) -> (Extension<Line>, Response) {
    let mut line = Line {
        route: "POST /v1/lines/{line}/events",
        ..Line::default()
    };
    let response = take(&ingest, &text(name), request, &mut line).await;
    let response = response.unwrap_or_else(IntoResponse::into_response);
    (Extension(line), response)
}

/// Says what became of an event.
pub(crate) async fn get(
    State(ingest): State<Arc<Ingest>>,
    id: Result<Path<String>, PathRejection>,
    request: HttpRequest<axum::body::Body>,
) -> (Extension<Line>, Response) {
    let mut line = Line {
        route: "GET /v1/events/{id}",
        ..Line::default()
    };
    let response = look_up(&ingest, &text(id), Caller::of(&request), &mut line).await;
    let response = response.unwrap_or_else(IntoResponse::into_response);
    (Extension(line), response)
}

async fn take(
    ingest: &Ingest,
    name: &str,
    request: HttpRequest<axum::body::Body>,
    line: &mut Line,
) -> Result<Response, Problem> {
    let began = ingest.clock.now();
    let caller = admitted(ingest, Caller::of(&request), line).await?;
    let config = caller.line(&ingest.lines, name)?;
    let headers = request.headers().clone();
    let wait = wait_seconds(&headers, MAX_WAIT_SECONDS);
    let key = body::idempotency_key(&headers)?;
    let bytes = bytes(request).await?;
    let read = body::read(&headers, &bytes)?;
    line.events = Some(read.events.len());
    // The first one is counted with the request.
    let more = u32::try_from(read.events.len().saturating_sub(1)).unwrap_or(u32::MAX);
    throttle(ingest, &caller, more).await?;
    let sender = Sender {
        ingest,
        line: name,
        config,
        caller: &caller,
        at: to_the_millisecond(began),
        key: key.as_deref(),
        is_array: read.is_array,
    };
    let mut taken = sender.accept_all(read.events).await;
    sender.send(&mut taken).await;
    let until = began
        .saturating_add(SignedDuration::from_secs(wait.into()))
        .unwrap_or(began);
    let answers = join_all(taken.into_iter().map(|taken| async {
        match taken {
            Ok(accepted) => {
                let standings = wait_for(ingest, &accepted.request, until).await;
                Answer::of(&accepted.request, &standings)
            }
            Err(problem) => Answer::Problem(Box::new(problem)),
        }
    }));
    let answers = answers.await;
    line.accepted = Some(answers.iter().filter(|answer| answer.is_accepted()).count());
    if read.is_array {
        return Ok(answer::array(&answers));
    }
    let alone = answers.into_iter().next();
    alone.map(Answer::alone).ok_or_else(not_found)
}

async fn look_up(
    ingest: &Ingest,
    id: &str,
    caller: Option<Caller>,
    line: &mut Line,
) -> Result<Response, Problem> {
    let caller = admitted(ingest, caller, line).await?;
    if !is_known_id(id) {
        return Err(not_found());
    }
    let own = ingest
        .lines
        .iter()
        .filter(|(_, line)| line.callers.contains(&caller.name));
    for (name, _) in own {
        let known = ingest
            .store
            .request(name, id)
            .await
            .map_err(|error| not_taken(&error))?;
        if let Some(known) = known {
            let standings = standings(ingest, &known).await?;
            let problem = answer::problem(&known, &standings);
            return Ok(Report::new(&known, &standings).found(problem.as_ref()));
        }
    }
    Err(not_found())
}

/// Who calls, if that is known, and not too often.
pub(crate) async fn admitted(
    ingest: &Ingest,
    caller: Option<Caller>,
    line: &mut Line,
) -> Result<Caller, Problem> {
    let caller = caller.ok_or_else(unknown)?;
    line.caller = Some(if caller.name.starts_with("jwt") {
        "jwt"
    } else {
        "iam"
    });
    line.identity = Some(loggable(&caller.identity));
    throttle(ingest, &caller, 1).await?;
    Ok(caller)
}

async fn throttle(ingest: &Ingest, caller: &Caller, calls: u32) -> Result<(), Problem> {
    if calls == 0 {
        return Ok(());
    }
    let now = ingest.clock.now();
    let window = now.as_second().div_euclid(WINDOW_SECONDS) * WINDOW_SECONDS;
    let window = Timestamp::from_second(window).unwrap_or(now);
    let most = ingest.calls_per_window;
    let counted = ingest.store.count(&caller.name, window, calls, most).await;
    if counted.map_err(|error| not_taken(&error))? {
        return Ok(());
    }
    let detail = format!("expected at most {most} calls and events in {WINDOW_SECONDS} seconds, found more");
    let ends = window
        .saturating_add(SignedDuration::from_secs(WINDOW_SECONDS))
        .unwrap_or(now);
    Err(
        Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-many-requests", detail)
            .retry_after(answer::seconds_until(ends, now)),
    )
}

async fn bytes(request: HttpRequest<axum::body::Body>) -> Result<Bytes, Problem> {
    Bytes::from_request(request, &()).await.map_err(|rejection| {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            let detail = format!("expected a body of at most {MAX_BODY_BYTES} bytes, found a longer one");
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", detail)
        } else {
            Problem::new(StatusCode::BAD_REQUEST, "unreadable", "the body cannot be read")
        }
    })
}

/// The shape of this name; the configuration names none that is not there.
pub(crate) fn shape(name: &str) -> Result<&'static Shape, Problem> {
    let shapes = Shapes::shipped().map_err(|error| broken(&error))?;
    shapes.get(name).ok_or_else(not_found)
}

/// A fault of ours.
pub(crate) fn broken(error: &ShapeError) -> Problem {
    let detail = "the line's data cannot be read: its operator has to mend that";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not-taken", detail).because(&error.to_string())
}

/// A part of the path; none of ours if it is no text.
pub(crate) fn text(path: Result<Path<String>, PathRejection>) -> String {
    path.map(|Path(text)| text).unwrap_or_default()
}

fn not_found() -> Problem {
    let detail = "expected the id of an event of the caller's lines, found another";
    Problem::new(StatusCode::NOT_FOUND, "unknown-event-id", detail)
}

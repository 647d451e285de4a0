//! The console's paths: the page, and the page's questions.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::rejection::JsonRejection;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::StatusCode;
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router, middleware};
use futures::Stream;
use serde::{Deserialize, Serialize};
use vendorbridge::EntityKey;

use super::actions::{self, Pause, Replay, Resume};
use super::attention::{Kind, List};
use super::entity::{MAX_DAYS, Standing};
use super::failure::Failure;
use super::guard::{self, Guard};
use super::live::EVERY;
use super::{Console, assets};
use crate::CliError;
use crate::status::EntityReport;

/// The longest question: five hundred entity keys.
const MAX_BODY: usize = 256 * 1024;

type Shared = State<Arc<Console>>;

/// Everything that the console answers.
pub(super) fn service(console: Arc<Console>, guard: Guard) -> Router {
    let questions = Router::new()
        .route("/api/live", get(live))
        .route("/api/entities", get(entity))
        .route("/api/vendors/{vendor}/entity", get(standing))
        .route("/api/vendors/{vendor}/attention", get(attention))
        .route("/api/vendors/{vendor}/pause", post(pause))
        .route("/api/vendors/{vendor}/resume", post(resume))
        .route("/api/vendors/{vendor}/replay", post(replay))
        .with_state(console);
    guarded(questions, guard)
}

/// The page and these questions, behind the guard.
pub(super) fn guarded(questions: Router, guard: Guard) -> Router {
    let page = assets::FILES
        .into_iter()
        .fold(questions, |page, (path, kind, text)| {
            page.route(path, get(move || async move { assets::file(kind, text) }))
        });
    page.fallback(async || StatusCode::NOT_FOUND)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(middleware::from_fn_with_state(Arc::new(guard), guard::check))
}

/// The overview again and again, until the tab is closed.
async fn live(State(console): Shared) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let rounds = futures::stream::unfold((console, true), async |(console, is_first)| {
        if !is_first {
            tokio::time::sleep(EVERY).await;
        }
        let overview = console.live.overview(&console.session).await;
        Some((Ok(Event::default().data(&*overview)), (console, false)))
    });
    Sse::new(rounds)
}

#[derive(Debug, Deserialize)]
struct Wanted {
    key: String,
    days: Option<i64>,
}

/// Where an entity stands at every vendor.
async fn entity(State(console): Shared, Query(wanted): Query<Wanted>) -> Result<Json<EntityReport>, Failure> {
    let entity = key(&wanted)?;
    let session = &console.session;
    let vendors = session.deployment.chosen(None)?;
    let report = EntityReport::read(&session.reader(), &vendors, &entity).await;
    Ok(Json(report.map_err(CliError::unread)?))
}

fn key(wanted: &Wanted) -> Result<EntityKey, Failure> {
    let key = wanted.key.trim().parse::<EntityKey>();
    key.map_err(|invalid| Failure::bad_request(&invalid))
}

/// Why an entity is or is not at a vendor, and what happened to it in the last `days`.
async fn standing(
    State(console): Shared,
    Path(vendor): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Standing>, Failure> {
    let entity = key(&wanted)?;
    let session = &console.session;
    session.deployment.chosen(Some(&vendor))?;
    let days = wanted.days.unwrap_or(1).clamp(1, MAX_DAYS);
    Ok(Json(Standing::read(session, &vendor, &entity, days).await?))
}

#[derive(Debug, Deserialize)]
struct Which {
    kind: Kind,
}

async fn attention(
    State(console): Shared,
    Path(vendor): Path<String>,
    Query(which): Query<Which>,
) -> Result<Json<List>, Failure> {
    let session = &console.session;
    session.deployment.chosen(Some(&vendor))?;
    Ok(Json(List::read(&session.reader(), &vendor, which.kind).await?))
}

async fn pause(
    State(console): Shared,
    Path(vendor): Path<String>,
    asked: Result<Json<Pause>, JsonRejection>,
) -> Response {
    let done = match body(asked) {
        Ok(asked) => actions::pause(&console.session, &vendor, asked).await,
        Err(failure) => Err(failure),
    };
    told(&console, &vendor, done).await
}

async fn resume(
    State(console): Shared,
    Path(vendor): Path<String>,
    asked: Result<Json<Resume>, JsonRejection>,
) -> Response {
    let done = match body(asked) {
        Ok(asked) => actions::resume(&console.session, &vendor, asked).await,
        Err(failure) => Err(failure),
    };
    told(&console, &vendor, done).await
}

async fn replay(
    State(console): Shared,
    Path(vendor): Path<String>,
    asked: Result<Json<Replay>, JsonRejection>,
) -> Response {
    let done = match body(asked) {
        Ok(asked) => actions::replay(&console.session, &vendor, asked).await,
        Err(failure) => Err(failure),
    };
    told(&console, &vendor, done).await
}

fn body<T>(asked: Result<Json<T>, JsonRejection>) -> Result<T, Failure> {
    let Json(asked) = asked.map_err(|rejection| Failure::bad_request(&rejection.body_text()))?;
    Ok(asked)
}

/// An action's answer; the numbers of everyone who looks are read again.
async fn told<T: Serialize>(console: &Console, vendor: &str, done: Result<T, Failure>) -> Response {
    console.live.changed(vendor).await;
    done.map(Json).into_response()
}

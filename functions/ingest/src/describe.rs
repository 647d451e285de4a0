//! The routes that say what the API is. They too are for callers that API Gateway knows, and for nobody else.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Query, Request, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use http::StatusCode;
use serde::Deserialize;

use crate::app::Ingest;
use crate::events::{Caller, admitted, broken, shape, text};
use crate::line::Line;
use crate::lines::{CANONICAL, Shape};
use crate::openapi;
use crate::problem::Problem;

pub(crate) const SCHEMAS_PATH: &str = "/v1/schemas";
pub(crate) const SCHEMA_PATH: &str = "/v1/schemas/{event}";
pub(crate) const OPENAPI_PATH: &str = "/v1/openapi.json";

/// Which line's shape is meant.
#[derive(Debug, Deserialize)]
struct OfLine {
    line: Option<String>,
}

/// The events that a line may send.
pub(crate) async fn schemas(
    State(ingest): State<Arc<Ingest>>,
    request: Request,
) -> (Extension<Line>, Response) {
    let of_line = of_line(&request);
    answered("GET /v1/schemas", &ingest, Caller::of(&request), |caller| {
        let (shape, line) = chosen(&ingest, &caller, of_line)?;
        Ok(Json(openapi::schemas(shape, line.as_deref())).into_response())
    })
    .await
}

/// The schema of an event's data.
pub(crate) async fn schema(
    State(ingest): State<Arc<Ingest>>,
    event: Result<Path<String>, PathRejection>,
    request: Request,
) -> (Extension<Line>, Response) {
    let (of_line, event) = (of_line(&request), text(event));
    answered(
        "GET /v1/schemas/{event}",
        &ingest,
        Caller::of(&request),
        |caller| {
            let (shape, _) = chosen(&ingest, &caller, of_line)?;
            let schema = shape.schema(&event).ok_or_else(|| {
                let known: Vec<_> = shape.events().collect();
                let detail = format!("expected one of {}, found another event", known.join(", "));
                Problem::new(StatusCode::NOT_FOUND, "not-found", detail)
            })?;
            Ok(Json(schema).into_response())
        },
    )
    .await
}

/// The OpenAPI document.
pub(crate) async fn document(
    State(ingest): State<Arc<Ingest>>,
    request: Request,
) -> (Extension<Line>, Response) {
    answered("GET /v1/openapi.json", &ingest, Caller::of(&request), |_| {
        let document = openapi::document().map_err(|error| broken(&error))?;
        Ok(Json(document).into_response())
    })
    .await
}

async fn answered(
    route: &'static str,
    ingest: &Ingest,
    caller: Option<Caller>,
    answer: impl FnOnce(Caller) -> Result<Response, Problem>,
) -> (Extension<Line>, Response) {
    let mut line = Line {
        route,
        ..Line::default()
    };
    let response = admitted(ingest, caller, &mut line).await.and_then(answer);
    (
        Extension(line),
        response.unwrap_or_else(IntoResponse::into_response),
    )
}

fn of_line(request: &Request) -> Result<OfLine, Problem> {
    let query = Query::try_from_uri(request.uri());
    query.map(|Query(of_line)| of_line).map_err(|_| {
        let detail = "expected at most one `line` in the query, found another query";
        Problem::new(StatusCode::BAD_REQUEST, "bad-query", detail)
    })
}

/// The canonical shape, or that of a line that the caller may write.
fn chosen(
    ingest: &Ingest,
    caller: &Caller,
    of_line: Result<OfLine, Problem>,
) -> Result<(&'static Shape, Option<String>), Problem> {
    let OfLine { line } = of_line?;
    let shape = match &line {
        None => shape(CANONICAL),
        Some(name) => shape(&caller.line(&ingest.lines, name)?.shape),
    };
    Ok((shape?, line))
}

//! `POST /v1/events/sapb1`: what changed in SAP Business One, by the B1 Integration Framework or by the post-transaction notice.

mod b1event;
mod body;
mod check;
mod notice;
mod object;
mod xml;

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, Query, Request, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use http::{HeaderMap, StatusCode};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use vendorbridge::bus::{Refusal, put_all};

use crate::access::{self, Refused, Shown};
use crate::app::Ingest;
use crate::line::Line;
use crate::problem::{Accepted, Failed, More, Problem};

use body::Format;
use check::Expected;
use object::ObjectChanged;

pub use object::{DETAIL_TYPE, SOURCE};

/// The route's path.
pub(crate) const PATH: &str = "/v1/events/sapb1";
const ROUTE: &str = "POST /v1/events/sapb1";
/// A longer body is not read.
pub(crate) const MAX_BODY_BYTES: usize = 1024 * 1024;
/// A request is answered within this time; API Gateway gives up after 30 s
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>).
const ANSWERED_WITHIN: SignedDuration = SignedDuration::from_secs(20);
/// When to send again what the bus did not take.
const RETRY_AFTER_SECONDS: u32 = 15;

#[derive(Deserialize)]
struct Parameters {
    company: Option<String>,
}

#[derive(Serialize)]
struct Parked {
    events: Vec<Accepted>,
}

/// Puts the body's events on the bus: all of them, or none, or it says which.
pub(crate) async fn post(State(ingest): State<Arc<Ingest>>, request: Request) -> (Extension<Line>, Response) {
    let mut line = Line {
        route: ROUTE,
        ..Line::default()
    };
    let response = answer(&ingest, request, &mut line).await;
    (Extension(line), response.unwrap_or_else(|problem| problem))
}

async fn answer(ingest: &Ingest, request: Request, line: &mut Line) -> Result<Response, Response> {
    let began = ingest.clock.now();
    let deadline = began.saturating_add(ANSWERED_WITHIN).unwrap_or(began);
    // Before a byte of the body is looked at.
    admit(ingest, request.headers(), line)
        .await
        .map_err(IntoResponse::into_response)?;
    let changes = changes(ingest, request)
        .await
        .map_err(IntoResponse::into_response)?;
    line.events = Some(changes.len());
    let events: Vec<_> = changes.iter().map(ObjectChanged::event).collect();
    let results = put_all(&*ingest.bus, &*ingest.clock, deadline, &events).await;
    Ok(outcome(&changes, results, line))
}

async fn admit(ingest: &Ingest, headers: &HeaderMap, line: &mut Line) -> Result<(), Refused> {
    let shown = Shown::of(headers).ok_or(Refused::Unknown)?;
    line.caller = Some(shown.scheme());
    let admitted = access::check(&shown, &ingest.secrets).await;
    if let Err(Refused::Unchecked(kind)) = &admitted {
        line.refusal = Some((*kind).to_owned());
    }
    admitted
}

async fn changes(ingest: &Ingest, request: Request) -> Result<Vec<ObjectChanged>, Problem> {
    let format = Format::of(request.headers())?;
    let Query(Parameters { company }) = Query::try_from_uri(request.uri()).map_err(|_| {
        let detail = "expected at most one `company` in the query, found another query";
        Problem::new(StatusCode::BAD_REQUEST, "bad-query", detail)
    })?;
    let bytes = Bytes::from_request(request, &()).await.map_err(|rejection| {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            let detail = format!("expected a body of at most {MAX_BODY_BYTES} bytes, found a longer one");
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", detail)
        } else {
            Problem::new(StatusCode::BAD_REQUEST, "unreadable", "the body cannot be read")
        }
    })?;
    let expected = Expected {
        company: company.as_deref(),
        companies: &ingest.companies,
    };
    body::read(format, &bytes, &expected)
}

/// 202 if the bus took all, else 503 with what it took and what it did not.
fn outcome(changes: &[ObjectChanged], results: Vec<Result<String, Refusal>>, line: &mut Line) -> Response {
    let (mut accepted, mut failed) = (Vec::new(), Vec::new());
    for (index, (change, result)) in changes.iter().zip(results).enumerate() {
        let object = change.object.clone();
        match result {
            Ok(event_id) => accepted.push(Accepted {
                index,
                event_id,
                object,
            }),
            Err(Refusal { code, .. }) => failed.push(Failed { index, code }),
        }
    }
    line.accepted = Some(accepted.len());
    line.refusal = failed.first().map(|first| first.code.clone());
    if failed.is_empty() {
        return (StatusCode::ACCEPTED, Json(Parked { events: accepted })).into_response();
    }
    let detail = format!(
        "{} of {} events were not taken: send those again, and only those",
        failed.len(),
        changes.len()
    );
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not-taken", detail)
        .with(More::Parts { accepted, failed })
        .retry_after(RETRY_AFTER_SECONDS)
        .into_response()
}

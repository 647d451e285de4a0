//! The canonical line of a request. The fields are fixed in docs/LOGGING.md.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use lambda_http::RequestExt;
use vendorbridge::clock::Clock;

use crate::problem::Code;

/// What a route tells the log of a request, in the answer's extensions.
#[derive(Debug, Clone, Default)]
pub(crate) struct Line {
    /// The route: never the path that was asked for, which may hold anything.
    pub(crate) route: &'static str,
    /// How the caller showed who it is.
    pub(crate) caller: Option<&'static str>,
    /// Who that was, where it is known: every request that was accepted can be told from whom it came.
    pub(crate) identity: Option<String>,
    /// How many events the body holds.
    pub(crate) events: Option<usize>,
    /// How many of them are on the bus.
    pub(crate) accepted: Option<usize>,
    /// The first code with which AWS refused something.
    pub(crate) refusal: Option<String>,
}

/// Answers a request, and writes its line.
pub(crate) async fn write(State(clock): State<Arc<dyn Clock>>, request: Request, next: Next) -> Response {
    let began = clock.now();
    let request_id = request
        .lambda_context_ref()
        .map(|context| context.request_id.clone());
    let response = next.run(request).await;
    let took = clock.now().duration_since(began).as_millis();
    let line = response.extensions().get::<Line>().cloned().unwrap_or_default();
    let problem = response.extensions().get::<Code>();
    let because = problem.and_then(|problem| problem.because.clone());
    let problem = problem.map(|problem| problem.code);
    tracing::info!(
        target: "vendorbridge",
        route = Some(line.route).filter(|route| !route.is_empty()),
        status = response.status().as_u16(),
        problem,
        caller = line.caller,
        identity = line.identity,
        events = line.events,
        accepted = line.accepted,
        refusal = line.refusal.or(because),
        took_ms = u64::try_from(took).unwrap_or(0),
        request_id,
        "ingest.answered"
    );
    response
}

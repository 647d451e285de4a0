//! The routes.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::post;
use http::StatusCode;
use vendorbridge::bus::Bus;
use vendorbridge::clock::Clock;
use vendorbridge::secret::SecretStore;

use crate::problem::Problem;
use crate::{line, sapb1};

/// What the routes work with.
#[derive(Clone)]
pub struct Ingest {
    /// The companies of SAP Business One whose events are taken.
    pub companies: Vec<String>,
    /// Where events go.
    pub bus: Arc<dyn Bus>,
    /// What callers are checked against.
    pub secrets: Arc<SecretStore>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// The routes. Whatever they answer is one line in the log.
pub fn router(ingest: Ingest) -> Router {
    let clock = Arc::clone(&ingest.clock);
    Router::new()
        .route(sapb1::PATH, post(sapb1::post))
        .fallback(async || {
            Problem::new(
                StatusCode::NOT_FOUND,
                "not-found",
                "there is nothing at this path",
            )
        })
        .method_not_allowed_fallback(async || {
            let detail = "this path does not know the method";
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", detail)
        })
        .layer(DefaultBodyLimit::max(sapb1::MAX_BODY_BYTES))
        .layer(from_fn_with_state(clock, line::write))
        .with_state(Arc::new(ingest))
}

#[cfg(test)]
mod tests;

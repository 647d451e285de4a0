//! The routes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use http::StatusCode;
use vendorbridge::bus::Bus;
use vendorbridge::clock::Clock;
use vendorbridge::lane::Lanes;
use vendorbridge::secret::SecretStore;

use crate::config::LineConfig;
use crate::events::{self, Store};
use crate::problem::Problem;
use crate::{describe, line, sapb1};

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
    /// The lines of business.
    pub lines: Arc<BTreeMap<String, LineConfig>>,
    /// What is kept of their events.
    pub store: Arc<dyn Store>,
    /// Where the states go that they want.
    pub lanes: Arc<dyn Lanes>,
    /// How many calls and events one caller may send in a window.
    pub calls_per_window: u32,
    /// For ids and pauses. Seeded by the system: ids of two processes must never meet.
    pub rng: Arc<Mutex<fastrand::Rng>>,
}

impl Ingest {
    pub(crate) fn random(&self) -> f64 {
        self.rng.lock().unwrap_or_else(PoisonError::into_inner).f64()
    }

    /// An id for an event that came without one: the time, and 64 random bits.
    pub(crate) fn new_id(&self) -> String {
        let mut rng = self.rng.lock().unwrap_or_else(PoisonError::into_inner);
        format!("{:x}-{:016x}", self.clock.now().as_millisecond(), rng.u64(..))
    }
}

/// The routes. Whatever they answer is one line in the log.
pub fn router(ingest: Ingest) -> Router {
    let clock = Arc::clone(&ingest.clock);
    Router::new()
        .route(sapb1::PATH, post(sapb1::post))
        .route(events::PATH, post(events::post))
        .route(events::EVENT_PATH, get(events::get))
        .route(describe::SCHEMAS_PATH, get(describe::schemas))
        .route(describe::SCHEMA_PATH, get(describe::schema))
        .route(describe::OPENAPI_PATH, get(describe::document))
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

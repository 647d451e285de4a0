//! The Algolia Search API, as far as writing records goes.
//!
//! Facts: <https://www.algolia.com/doc/rest-api/search/> and its description (`algolia/api-clients-automation`,
//! `specs/bundled/search.yml`). Messages: answers that client projects recorded (`saleor/apps#926`,
//! `algolia/algoliasearch-rails#375`).

mod batch;
mod error;
mod index;
mod routes;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, http::StatusCode, response::IntoResponse};
use serde_json::{Map, Value};

use self::{error::Problem, index::Indexes};
use super::{
    Faults, SandboxConfig,
    desk::{Desk, Rules, Shared},
    lock,
};

/// Where its hosts are, below the sandbox's own address. `{app}.algolia.net` and `{app}-1.algolianet.com` to `-3`.
pub(super) const HOSTS: [&str; 4] = ["algolia", "algolia-1", "algolia-2", "algolia-3"];

/// "batch body advised about 10 MB"; a gigabyte is the real limit, which no test sends.
const BODY_LIMIT: usize = 10_000_000;

/// Algolia's handle; clones share the service.
#[derive(Clone)]
pub struct Algolia {
    app_id: Arc<str>,
    api_key: Arc<str>,
    desks: Arc<[Arc<Desk>]>,
    indexes: Arc<Mutex<Indexes>>,
}

impl Algolia {
    pub(super) fn new(config: &SandboxConfig, shared: &Arc<Shared>) -> Self {
        let desk = |_| {
            let rules = Rules {
                service: "algolia",
                connections: None,
                body_limit: BODY_LIMIT,
                refuse: |status, message| Problem::new(status, message).into_response(),
                subjects: Box::new(|_, body| batch::object_ids(body)),
            };
            Desk::new(rules, shared)
        };
        Self {
            app_id: config.algolia_app_id.as_str().into(),
            api_key: config.algolia_api_key.as_str().into(),
            desks: HOSTS.iter().map(desk).collect(),
            indexes: Arc::new(Mutex::new(Indexes::new(
                config.algolia_record_bytes,
                config.algolia_publishes_after,
            ))),
        }
    }

    pub(super) fn router(&self) -> Router {
        let hosts = HOSTS.iter().zip(&*self.desks);
        hosts.fold(Router::new(), |router, (host, desk)| {
            router.nest(&format!("/{host}"), routes::router(self.clone(), desk.clone()))
        })
    }

    /// The records of an index, by `objectID`.
    #[must_use]
    pub fn records(&self, index: &str) -> BTreeMap<String, Map<String, Value>> {
        lock(&self.indexes).records(index)
    }

    /// One record.
    #[must_use]
    pub fn record(&self, index: &str, object_id: &str) -> Option<Map<String, Value>> {
        self.records(index).remove(object_id)
    }

    /// How many updates were ignored because the stored value of their guard (`IncrementSet`) was not lower.
    #[must_use]
    pub fn ignored(&self) -> u64 {
        lock(&self.indexes).ignored()
    }

    /// The number of the last task.
    #[must_use]
    pub fn last_task(&self) -> u64 {
        lock(&self.indexes).last_task()
    }

    /// How long tasks take from now on until they are published.
    pub fn publishes_after(&self, wait: Duration) {
        lock(&self.indexes).publishes_after(wait);
    }

    /// The fault plan of the host for writes.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        self.faults_at(0)
    }

    /// The fault plan of a host: 0 is the one for writes, 1 to 3 are the others.
    ///
    /// # Panics
    /// If there is no such host.
    #[must_use]
    pub fn faults_at(&self, host: usize) -> &Faults {
        &self.desks[host].faults
    }

    /// Requests received by all hosts, refused and broken ones included.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.desks.iter().map(|desk| desk.calls()).sum()
    }

    /// Requests received by each host.
    #[must_use]
    pub fn calls_by_host(&self) -> Vec<u64> {
        self.desks.iter().map(|desk| desk.calls()).collect()
    }

    /// Requests received about one record.
    #[must_use]
    pub fn calls_for(&self, object_id: &str) -> u64 {
        self.desks.iter().map(|desk| desk.calls_for(object_id)).sum()
    }

    /// Both headers are needed, and one answer is for either.
    fn check(&self, headers: &axum::http::HeaderMap) -> Result<(), Problem> {
        let is = |name: &str, expected: &str| {
            headers.get(name).and_then(|value| value.to_str().ok()) == Some(expected)
        };
        if is("x-algolia-application-id", &self.app_id) && is("x-algolia-api-key", &self.api_key) {
            Ok(())
        } else {
            Err(Problem::new(
                StatusCode::FORBIDDEN,
                "Invalid Application-ID or API key",
            ))
        }
    }
}

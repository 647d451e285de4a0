//! The source: who wants to receive statements in which way. No public system has this contract; it is ours.

mod preference;

use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, Query, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing::get,
};
use serde::Deserialize;
use serde_json::{Value, json};

pub use self::preference::{Address, Channel, NewPreference, Preference};
use super::{
    Faults, SandboxConfig,
    desk::{Desk, Rules, Shared, attend},
    lock,
    problem::problem,
};

const BODY_LIMIT: usize = 64 * 1024;

/// The source's handle; clones share the service.
#[derive(Clone)]
pub struct Infoservice {
    token: Arc<str>,
    desk: Arc<Desk>,
    customers: Arc<Mutex<BTreeMap<String, Customer>>>,
}

/// A removed customer stays known, so that versions never repeat.
#[derive(Default)]
struct Customer {
    version: u64,
    preference: Option<Preference>,
    reads: u64,
}

impl Infoservice {
    pub(super) fn new(config: &SandboxConfig, shared: &Arc<Shared>) -> Self {
        let rules = Rules {
            service: "infoservice",
            connections: None,
            body_limit: BODY_LIMIT,
            refuse: problem,
            subjects: Box::new(|path, _| path.iter().map(|&id| id.to_owned()).collect()),
        };
        Self {
            token: config.source_token.as_str().into(),
            desk: Desk::new(rules, shared),
            customers: Arc::default(),
        }
    }

    pub(super) fn router(&self) -> Router {
        Router::new()
            .route("/api/v1/customers", get(list))
            .route(
                "/api/v1/customers/{id}/delivery-preference",
                get(read).put(change).delete(forget),
            )
            .fallback(async || problem(StatusCode::NOT_FOUND, ""))
            .layer(middleware::from_fn_with_state(self.desk.clone(), attend))
            .with_state(self.clone())
    }

    /// Changes what a customer wants, and says the new version. The first is 1.
    #[expect(clippy::must_use_candidate, reason = "most callers only want the change")]
    pub fn put(&self, preference: NewPreference) -> u64 {
        self.store(preference).version
    }

    /// What the source holds of a customer. Not counted as a read.
    #[must_use]
    pub fn get(&self, customer_id: &str) -> Option<Preference> {
        lock(&self.customers).get(customer_id)?.preference.clone()
    }

    /// Removes a customer, and says whether there was one. Its versions go on where they ended if it comes
    /// back.
    #[expect(clippy::must_use_candidate, reason = "most callers know that there is one")]
    pub fn remove(&self, customer_id: &str) -> bool {
        lock(&self.customers)
            .get_mut(customer_id)
            .is_some_and(|customer| customer.preference.take().is_some())
    }

    /// Everything the source holds, by customer.
    #[must_use]
    pub fn all(&self) -> Vec<Preference> {
        lock(&self.customers)
            .values()
            .filter_map(|customer| customer.preference.clone())
            .collect()
    }

    /// Reads answered over HTTP, those of customers that do not exist included.
    #[must_use]
    pub fn reads(&self) -> u64 {
        lock(&self.customers)
            .values()
            .map(|customer| customer.reads)
            .sum()
    }

    /// [`reads`](Self::reads) of one customer.
    #[must_use]
    pub fn reads_of(&self, customer_id: &str) -> u64 {
        lock(&self.customers)
            .get(customer_id)
            .map_or(0, |customer| customer.reads)
    }

    /// Its fault plan.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.desk.faults
    }

    /// Requests received, refused and broken ones included.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.desk.calls()
    }

    /// The most requests that were under way at a time.
    #[must_use]
    pub fn max_concurrent(&self) -> usize {
        self.desk.max_concurrent()
    }

    /// Every request from now on takes at least this long.
    pub fn latency(&self, latency: Duration) {
        self.desk.set_latency(latency);
    }

    fn store(&self, preference: NewPreference) -> Preference {
        let now = self.desk.shared.clock.now_in_seconds();
        let mut customers = lock(&self.customers);
        let customer = customers.entry(preference.customer_id.clone()).or_default();
        customer.version += 1;
        customer
            .preference
            .insert(preference.at(customer.version, now))
            .clone()
    }

    /// The answer to a request without the token.
    fn refusal(&self, headers: &HeaderMap) -> Option<Response> {
        let sent = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        if sent.and_then(|value| value.strip_prefix("Bearer ")) == Some(&*self.token) {
            return None;
        }
        let mut response = problem(StatusCode::UNAUTHORIZED, "");
        response
            .headers_mut()
            .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        Some(response)
    }
}

async fn read(State(service): State<Infoservice>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    if let Some(refusal) = service.refusal(&headers) {
        return refusal;
    }
    let mut customers = lock(&service.customers);
    let customer = customers.entry(id).or_default();
    customer.reads += 1;
    customer
        .preference
        .as_ref()
        .map_or_else(|| problem(StatusCode::NOT_FOUND, ""), answer)
}

/// Which customers, and how many.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    limit: usize,
    /// Goes on behind this customer.
    #[serde(default)]
    after: String,
}

/// No page has more customers.
const MAX_PAGE: usize = 1_000;

async fn list(
    State(service): State<Infoservice>,
    Query(which): Query<Which>,
    headers: HeaderMap,
) -> Response {
    if let Some(refusal) = service.refusal(&headers) {
        return refusal;
    }
    let customers = lock(&service.customers);
    let behind = (Bound::Excluded(which.after.as_str()), Bound::Unbounded);
    let mut there = customers
        .range::<str, _>(behind)
        .filter_map(|(_, customer)| customer.preference.as_ref());
    let page: Vec<_> = there.by_ref().take(which.limit.min(MAX_PAGE)).collect();
    let last = page.last().filter(|_| there.next().is_some());
    let next = last.map(|last| &last.customer_id);
    let total = customers
        .values()
        .filter(|customer| customer.preference.is_some());
    Json(json!({"customers": page, "next": next, "total": total.count()})).into_response()
}

/// For someone with `curl`: what `GET` answered can be put back, changed. Version and time are the source's
/// to set and ignored.
async fn change(
    State(service): State<Infoservice>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Some(refusal) = service.refusal(&headers) {
        return refusal;
    }
    match wanted(&id, &body) {
        Ok(preference) => answer(&service.store(preference)),
        Err(error) => problem(StatusCode::BAD_REQUEST, &error.to_string()),
    }
}

async fn forget(State(service): State<Infoservice>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    match service.refusal(&headers) {
        Some(refusal) => refusal,
        None if service.remove(&id) => StatusCode::NO_CONTENT.into_response(),
        None => problem(StatusCode::NOT_FOUND, ""),
    }
}

fn wanted(id: &str, body: &[u8]) -> serde_json::Result<NewPreference> {
    use serde::de::Error;

    let mut body: Value = serde_json::from_slice(body)?;
    if let Some(fields) = body.as_object_mut() {
        fields.remove("version");
        fields.remove("updatedAt");
        fields.entry("customerId").or_insert_with(|| id.into());
    }
    let preference: NewPreference = serde_json::from_value(body)?;
    if preference.customer_id != id {
        return Err(Error::custom("`customerId` is not the customer of the path"));
    }
    Ok(preference)
}

fn answer(preference: &Preference) -> Response {
    let tag = format!("\"{}\"", preference.version);
    ([(header::ETAG, tag)], Json(preference)).into_response()
}

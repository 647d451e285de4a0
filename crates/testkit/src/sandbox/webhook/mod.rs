//! A receiver of signed deliveries, for example a print house.
//!
//! Scheme: Standard Webhooks, <https://www.standardwebhooks.com/>.

mod signature;

use std::{
    collections::{BTreeMap, HashMap},
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    middleware,
    response::{IntoResponse, Response},
    routing::post,
};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use self::signature::Key;
use super::{
    Faults, SandboxConfig,
    desk::{Desk, Rules, Shared, attend},
    lock,
    problem::problem,
};

/// Larger bodies are answered 413.
const BODY_LIMIT: usize = 1024 * 1024;

/// The receiver's handle; clones share the service.
#[derive(Clone)]
pub struct Webhook {
    key: Key,
    desk: Arc<Desk>,
    inbox: Arc<Mutex<Inbox>>,
}

/// A delivery that was accepted.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// `webhook-id`: the same for every attempt of one event.
    pub id: String,
    /// `webhook-timestamp`: when this attempt was made.
    pub attempted_at: Timestamp,
    /// `type`, for example `customer.updated`.
    pub event_type: String,
    /// `timestamp`: when it happened.
    pub timestamp: Timestamp,
    /// What it is about: `data.id`, else `subject`. `None`: kept in the history only.
    pub subject: Option<String>,
    /// `data`.
    pub data: Map<String, Value>,
}

impl Delivery {
    /// Whether it says that its subject is gone: a type that ends in `.deleted`.
    #[must_use]
    pub fn is_deletion(&self) -> bool {
        self.event_type.ends_with(".deleted")
    }
}

#[derive(Default)]
struct Inbox {
    history: Vec<Delivery>,
    /// Where in the history each `webhook-id` is.
    seen: HashMap<String, usize>,
    /// Where in the history the last delivery of each subject is.
    last: BTreeMap<String, usize>,
    repeats: u64,
    conflicts: u64,
    without_content: bool,
}

/// The payload structure of the spec; more is allowed at the top level.
#[derive(Deserialize)]
struct Payload {
    #[serde(rename = "type")]
    event_type: String,
    timestamp: Timestamp,
    data: Map<String, Value>,
    subject: Option<String>,
}

impl Webhook {
    pub(super) fn new(config: &SandboxConfig, shared: &Arc<Shared>) -> io::Result<Self> {
        let key = Key::parse(&config.signing_secret).ok_or_else(|| {
            let expected = "the signing secret must be whsec_<base64 of 24 to 64 bytes>";
            io::Error::new(io::ErrorKind::InvalidInput, expected)
        })?;
        let rules = Rules {
            service: "webhook",
            connections: None,
            body_limit: BODY_LIMIT,
            refuse: problem,
            subjects: Box::new(|_, body| {
                let payload = serde_json::from_slice::<Payload>(body).ok();
                payload.as_ref().and_then(Payload::subject).into_iter().collect()
            }),
        };
        Ok(Self {
            key,
            desk: Desk::new(rules, shared),
            inbox: Arc::default(),
        })
    }

    pub(super) fn router(&self) -> Router {
        Router::new()
            .route("/webhook", post(receive))
            .layer(middleware::from_fn_with_state(self.desk.clone(), attend))
            .with_state(self.clone())
    }

    /// The accepted deliveries in order, repeats left out.
    #[must_use]
    pub fn history(&self) -> Vec<Delivery> {
        lock(&self.inbox).history.clone()
    }

    /// [`history`](Self::history) of one subject.
    #[must_use]
    pub fn history_of(&self, subject: &str) -> Vec<Delivery> {
        let inbox = lock(&self.inbox);
        inbox
            .history
            .iter()
            .filter(|delivery| delivery.subject.as_deref() == Some(subject))
            .cloned()
            .collect()
    }

    /// The last delivery about a subject, deletions included.
    #[must_use]
    pub fn last(&self, subject: &str) -> Option<Delivery> {
        let inbox = lock(&self.inbox);
        inbox
            .last
            .get(subject)
            .and_then(|&at| inbox.history.get(at))
            .cloned()
    }

    /// What the receiver holds: the last `data` of every subject that was not deleted since.
    #[must_use]
    pub fn held(&self) -> BTreeMap<String, Map<String, Value>> {
        let inbox = lock(&self.inbox);
        let last = inbox
            .last
            .iter()
            .filter_map(|(subject, &at)| Some((subject, inbox.history.get(at)?)));
        last.filter(|(_, delivery)| !delivery.is_deletion())
            .map(|(subject, delivery)| (subject.clone(), delivery.data.clone()))
            .collect()
    }

    /// Deliveries whose `webhook-id` had been accepted before: answered 200, without a second effect.
    #[must_use]
    pub fn repeats(&self) -> u64 {
        lock(&self.inbox).repeats
    }

    /// Those of the [`repeats`](Self::repeats) that said something else than the first time. A receiver that
    /// drops repeats loses them, so a sender must have none.
    #[must_use]
    pub fn conflicting_repeats(&self) -> u64 {
        lock(&self.inbox).conflicts
    }

    /// Whether deliveries are answered 204 without a body from now on, instead of 200 with `{"id": …}`.
    pub fn answer_without_content(&self, without: bool) {
        lock(&self.inbox).without_content = without;
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

    /// [`calls`](Self::calls) about one subject.
    #[must_use]
    pub fn calls_for(&self, subject: &str) -> u64 {
        self.desk.calls_for(subject)
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
}

impl Payload {
    fn subject(&self) -> Option<String> {
        match self.data.get("id") {
            Some(Value::String(id)) => Some(id.clone()),
            Some(Value::Number(id)) => Some(id.to_string()),
            _ => self.subject.clone(),
        }
    }
}

async fn receive(State(service): State<Webhook>, headers: HeaderMap, body: Bytes) -> Response {
    let signed = match service
        .key
        .verify(&headers, &body, service.desk.shared.clock.now())
    {
        Ok(signed) => signed,
        Err(reason) => return problem(StatusCode::UNAUTHORIZED, reason),
    };
    let payload: Payload = match serde_json::from_slice(&body) {
        Ok(payload) => payload,
        Err(error) => return problem(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    if payload.event_type.is_empty() {
        return problem(StatusCode::BAD_REQUEST, "`type` is empty");
    }
    let delivery = Delivery {
        id: signed.id.to_owned(),
        attempted_at: signed.attempted_at,
        subject: payload.subject(),
        event_type: payload.event_type,
        timestamp: payload.timestamp,
        data: payload.data,
    };
    lock(&service.inbox).take(delivery)
}

impl Inbox {
    fn take(&mut self, delivery: Delivery) -> Response {
        // The receiver's own id for what it keeps: the same at each delivery about a subject.
        let answer = json!({ "id": format!("kept-{}", delivery.subject.as_deref().unwrap_or(&delivery.id)) });
        if let Some(first) = self.seen.get(&delivery.id).and_then(|&at| self.history.get(at)) {
            self.repeats += 1;
            let same = (&first.event_type, first.timestamp, &first.data);
            self.conflicts += u64::from(same != (&delivery.event_type, delivery.timestamp, &delivery.data));
        } else {
            let at = self.history.len();
            self.seen.insert(delivery.id.clone(), at);
            if let Some(subject) = &delivery.subject {
                self.last.insert(subject.clone(), at);
            }
            self.history.push(delivery);
        }
        if self.without_content {
            StatusCode::NO_CONTENT.into_response()
        } else {
            Json(answer).into_response()
        }
    }
}

//! What every service does with a request before it looks at it: counts it, reads it, and asks the fault
//! plan.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{ConnectInfo, RawPathParams, Request, State, rejection::RawPathParamsRejection},
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use tokio::sync::watch;

use super::{
    Clock, Fault, Faults, Logged, RequestLog, asked_to_stop, fault::subject_key, line::Line, lock, log,
};

/// Bodies are read this far, so that a client that sent too much reads its 413 instead of a broken
/// connection.
const READ_AT_MOST: usize = 16 * 1024 * 1024;

/// What the services of one sandbox share.
pub(super) struct Shared {
    pub(super) clock: Clock,
    pub(super) hold: Duration,
    pub(super) log: RequestLog,
    pub(super) stopping: watch::Receiver<bool>,
}

/// Names what a request is about, from its path parameters in order and its body.
pub(super) type Subjects = Box<dyn Fn(&[&str], &[u8]) -> Vec<String> + Send + Sync>;

/// What sets a service apart.
pub(super) struct Rules {
    pub(super) service: &'static str,
    /// Requests served at a time; more are answered 429.
    pub(super) connections: Option<usize>,
    /// Bytes of a body; more are answered 413.
    pub(super) body_limit: usize,
    /// A refusal in the service's own words.
    pub(super) refuse: fn(StatusCode, &str) -> Response,
    pub(super) subjects: Subjects,
}

/// A service's front desk.
pub(super) struct Desk {
    pub(super) faults: Faults,
    pub(super) shared: Arc<Shared>,
    rules: Rules,
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    requests: u64,
    in_flight: usize,
    most_in_flight: usize,
    subjects: HashMap<String, u64>,
    latency: Duration,
}

impl Desk {
    pub(super) fn new(rules: Rules, shared: &Arc<Shared>) -> Arc<Self> {
        let counts = Mutex::default();
        Arc::new(Self {
            faults: Faults::default(),
            shared: shared.clone(),
            rules,
            counts,
        })
    }

    /// Requests received, refused and broken ones included.
    pub(super) fn calls(&self) -> u64 {
        lock(&self.counts).requests
    }

    /// Requests received about one subject.
    pub(super) fn calls_for(&self, subject: &str) -> u64 {
        lock(&self.counts)
            .subjects
            .get(&subject_key(subject))
            .copied()
            .unwrap_or_default()
    }

    /// The most requests that were there at a time, those refused for it included.
    pub(super) fn max_concurrent(&self) -> usize {
        lock(&self.counts).most_in_flight
    }

    /// Every request waits this long before it is looked at.
    pub(super) fn set_latency(&self, latency: Duration) {
        lock(&self.counts).latency = latency;
    }

    fn arrive(&self) -> InFlight<'_> {
        let mut counts = lock(&self.counts);
        counts.requests += 1;
        counts.in_flight += 1;
        counts.most_in_flight = counts.most_in_flight.max(counts.in_flight);
        InFlight {
            desk: self,
            among: counts.in_flight,
        }
    }

    /// The keys of what the request is about, counted.
    fn about(&self, path: &[&str], body: &[u8]) -> Vec<String> {
        let mut keys: Vec<_> = (self.rules.subjects)(path, body)
            .iter()
            .map(|subject| subject_key(subject))
            .collect();
        keys.sort();
        keys.dedup();
        let mut counts = lock(&self.counts);
        for key in &keys {
            *counts.subjects.entry(key.clone()).or_default() += 1;
        }
        keys
    }

    fn refuse(&self, status: StatusCode, detail: &str) -> Response {
        (self.rules.refuse)(status, detail)
    }

    /// Waits until the sandbox stops or the bound passes. A client that goes away ends it earlier: the server
    /// then drops the whole request.
    async fn hold(&self) {
        let stopping = asked_to_stop(self.shared.stopping.clone());
        // Whichever comes first.
        let _ = tokio::time::timeout(self.shared.hold, stopping).await;
    }

    /// Decides what becomes of one request, and has it served unless it is refused.
    async fn serve(
        &self,
        path: &[&str],
        body: Bytes,
        among: usize,
        serve: impl AsyncFnOnce(Bytes) -> Response,
    ) -> Served {
        let subjects = self.about(path, &body);
        if self.rules.connections.is_some_and(|limit| among > limit) {
            return Served::Answer(self.refuse(
                StatusCode::TOO_MANY_REQUESTS,
                "Too many simultaneous connections.",
            ));
        }
        let latency = lock(&self.counts).latency;
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
        match self.faults.draw(&subjects) {
            None if body.len() > self.rules.body_limit => {
                Served::Answer(self.refuse(StatusCode::PAYLOAD_TOO_LARGE, "The body is too large."))
            }
            None => Served::Answer(serve(body).await),
            Some(Fault::TooManyRequests { retry_after }) => {
                let mut response = self.refuse(StatusCode::TOO_MANY_REQUESTS, "Injected by the sandbox.");
                if let Some(wait) = retry_after {
                    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
                    response
                        .headers_mut()
                        .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
                }
                Served::Answer(response)
            }
            Some(Fault::Status(code)) => {
                let status = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                Served::Answer(self.refuse(status, "Injected by the sandbox."))
            }
            Some(Fault::Forbidden) => Served::Answer(StatusCode::FORBIDDEN.into_response()),
            Some(Fault::Timeout) => Served::Hold,
            Some(Fault::AcceptThenTimeout) => {
                serve(body).await;
                Served::Hold
            }
            Some(Fault::CutConnection) => Served::Cut,
            Some(Fault::AcceptThenCut) => {
                serve(body).await;
                Served::Cut
            }
        }
    }
}

enum Served {
    Answer(Response),
    Hold,
    Cut,
}

/// Counts a request as in flight until dropped, also when its client goes away.
struct InFlight<'a> {
    desk: &'a Desk,
    among: usize,
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        lock(&self.desk.counts).in_flight -= 1;
    }
}

/// The middleware around a service's routes.
pub(super) async fn attend(
    State(desk): State<Arc<Desk>>,
    ConnectInfo(line): ConnectInfo<Line>,
    path: Result<RawPathParams, RawPathParamsRejection>,
    request: Request,
    next: Next,
) -> Response {
    let in_flight = desk.arrive();
    let (head, body) = request.into_parts();
    let mut logged = Logged {
        service: desk.rules.service,
        method: head.method.clone(),
        path: log::without_addresses(head.uri.path()),
        status: None,
    };
    let Ok(body) = to_bytes(body, READ_AT_MOST).await else {
        logged.status = Some(StatusCode::PAYLOAD_TOO_LARGE);
        desk.shared.log.add(logged);
        return desk.refuse(
            StatusCode::PAYLOAD_TOO_LARGE,
            "The body is too large, or ended early.",
        );
    };
    // Requests that match no route have no parameters.
    let path: Vec<_> = path.iter().flatten().map(|(_, value)| value).collect();
    let serve = async |body: Bytes| next.run(Request::from_parts(head, Body::from(body))).await;
    let served = desk.serve(&path, body, in_flight.among, serve).await;
    if let Served::Answer(response) = &served {
        logged.status = Some(response.status());
    }
    desk.shared.log.add(logged);
    if matches!(served, Served::Hold) {
        desk.hold().await;
    }
    match served {
        Served::Answer(response) => response,
        Served::Hold | Served::Cut => {
            line.cut();
            // Never sent: the line is cut.
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

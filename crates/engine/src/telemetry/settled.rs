//! `sync.settled`: the line of an event that has an outcome.

use serde::Serialize;

use super::emf::{self, Metrics, count, millis};
use super::loggable;
use crate::ledger::{EventRecord, NO_ENTITY, Status};
use crate::message::TraceParent;

#[derive(Serialize)]
struct Line<'a> {
    timestamp: String,
    level: &'static str,
    message: &'static str,
    vendor: &'a str,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    entity_type: Option<&'a str>,
    entity: String,
    event_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail_type: Option<String>,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    by_event: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    freshness_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vendor_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    receipt: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wake_at: Option<String>,
    #[serde(flatten)]
    failure: Option<Failure<'a>>,
    message_id: &'a str,
    request_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<TraceParent>,
    /// What is counted: always 1.
    settled: u8,
    #[serde(rename = "_aws")]
    metrics: Metrics,
}

#[derive(Serialize)]
struct Failure<'a> {
    error: &'static str,
    verdict: &'a str,
    stage: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pointer: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
}

/// Writes the canonical line of an event.
pub(crate) fn settled(event: &EventRecord) {
    if tracing::enabled!(target: "vendorbridge", tracing::Level::INFO) {
        emf::write(&line(event));
    }
}

pub(super) fn line(event: &EventRecord) -> impl Serialize {
    let is_at_vendor = matches!(event.status, Status::Synced | Status::Deleted | Status::Unchanged);
    let of_vendor = [
        is_at_vendor.then_some(millis("freshness_ms")),
        event.source_ms.map(|_| millis("source_ms")),
        event.vendor_ms.map(|_| millis("vendor_ms")),
        event.attempt.map(|_| count("attempt")),
    ];
    Line {
        timestamp: emf::micros(event.settled_at),
        level: "INFO",
        message: "sync.settled",
        vendor: &event.vendor,
        entity_type: entity_type(&event.entity),
        entity: loggable(&event.entity),
        event_id: loggable(&event.event_id),
        detail_type: event.detail_type.as_deref().map(loggable),
        status: event.status.name(),
        attempt: event.attempt,
        by_event: event.by_event.as_deref().map(loggable),
        rule: event.rule.as_deref(),
        version: event.version.as_ref().map(ToString::to_string),
        freshness_ms: freshness(event),
        source_ms: event.source_ms,
        vendor_ms: event.vendor_ms,
        receipt: event.receipt.as_deref().map(loggable),
        wake_at: event.wake_at.map(|at| at.to_string()),
        failure: event.error.as_ref().map(|error| Failure {
            error: error.kind.name(),
            verdict: &error.verdict,
            stage: error.stage.name(),
            step: error.step.as_deref(),
            pointer: error.pointer.as_deref(),
            code: error.code.as_deref(),
        }),
        message_id: &event.message_id,
        request_id: &event.request_id,
        trace: event.trace,
        settled: 1,
        metrics: Metrics::at(event.settled_at)
            .by(&["vendor"], of_vendor.into_iter().flatten())
            .by(&["vendor", "status"], [count("settled")]),
    }
}

fn entity_type(entity: &str) -> Option<&str> {
    let (entity_type, _) = entity.split_once('/')?;
    (entity != NO_ENTITY).then_some(entity_type)
}

/// Milliseconds from the event to its outcome; 0 where the sender's clock is ahead.
fn freshness(event: &EventRecord) -> u64 {
    u64::try_from(event.settled_at.duration_since(event.event_time).as_millis()).unwrap_or(0)
}

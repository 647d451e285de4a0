//! `vendor.standing`: how a vendor stands, once a minute.

use jiff::Timestamp;
use serde::Serialize;

use super::emf::{self, Metrics, count, seconds};
use crate::wake::Standing;

#[derive(Serialize)]
struct Line<'a> {
    timestamp: String,
    level: &'static str,
    message: &'static str,
    vendor: &'a str,
    parked: usize,
    rejected: usize,
    dead: usize,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    at_least: bool,
    overdue_s: u64,
    circuit_open: u8,
    paused: u8,
    #[serde(rename = "_aws")]
    metrics: Metrics,
}

/// Writes how a vendor stands, whatever the level: alarms live on it, and it is one line a minute.
pub(crate) fn standing(vendor: &str, standing: &Standing, now: Timestamp) {
    emf::write(&line(vendor, standing, now));
}

pub(super) fn line(vendor: &str, standing: &Standing, now: Timestamp) -> impl Serialize {
    let metrics = [
        count("parked"),
        count("rejected"),
        count("dead"),
        seconds("overdue_s"),
        count("circuit_open"),
        count("paused"),
    ];
    Line {
        timestamp: emf::micros(now),
        level: "INFO",
        message: "vendor.standing",
        vendor,
        parked: standing.parked,
        rejected: standing.rejected,
        dead: standing.dead,
        at_least: standing.at_least,
        overdue_s: standing.overdue_s,
        circuit_open: u8::from(standing.is_open),
        paused: u8::from(standing.is_paused),
        metrics: Metrics::at(now).by(&["vendor"], metrics),
    }
}

/// Says that nobody knows how a vendor stands, for this minute. Its retries are woken all the same.
pub(crate) fn standing_unread(vendor: &str, error: &crate::Error) {
    tracing::warn!(target: "vendorbridge", vendor, error = error.kind().name(), "standing.unread");
}

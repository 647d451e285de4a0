//! Logs: one JSON line per settled event. The fields are fixed in docs/LOGGING.md.

use tracing_subscriber::filter::LevelFilter;

use crate::ledger::{EventRecord, VendorRecord};

/// Sends JSON lines to stdout, from `level` on.
///
/// Libraries speak from `warn` on: below that, HTTP clients log headers and bodies.
pub fn init(level: tracing::Level) {
    use tracing_subscriber::layer::SubscriberExt;
    use tracing_subscriber::util::SubscriberInitExt;
    let targets = tracing_subscriber::filter::Targets::new()
        .with_default(LevelFilter::from_level(level.min(tracing::Level::WARN)))
        .with_target("vendorbridge", level);
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_target(false);
    // A second call, as in a test, changes nothing.
    let _ = tracing_subscriber::registry()
        .with(targets)
        .with(lines)
        .try_init();
}

/// Writes the canonical line of an event.
pub(crate) fn settled(event: &EventRecord) {
    let error = event.error.as_ref();
    tracing::info!(
        target: "vendorbridge",
        vendor = event.vendor,
        entity = loggable(&event.entity),
        event_id = loggable(&event.event_id),
        detail_type = event.detail_type.as_deref().map(loggable),
        status = event.status.name(),
        attempt = event.attempt,
        by_event = event.by_event.as_deref().map(loggable),
        rule = event.rule.as_deref(),
        version = event.version.as_ref().map(tracing::field::display),
        freshness_ms = freshness(event),
        source_ms = event.source_ms,
        vendor_ms = event.vendor_ms,
        receipt = event.receipt.as_deref().map(loggable),
        wake_at = event.wake_at.map(tracing::field::display),
        error = error.map(|error| error.kind.name()),
        verdict = error.map(|error| error.verdict.as_str()),
        stage = error.map(|error| error.stage.name()),
        step = error.and_then(|error| error.step.as_deref()),
        pointer = error.and_then(|error| error.pointer.as_deref()),
        code = error.and_then(|error| error.code.as_deref()),
        message_id = event.message_id,
        request_id = event.request_id,
        "sync.settled"
    );
}

/// Names the place of a panic. Its message may quote data.
pub(crate) fn panicked(panic: &std::panic::PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string);
    tracing::error!(target: "vendorbridge", place, "panicked");
}

/// Milliseconds from the event to its outcome; 0 where the sender's clock is ahead.
fn freshness(event: &EventRecord) -> u64 {
    u64::try_from(event.settled_at.duration_since(event.event_time).as_millis()).unwrap_or(0)
}

/// Ids can be e-mail addresses: those are logged as a hash, the same for the same id.
#[must_use]
pub fn loggable(id: &str) -> String {
    if id.contains('@') || id.contains("%40") {
        format!("sha256:{}", crate::lane::short_hash(id))
    } else {
        id.to_owned()
    }
}

/// Says that a message asks somebody else for a sync.
pub(crate) fn not_ours(vendor: &str, message_id: &str) {
    tracing::debug!(target: "vendorbridge", vendor, message_id, "request.ignored");
}

/// Says that messages were left to the queue, and why.
pub(crate) fn returned(vendor: &str, entity: &str, messages: usize, error: &crate::Error) {
    tracing::warn!(
        target: "vendorbridge",
        vendor,
        entity = loggable(entity),
        messages,
        error = error.kind().name(),
        stage = error.stage().name(),
        code = error.vendor_code(),
        "sync.returned"
    );
}

/// Says that a vendor's circuit opened, again too, or closed. A lease that is given back is no news.
pub(crate) fn circuit(before: &VendorRecord, after: &VendorRecord) {
    let times = before.circuit.as_ref().map(|circuit| circuit.times);
    match (&before.circuit, &after.circuit) {
        (_, Some(circuit)) if times != Some(circuit.times) => tracing::warn!(
            target: "vendorbridge",
            vendor = after.vendor,
            error = circuit.kind.name(),
            reason = circuit.reason,
            times = circuit.times,
            retry_at = tracing::field::display(circuit.retry_at),
            "circuit.open"
        ),
        (Some(_), None) => tracing::info!(target: "vendorbridge", vendor = after.vendor, "circuit.closed"),
        _ => {}
    }
}

/// Says that the vendor's record could not be written. The next failing batch does it.
pub(crate) fn vendor_unwritten(vendor: &str, error: &crate::Error) {
    tracing::warn!(target: "vendorbridge", vendor, error = error.kind().name(), code = error.vendor_code(), "circuit.unwritten");
}

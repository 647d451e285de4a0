//! Logs: one JSON line per settled event, which carries its metrics, too. The fields are fixed in docs/LOGGING.md.

mod emf;
mod settled;
mod standing;
pub(crate) mod trace;

use tracing_subscriber::filter::LevelFilter;

use crate::ledger::VendorRecord;

pub(crate) use settled::settled;
pub(crate) use standing::{standing, standing_unread};

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

/// Names the place of a panic. Its message may quote data.
pub(crate) fn panicked(panic: &std::panic::PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string);
    tracing::error!(target: "vendorbridge", place, "panicked");
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

#[cfg(test)]
mod tests;

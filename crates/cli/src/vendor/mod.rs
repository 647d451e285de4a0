//! `vendorbridge vendor`: looks at vendors as a whole, pauses, resumes and probes them.

mod list;
mod probe;
pub(crate) mod queues;
mod report;
mod standing;

use vendorbridge::clock::{Clock, SystemClock};
use vendorbridge::ledger::{self, AttentionKind, Reader, VendorChange, VendorRecord};

use crate::args::{Global, Pause, Resume, Show, Vendor, VendorAction};
use crate::error::one_line;
use crate::session::Session;
use crate::{CliError, Outcome, output};

pub use list::VendorList;
pub use probe::ProbeReport;
pub(crate) use queues::{Queue, depth, read as queues};
pub use report::VendorReport;
pub(crate) use standing::Standing;

/// Reads or changes the vendor's record, and says how the vendor stands then.
///
/// # Errors
/// If the vendor is not deployed, or the stack or its ledger cannot be read or written.
pub async fn run(global: &Global, options: &Vendor) -> Result<Outcome, CliError> {
    let name = match &options.action {
        VendorAction::List => return list::run(global).await,
        VendorAction::Probe(options) => return probe::run(global, options).await,
        VendorAction::Show(Show { vendor })
        | VendorAction::Pause(Pause { vendor, .. })
        | VendorAction::Resume(Resume { vendor, .. }) => vendor,
    };
    let session = Session::open(global).await?;
    session.deployment.chosen(Some(name))?;
    let reader = session.reader();
    let queues = queues::read(&session.sqs(), &session.deployment, name).await;
    let now = SystemClock.now();
    let waiting = async || {
        let count = reader.attention_count(name, AttentionKind::Wake).await;
        count.map_err(CliError::unread)
    };
    let report = match &options.action {
        VendorAction::List | VendorAction::Probe(_) | VendorAction::Show(_) => {
            let found = reader.vendor(name).await.map_err(CliError::unread)?;
            let record = found.unwrap_or_else(|| VendorRecord::new(name));
            VendorReport::of(&global.stack, &record, waiting().await?, now).holding(queues)
        }
        VendorAction::Pause(options) => {
            let reason = options.reason.as_deref().map(one_line);
            let pause = |record: &VendorRecord| record.paused_until(options.until, reason.as_deref(), now);
            let change = changed(&reader, name, pause).await?;
            VendorReport::of(&global.stack, change.after(), waiting().await?, now)
                .holding(queues)
                .changed(change.written.is_some(), paused(&change, options))
        }
        VendorAction::Resume(options) => {
            let resume = |record: &VendorRecord| {
                if options.close_circuit {
                    record.resumed_with_probes(now)
                } else {
                    record.resumed()
                }
            };
            let change = changed(&reader, name, resume).await?;
            VendorReport::of(&global.stack, change.after(), waiting().await?, now)
                .holding(queues)
                .changed(change.written.is_some(), resumed(&change, options))
        }
    };
    output::answer(global, &report, VendorReport::text)
}

async fn changed(
    reader: &Reader,
    vendor: &str,
    change: impl Fn(&VendorRecord) -> Option<VendorRecord>,
) -> Result<VendorChange, CliError> {
    let change = reader.change_vendor(vendor, change).await;
    change.map_err(|error| CliError::of_ledger("changing the vendor's record", &error))
}

/// What `pause` came to, in words.
fn paused(change: &VendorChange, options: &Pause) -> String {
    let name = &options.vendor;
    let until = change.after().pause.as_ref().and_then(|pause| pause.until);
    let until = until.map_or_else(String::new, |until| format!(" until {}", output::time(until)));
    // One that was over is none: another one has begun.
    let goes_on = |before: &&ledger::Pause| {
        let after = change.after().pause.as_ref();
        after.is_some_and(|after| after.since == before.since)
    };
    match (change.before.pause.as_ref().filter(goes_on), &change.written) {
        (None, _) => {
            format!(
                "{name} is paused now{until}. Calls that have begun still end; what is to be done waits in the ledger."
            )
        }
        (Some(pause), None) => format!(
            "{name} was paused already, since {}. Nothing is changed.",
            output::time(pause.since)
        ),
        (Some(pause), Some(_)) => format!(
            "{name} was paused already, since {}. Its reason or end is changed: it is paused{}.",
            output::time(pause.since),
            if until.is_empty() {
                " until it is resumed"
            } else {
                &until
            }
        ),
    }
}

/// What `resume` came to, in words.
fn resumed(change: &VendorChange, options: &Resume) -> String {
    let name = &options.vendor;
    let mut text = match &change.before.pause {
        Some(pause) => format!(
            "{name} goes on. It was paused since {}; what is due is sent within a minute or two.",
            output::time(pause.since)
        ),
        None => format!("{name} was not paused."),
    };
    match (&change.after().circuit, options.close_circuit) {
        (Some(_), true) => text.push_str(" Probes are due at once, and close its circuit if they go well."),
        (Some(_), false) => text.push_str(" Its circuit is open: --close-circuit lets probes go at once."),
        (None, true) => text.push_str(" Its circuit is closed."),
        (None, false) => {}
    }
    text
}

#[cfg(test)]
mod tests;

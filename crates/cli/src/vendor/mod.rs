//! `vendorbridge vendor`: looks at a vendor as a whole, pauses it, resumes it.

mod queues;
mod report;
mod standing;

use aws_sdk_dynamodb::Client;
use vendorbridge::Error;
use vendorbridge::clock::{Clock, SystemClock};
use vendorbridge::ledger::{self, AttentionKind, Reader, VendorChange, VendorRecord};

use crate::args::{Global, Pause, Resume, Vendor, VendorAction};
use crate::deployment::Deployment;
use crate::error::one_line;
use crate::{CliError, aws, output};

pub use report::VendorReport;
pub(crate) use standing::Standing;

/// Reads or changes the vendor's record, and says how the vendor stands then.
///
/// # Errors
/// If the vendor is not deployed, or the stack or its ledger cannot be read or written.
pub async fn run(global: &Global, options: &Vendor) -> Result<String, CliError> {
    let name = options.action.vendor();
    let config = aws::connect().await?;
    let cfn = aws_sdk_cloudformation::Client::new(&config);
    let deployment = Deployment::of_stack(&cfn, &global.stack).await?;
    deployment.chosen(Some(name))?;
    let reader = Reader::new(Client::new(&config), deployment.table.clone());
    let queues = queues::read(&aws_sdk_sqs::Client::new(&config), &deployment, name).await;
    let now = SystemClock.now();
    let waiting = async || {
        let count = reader.attention_count(name, AttentionKind::Wake).await;
        count.map_err(|error| unread(&error))
    };
    let report = match &options.action {
        VendorAction::Show(_) => {
            let found = reader.vendor(name).await.map_err(|error| unread(&error))?;
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
    if global.json {
        output::json(&report)
    } else {
        Ok(report.text(global.width))
    }
}

fn unread(error: &Error) -> CliError {
    CliError::of_ledger("reading the ledger's table", error)
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

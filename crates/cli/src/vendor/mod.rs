//! `vendorbridge vendor`: looks at a vendor as a whole, pauses it, resumes it.

mod report;
mod standing;

use aws_sdk_dynamodb::Client;
use jiff::Timestamp;
use vendorbridge::clock::{Clock, SystemClock};
use vendorbridge::ledger::{AttentionKind, Reader, VendorChange, VendorRecord};

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
    let now = SystemClock.now();
    let change = match &options.action {
        VendorAction::Show(_) => None,
        VendorAction::Pause(options) => {
            let reason = options.reason.as_deref().map(one_line);
            let pause = |record: &VendorRecord| record.paused(reason.as_deref(), now);
            let change = changed(&reader, name, pause).await?;
            let outcome = paused(&change, options);
            Some((change, outcome))
        }
        VendorAction::Resume(options) => {
            let resume = |record: &VendorRecord| match options.close_circuit {
                true => record.resumed_with_probes(now),
                false => record.resumed(),
            };
            let change = changed(&reader, name, resume).await?;
            let outcome = resumed(&change, options);
            Some((change, outcome))
        }
    };
    let reading = |error| CliError::of_ledger("reading the ledger's table", &error);
    let waiting = reader.attention_count(name, AttentionKind::Wake);
    let waiting = waiting.await.map_err(reading)?;
    let report = match change {
        Some((change, outcome)) => {
            report(global, change.after(), waiting, now).changed(change.written.is_some(), outcome)
        }
        None => {
            let found = reader.vendor(name).await.map_err(reading)?;
            let record = found.unwrap_or_else(|| VendorRecord::new(name));
            report(global, &record, waiting, now)
        }
    };
    if global.json {
        output::json(&report)
    } else {
        Ok(report.text(global.width))
    }
}

fn report(global: &Global, record: &VendorRecord, waiting: usize, now: Timestamp) -> VendorReport {
    VendorReport::of(&global.stack, record, waiting, now)
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
    match (&change.before.pause, &change.written) {
        (None, _) => {
            format!(
                "{name} is paused now. Calls that have begun still end; what is to be done waits in the ledger."
            )
        }
        (Some(pause), None) => format!(
            "{name} was paused already, since {}. Nothing is changed.",
            output::time(pause.since)
        ),
        (Some(pause), Some(_)) => format!(
            "{name} was paused already, since {}. Only the reason is changed.",
            output::time(pause.since)
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

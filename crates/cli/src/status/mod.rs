//! `vendorbridge status`: reads the ledger and says where things stand.

mod entity;
mod overview;

use vendorbridge::clock::{Clock, SystemClock};

use crate::args::{Global, Status};
use crate::session::Session;
use crate::{CliError, Outcome, output};

pub use entity::EntityReport;
pub use overview::Overview;

/// Reads the ledger and renders what was asked for.
///
/// # Errors
/// If the stack or its ledger cannot be read, or the vendor is not deployed.
pub async fn run(global: &Global, options: &Status) -> Result<Outcome, CliError> {
    let session = Session::open(global).await?;
    let vendors = session.deployment.chosen(options.vendor.as_deref())?;
    let reader = session.reader();
    if let Some(entity) = &options.entity {
        let report = EntityReport::read(&reader, &vendors, entity).await;
        output::answer(global, &report.map_err(CliError::unread)?, EntityReport::text)
    } else {
        let now = SystemClock.now();
        let overview = Overview::read(&reader, &global.stack, &vendors, now, options.hours).await;
        output::answer(global, &overview.map_err(CliError::unread)?, Overview::text)
    }
}

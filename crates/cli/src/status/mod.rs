//! `vendorbridge status`: reads the ledger and says where things stand.

mod entity;
mod failure;
mod overview;

use aws_sdk_dynamodb::Client;
use serde::Serialize;
use vendorbridge::Error;
use vendorbridge::clock::{Clock, SystemClock};
use vendorbridge::ledger::Reader;

use crate::args::{Global, Status};
use crate::deployment::Deployment;
use crate::{CliError, aws, output};

pub use entity::EntityReport;
pub use overview::Overview;

/// Reads the ledger and renders what was asked for.
///
/// # Errors
/// If the stack or its ledger cannot be read, or the vendor is not deployed.
pub async fn run(global: &Global, options: &Status) -> Result<String, CliError> {
    let config = aws::connect().await?;
    let cfn = aws_sdk_cloudformation::Client::new(&config);
    let deployment = Deployment::of_stack(&cfn, &global.stack).await?;
    let vendors = deployment.chosen(options.vendor.as_deref())?;
    let reader = Reader::new(Client::new(&config), deployment.table.clone());
    let reading = |error: Error| CliError::of_ledger("reading the ledger's table", &error);
    if let Some(entity) = &options.entity {
        let report = EntityReport::read(&reader, &vendors, entity).await;
        answer(global, &report.map_err(reading)?, EntityReport::text)
    } else {
        let now = SystemClock.now();
        let overview = Overview::read(&reader, &global.stack, &vendors, now, options.hours).await;
        answer(global, &overview.map_err(reading)?, Overview::text)
    }
}

fn answer<T: Serialize>(
    global: &Global,
    report: &T,
    text: impl Fn(&T, u16) -> String,
) -> Result<String, CliError> {
    if global.json {
        output::json(report)
    } else {
        Ok(text(report, global.width))
    }
}

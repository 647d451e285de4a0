//! A deterministic simulation of a DynamoDB stream and its event source mapping, which the local cloud does not have: shards,
//! batches, checkpoints, bisecting, retries and the on-failure destination
//! (<https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html>).
//!
//! The handler runs unchanged. The bus and the failure queue are models: entries and requests are refused, answers get lost,
//! and the process dies at any of its waits. All dice follow from the seed.

mod mapping;
mod profile;
mod record;
mod run;
mod world;

use futures::future::BoxFuture;
use jiff::Timestamp;
use serde_json::Value;
use vendorbridge::changes::Changes;

pub use mapping::Mapping;
pub use profile::Profile;
pub use record::{Kind, LEDGER, TABLE, streams};
pub use run::{Outcome, StreamRule, Violation, run};
pub use world::{Fault, StreamWorld};

/// What a mapping calls: JSON in, JSON out. The error is what Lambda would report.
pub trait Handler {
    /// Handles one batch.
    fn handle(&self, batch: Value, deadline: Timestamp) -> BoxFuture<'_, Result<Value, String>>;
}

impl Handler for Changes {
    fn handle(&self, batch: Value, deadline: Timestamp) -> BoxFuture<'_, Result<Value, String>> {
        Box::pin(async move {
            let answer = Changes::handle(self, batch, deadline).await;
            let answer = answer.map_err(|error| error.to_string())?;
            serde_json::to_value(answer).map_err(|error| error.to_string())
        })
    }
}

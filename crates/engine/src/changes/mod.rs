//! Database changes and outcomes, from DynamoDB streams to the bus, in order
//! (docs/adr/0011-streams-reach-the-bus-in-order.md).
//!
//! A stream record passes `record` (parse) → `event` (what to announce) → `publish` (PutEvents). All of it is pure but
//! for the small traits [`Bus`] and [`Failures`].

mod aws;
mod event;
mod outcome;
mod publish;
mod record;
mod settings;

use std::sync::Arc;

use futures::future::BoxFuture;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::clock::Clock;

pub use crate::bus::{Bus, Event, EventBridge, Refusal};
pub use aws::FailureQueue;
pub use outcome::{OUTCOME_SOURCE, OUTCOMES};
pub use settings::{ChangesConfig, Stream};

use publish::{Item, Publisher, Todo};
use record::Record;

/// Where records go that cannot be published.
pub trait Failures: Send + Sync {
    /// Keeps a record with the reason. The error is a code.
    fn keep<'a>(&'a self, body: &'a str) -> BoxFuture<'a, Result<(), String>>;
}

/// The answer of a function with `ReportBatchItemFailures`, to an event source mapping as to a pipe
/// (<https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html>).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// Empty, or the first record that was not published: all from there on are delivered again.
    pub batch_item_failures: Vec<ItemFailure>,
}

/// Where the next delivery begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ItemFailure {
    /// The record's sequence number; never empty.
    pub item_identifier: String,
}

/// Why a batch fails as a whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// It is neither what a mapping delivers nor what a pipe delivers.
    #[error("expected `Records` or an array of records, found {0}")]
    Shape(&'static str),
    /// The record that failed has no sequence number to name it by.
    #[error(
        "expected a sequence number with each stream record, found one without that could not be set aside"
    )]
    Nameless,
}

impl BatchError {
    /// The name used in logs.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Shape(_) => "invalid",
            Self::Nameless => "nameless",
        }
    }
}

/// Turns stream records into events.
pub struct Changes {
    /// The ledger's table, whose stream tells outcomes.
    pub ledger_table: String,
    /// The other tables.
    pub streams: Vec<Stream>,
    /// Where events go.
    pub bus: Arc<dyn Bus>,
    /// Where goes what cannot be published.
    pub failures: Arc<dyn Failures>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl Changes {
    /// Publishes one batch of a shard, in its order, as far as that goes before `deadline`.
    ///
    /// # Errors
    /// [`BatchError`] where no record can be named to begin again from: the whole batch is delivered again.
    pub async fn handle(&self, batch: Value, deadline: Timestamp) -> Result<Answer, BatchError> {
        let items = records(batch)?
            .into_iter()
            .map(|record| self.item(record))
            .collect();
        let publisher = Publisher {
            bus: &*self.bus,
            failures: &*self.failures,
            clock: &*self.clock,
            deadline,
        };
        let failed = publisher.publish(items).await?;
        Ok(Answer {
            batch_item_failures: failed
                .map(|item_identifier| ItemFailure { item_identifier })
                .into_iter()
                .collect(),
        })
    }

    fn item(&self, raw: Value) -> Item {
        let sequence = record::sequence(&raw);
        let todo = match Record::parse(&raw).and_then(|record| self.announce(&record)) {
            Ok(Some(event)) => publish::within_limit(event).map_or_else(Todo::SetAside, Todo::Put),
            Ok(None) => Todo::Done,
            Err(reason) => Todo::SetAside(reason),
        };
        Item {
            sequence,
            is_ours: self.is_ours(&raw),
            raw,
            todo,
        }
    }

    /// Whether a record is of the ledger's stream, as far as can be told of one that may not be understood.
    fn is_ours(&self, raw: &Value) -> bool {
        let arn = raw
            .get("eventSourceARN")
            .and_then(Value::as_str)
            .unwrap_or_default();
        arn.contains(&format!(":table/{}/", self.ledger_table))
    }

    /// The event that a record leads to, if any; or why the record cannot be understood.
    fn announce(&self, record: &Record) -> Result<Option<Event>, String> {
        if record.table == self.ledger_table {
            return outcome::announce(record);
        }
        match self.streams.iter().find(|stream| stream.table == record.table) {
            Some(stream) => stream.announce(record),
            None => Err("expected a record of a table that STREAMS names, found another table's".to_owned()),
        }
    }
}

fn records(batch: Value) -> Result<Vec<Value>, BatchError> {
    match batch {
        Value::Array(records) => Ok(records),
        Value::Object(mut object) => match object.remove("Records") {
            Some(Value::Array(records)) => Ok(records),
            Some(_) => Err(BatchError::Shape("`Records` of another type")),
            None => Err(BatchError::Shape("an object without `Records`")),
        },
        _ => Err(BatchError::Shape("neither")),
    }
}

#[cfg(test)]
mod tests;

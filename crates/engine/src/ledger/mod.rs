//! The ledger: what became of every entity and every event (docs/adr/0002-the-ledgers-keys.md).

mod dynamo;
mod event;
mod key;
mod reader;
mod record;

use std::collections::HashMap;

use futures::future::BoxFuture;

use crate::{EntityKey, Error};

pub use dynamo::DynamoLedger;
pub(crate) use event::NO_ENTITY;
pub use event::{EventRecord, Status};
pub use key::{ATTENTION_SHARDS, EVENT_SHARDS, attention_pk, entity_pk, event_pk, hour, sort_time};
pub use reader::{AttentionKind, Reader};
pub use record::{EntityRecord, ErrorRecord, Parked, Recent, Tried};

/// What was read, by entity.
pub type Records = HashMap<EntityKey, Result<EntityRecord, Error>>;

/// Where outcomes are kept. Implemented on DynamoDB, and in memory by the testkit.
pub trait Ledger: Send + Sync {
    /// Reads the records of up to ten entities, strongly consistent. An entity without a record is absent from the
    /// answer; one whose record cannot be read fails alone.
    fn read<'a>(&'a self, entities: &'a [EntityKey]) -> BoxFuture<'a, Result<Records, Error>>;

    /// Writes an entity record if its stored revision is still `record.revision - 1`.
    ///
    /// An error of kind [`Conflict`](crate::ErrorKind::Conflict) means that it is not: somebody else settled in between.
    fn settle<'a>(&'a self, record: &'a EntityRecord) -> BoxFuture<'a, Result<(), Error>>;

    /// Writes event records. The answers stand in the same order.
    fn record<'a>(&'a self, events: &'a [EventRecord]) -> BoxFuture<'a, Vec<Result<(), Error>>>;
}

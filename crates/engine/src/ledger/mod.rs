//! The ledger: what became of every entity and every event (docs/adr/0002-the-ledgers-keys.md).

mod ahead;
mod dynamo;
mod event;
mod failure;
mod key;
mod reader;
mod record;
mod sent;
mod vendor;

use std::collections::HashMap;

use futures::future::BoxFuture;

use crate::{EntityKey, Error};

pub use ahead::{Effect, Reservation, StepRecord, Steps, Tried};
pub use dynamo::DynamoLedger;
pub(crate) use dynamo::{vendor_key, vendor_of};
pub(crate) use event::NO_ENTITY;
pub use event::{EventRecord, Status, StepReport};
pub use failure::ErrorRecord;
pub use key::{ATTENTION_SHARDS, EVENT_SHARDS, attention_pk, entity_pk, event_pk, hour, sort_time};
pub use reader::{
    AttentionKind, Counted, EntityStanding, Events, Reader, UNPROCESSED_KEYS, Unreadable, VendorChange,
    Walked,
};
pub use record::{EntityRecord, Parked, Recent};
pub use sent::{KeepSent, Sent};
pub(crate) use sent::{Mark, Said, members};
pub use vendor::{Circuit, Pause, VendorRecord, Window};

/// What was read at one time.
#[derive(Debug)]
pub struct Snapshot {
    /// The vendor's record; a new one if there is none yet.
    pub vendor: VendorRecord,
    /// The entities' records. An entity without one is absent; one whose record cannot be read fails alone.
    pub entities: HashMap<EntityKey, Result<EntityRecord, Error>>,
}

/// Where outcomes are kept. Implemented on DynamoDB, and in memory by the testkit.
pub trait Ledger: Send + Sync {
    /// Reads the records of up to ten entities and the vendor's, strongly consistent.
    fn read<'a>(&'a self, entities: &'a [EntityKey]) -> BoxFuture<'a, Result<Snapshot, Error>>;

    /// Writes an entity record if its stored revision is still `record.revision - 1`.
    ///
    /// An error of kind [`Conflict`](crate::ErrorKind::Conflict) means that it is not: somebody else settled in between.
    fn settle<'a>(&'a self, record: &'a EntityRecord) -> BoxFuture<'a, Result<(), Error>>;

    /// Writes the vendor's record, on the same condition as [`settle`](Self::settle).
    fn settle_vendor<'a>(&'a self, record: &'a VendorRecord) -> BoxFuture<'a, Result<(), Error>>;

    /// Writes event records. The answers stand in the same order.
    fn record<'a>(&'a self, events: &'a [EventRecord]) -> BoxFuture<'a, Vec<Result<(), Error>>>;
}

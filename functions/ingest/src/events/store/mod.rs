//! What is kept of requests, and what lines want to stand at the vendor: items in the ledger's table.

mod dynamo;
mod keys;

use futures::future::BoxFuture;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use vendorbridge::ledger::{EntityRecord, EventRecord};
use vendorbridge::{EntityKey, Error};

use crate::lines::Origin;

pub use dynamo::DynamoStore;

/// A request that was accepted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// The line.
    pub line: String,
    /// The caller's id, or ours: unique within the line.
    pub id: String,
    /// The event's name.
    pub event: String,
    /// A hash of what came with the id: a repeat must bring the same.
    pub hash: String,
    /// Who sent it.
    pub caller: String,
    /// When: the time of its event.
    pub at: Timestamp,
    /// What it changed, in the plan's order.
    pub changes: Vec<Changed>,
}

/// What a request changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Changed {
    /// The entity.
    pub entity: EntityKey,
    /// The revision of its wanted state.
    pub revision: u64,
    /// Where in the caller's data each part of it came from.
    pub origin: Origin,
}

/// What a line wants to stand at the vendor.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    /// Counts the changes up.
    pub revision: u64,
    /// The whole state.
    pub state: Value,
}

/// A wanted state that takes the place of the one before.
#[derive(Debug, Clone, PartialEq)]
pub struct Replacement {
    /// The entity.
    pub entity: EntityKey,
    /// The new state; its revision is one more than the one before.
    pub wanted: Wanted,
    /// What must not be another entity's: the key of a course at the vendor.
    pub claim: Option<String>,
}

/// What came of an attempt to accept a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acceptance {
    /// It is written, and so are the states.
    Written,
    /// Somebody else wrote one of them in between: read again.
    Overtaken,
    /// The vendor's key of this replacement belongs to another entity.
    Claimed(usize),
}

/// What became of an event at the vendor.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// The event's record, once there is one.
    pub event: Option<EventRecord>,
    /// How its entity stands, if no record says that the event did its work itself.
    pub entity: Option<EntityRecord>,
}

/// Where requests and wanted states are kept. Implemented on DynamoDB; in memory for tests.
pub trait Store: Send + Sync {
    /// The request with this id; strongly consistent.
    fn request<'a>(&'a self, line: &'a str, id: &'a str) -> BoxFuture<'a, Result<Option<Request>, Error>>;

    /// What the line wants of an entity; strongly consistent.
    fn wanted<'a>(&'a self, entity: &'a EntityKey) -> BoxFuture<'a, Result<Option<Wanted>, Error>>;

    /// Writes a request and the states that it leads to: all, or nothing.
    fn accept<'a>(
        &'a self,
        request: &'a Request,
        replacements: &'a [Replacement],
    ) -> BoxFuture<'a, Result<Acceptance, Error>>;

    /// Counts so many calls of a caller in the window that begins at `window`; `false` if they are too many.
    fn count<'a>(
        &'a self,
        caller: &'a str,
        window: Timestamp,
        calls: u32,
        most: u32,
    ) -> BoxFuture<'a, Result<bool, Error>>;

    /// What became of an event at the vendor, and how its entity stands there.
    fn outcome<'a>(
        &'a self,
        entity: &'a EntityKey,
        at: Timestamp,
        event_id: &'a str,
    ) -> BoxFuture<'a, Result<Outcome, Error>>;
}

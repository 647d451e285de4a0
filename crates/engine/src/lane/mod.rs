//! Lanes: one message group per entity. The group is the lock (docs/adr/0001-lanes-are-the-lock.md).

mod partition;
mod sqs;

use futures::future::BoxFuture;
use sha2::{Digest, Sha256};

use crate::{EntityKey, Error};

pub use partition::{InvalidPartitions, Partitions, partition, partition_of_queue, queue_of_partition};
pub use sqs::SqsLanes;

/// Longest message group that every sender can name: an EventBridge target's field ends at 100 (SQS itself: 128).
const MAX_GROUP_CHARS: usize = 100;

/// The message group of an entity: its key if a group may be named so, else a stable hash of it.
///
/// Distinct entities never share a lane: a key always contains `/`, a hashed lane never does.
#[must_use]
pub fn lane(entity: &EntityKey) -> String {
    let key = entity.as_str();
    // SQS allows a-z, A-Z, 0-9 and ASCII punctuation: `is_ascii_graphic` exactly.
    if key.len() <= MAX_GROUP_CHARS && key.bytes().all(|byte| byte.is_ascii_graphic()) {
        key.to_owned()
    } else {
        format!("sha256:{}", hex::encode(Sha256::digest(key)))
    }
}

/// A short stable hash, for ids and shards; 16 hexadecimal digits.
#[must_use]
pub fn short_hash(text: &str) -> String {
    hex::encode(&Sha256::digest(text)[..8])
}

/// A message on its way into a lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaneMessage {
    /// The message group.
    pub group: String,
    /// What the queue recognises a repeat by, for five minutes.
    pub deduplication_id: String,
    /// The trace it is sent in, as SQS keeps it (`AWSTraceHeader`).
    pub trace_header: Option<String>,
    /// The event, as it came.
    pub body: String,
}

/// The lanes of one vendor, in one queue or shared out among several.
pub trait Lanes: Send + Sync {
    /// How many queues share the lanes.
    fn partitions(&self) -> Partitions {
        Partitions::ONE
    }

    /// Sends each message into its lane, wherever that is; the answers stand in the same order.
    fn send<'a>(&'a self, messages: &'a [LaneMessage]) -> BoxFuture<'a, Vec<Result<(), Error>>>;

    /// Acknowledges deliveries of a partition by their receipts, ahead of their batch. Acknowledging twice is harmless.
    fn acknowledge<'a>(&'a self, partition: u32, receipts: &'a [String]) -> BoxFuture<'a, Result<(), Error>>;
}

#[cfg(test)]
mod tests;

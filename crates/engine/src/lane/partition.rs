//! Partitions: a vendor's entities shared out among several queues (docs/adr/0012-partitions-of-a-vendors-queue.md).
//!
//! An entity's partition follows from its lane: the first eight bytes of the lane's SHA-256, read as a big-endian number,
//! modulo the number of partitions. It never changes: a deployment that hashes otherwise would put one entity into two
//! queues. Since the numbers are powers of two, a doubling moves half of the entities and leaves the others where they are.

use std::fmt;

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::lane;
use crate::EntityKey;

/// What the name of a FIFO queue ends with (SQS, `CreateQueue`).
const FIFO: &str = ".fifo";

/// How many queues a vendor has: 1, 2, 4 or 8.
///
/// A dead-letter queue takes messages from at most ten others
/// (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u32")]
pub struct Partitions(u32);

/// A number of partitions that a vendor cannot have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected 1, 2, 4 or 8 partitions, found {0}")]
pub struct InvalidPartitions(pub u32);

impl Partitions {
    /// One queue with all lanes.
    pub const ONE: Self = Self(1);

    /// How many.
    #[must_use]
    pub fn count(self) -> u32 {
        self.0
    }

    /// The partition of an entity's lane. The intake lane has no entity: it is in the first queue, where the rules put it.
    #[must_use]
    pub(crate) fn of_group(self, group: &str) -> u32 {
        let mut head = [0; 8];
        head.copy_from_slice(&Sha256::digest(group)[..8]);
        // The remainder is below eight.
        u32::try_from(u64::from_be_bytes(head) % u64::from(self.0)).unwrap_or_default()
    }
}

impl Default for Partitions {
    fn default() -> Self {
        Self::ONE
    }
}

impl TryFrom<u32> for Partitions {
    type Error = InvalidPartitions;

    fn try_from(count: u32) -> Result<Self, InvalidPartitions> {
        match count {
            1 | 2 | 4 | 8 => Ok(Self(count)),
            other => Err(InvalidPartitions(other)),
        }
    }
}

impl fmt::Display for Partitions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The partition that an entity's lane is in: from 0.
#[must_use]
pub fn partition(entity: &EntityKey, partitions: Partitions) -> u32 {
    partitions.of_group(&lane(entity))
}

/// The URL, the ARN or the name of a partition's queue, by that of the first partition's, which is the vendor's queue.
///
/// The others have `_1`, `_2` … before the ending; neither a stack's nor a vendor's name can hold an underscore.
#[must_use]
pub fn queue_of_partition(first: &str, partition: u32) -> String {
    if partition == 0 {
        return first.to_owned();
    }
    let stem = first.strip_suffix(FIFO).unwrap_or(first);
    format!("{stem}_{partition}{FIFO}")
}

/// The partition whose queue has this URL, ARN or name; the reverse of [`queue_of_partition`].
#[must_use]
pub fn partition_of_queue(queue: &str) -> u32 {
    queue
        .strip_suffix(FIFO)
        .and_then(|stem| stem.rsplit_once('_'))
        .and_then(|(_, number)| number.parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn entity(id: usize) -> EntityKey {
        EntityKey::new("invoice", &id.to_string()).unwrap()
    }

    /// Changing what an entity is hashed to would put it into two queues while a deployment rolls out.
    #[rstest]
    #[case("customer/1042", [0, 1, 3, 7])]
    #[case("invoice/4711", [0, 1, 1, 1])]
    #[case("partner/C20000", [0, 0, 2, 6])]
    #[case("customer/å", [0, 0, 0, 4])]
    fn an_entitys_partition_never_changes(#[case] key: &str, #[case] partitions: [u32; 4]) {
        let key: EntityKey = key.parse().unwrap();
        let found = [1, 2, 4, 8].map(|count| partition(&key, Partitions::try_from(count).unwrap()));
        assert_eq!(found, partitions);
    }

    #[rstest]
    fn entities_are_shared_out_evenly(#[values(2, 4, 8)] count: u32) {
        let partitions = Partitions::try_from(count).unwrap();
        let mut shares = vec![0_u32; count as usize];
        for id in 0..10_000 {
            shares[partition(&entity(id), partitions) as usize] += 1;
        }
        let fair = 10_000 / count;
        assert!(
            shares.iter().all(|share| share.abs_diff(fair) <= fair / 10),
            "{shares:?}"
        );
    }

    #[rstest]
    fn a_doubling_moves_an_entity_to_one_place_only(#[values(1, 2, 4)] count: u32) {
        let [few, many] = [count, 2 * count].map(|count| Partitions::try_from(count).unwrap());
        for id in 0..1_000 {
            let (before, after) = (partition(&entity(id), few), partition(&entity(id), many));
            assert!(after == before || after == before + count, "{before} -> {after}");
        }
    }

    #[rstest]
    fn other_numbers_are_refused(#[values(0, 3, 5, 9, 16, u32::MAX)] count: u32) {
        assert_eq!(Partitions::try_from(count), Err(InvalidPartitions(count)));
    }

    #[rstest]
    #[case("https://sqs.eu-west-1.amazonaws.com/123456789012/vendorbridge-webhook.fifo")]
    #[case("arn:aws:sqs:eu-west-1:123456789012:vendorbridge-webhook.fifo")]
    #[case("a-b.fifo")]
    fn a_queue_tells_its_partition(#[case] first: &str) {
        for number in 0..8 {
            assert_eq!(partition_of_queue(&queue_of_partition(first, number)), number);
        }
        assert_eq!(queue_of_partition(first, 0), first);
        assert!(queue_of_partition(first, 3).ends_with("_3.fifo"));
    }

    #[rstest]
    fn what_names_no_partition_is_the_first(
        #[values("", "in memory", "q_x.fifo", "q_1", "q-1.fifo")] queue: &str,
    ) {
        assert_eq!(partition_of_queue(queue), 0);
    }
}

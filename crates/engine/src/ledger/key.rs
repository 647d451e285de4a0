//! The table's keys.

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::EntityKey;

/// A vendor's attention index is spread over this many partitions.
pub const ATTENTION_SHARDS: u8 = 4;
/// A vendor's events of one hour are spread over this many partitions: 1,000 writes a second each.
pub const EVENT_SHARDS: u8 = 4;

/// `<vendor>#<entity key>`: the partition of an entity's record. A vendor's name has no `#`.
#[must_use]
pub fn entity_pk(vendor: &str, entity: &EntityKey) -> String {
    format!("{vendor}#{entity}")
}

/// `<vendor>#<hour>#<shard>`: the partition of an event's record. One entity's events of an hour share a shard.
#[must_use]
pub fn event_pk(vendor: &str, hour: &str, shard: u8) -> String {
    format!("{vendor}#{hour}#{shard}")
}

/// `<vendor>#<shard>`: a partition of the sparse index `attention`.
#[must_use]
pub fn attention_pk(vendor: &str, shard: u8) -> String {
    format!("{vendor}#{shard}")
}

/// The hour of a time, `2026-01-29T14`.
#[must_use]
pub fn hour(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H").to_string()
}

/// A time that sorts as text: UTC, always three decimals.
#[must_use]
pub fn sort_time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// Which of `shards` a text belongs to; stable over time and machines.
#[must_use]
pub(crate) fn shard(text: &str, shards: u8) -> u8 {
    Sha256::digest(text)[0] % shards
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_sort_as_text() {
        let time = |text: &str| text.parse::<Timestamp>().unwrap();
        assert_eq!(
            sort_time(time("2026-01-29T14:36:26Z")),
            "2026-01-29T14:36:26.000Z"
        );
        assert_eq!(
            sort_time(time("2026-01-29T15:36:26.987654+01:00")),
            "2026-01-29T14:36:26.987Z"
        );
        assert_eq!(hour(time("2026-01-29T15:36:26+01:00")), "2026-01-29T14");
    }

    #[test]
    fn shards_are_stable_and_all_used() {
        assert_eq!(shard("customer/c-4711", 4), shard("customer/c-4711", 4));
        let used: std::collections::HashSet<_> =
            (0..100).map(|id| shard(&format!("customer/{id}"), 4)).collect();
        assert_eq!(used.len(), 4);
    }
}

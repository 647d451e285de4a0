//! How a vendor stands, counted once a minute in the index that the waker reads anyway.

use std::time::Duration;

use aws_sdk_dynamodb::error::DisplayErrorContext;
use aws_sdk_dynamodb::types::AttributeValue;
use futures::future::try_join_all;
use jiff::Timestamp;

use super::DynamoAttention;
use super::dynamo::failed;
use crate::circuit::Gate;
use crate::ledger::{ATTENTION_SHARDS, AttentionKind, attention_pk};
use crate::{Error, ErrorKind, Stage, telemetry};

/// Entries that are counted at most, per kind and shard: some 100 KB of keys, a dozen read units.
const MOST: i32 = 1000;
/// How long counting may take; within the five seconds in which the waker begins nothing new.
const PATIENCE: Duration = Duration::from_secs(4);
const KINDS: [AttentionKind; 3] = [AttentionKind::Wake, AttentionKind::Rejected, AttentionKind::Dead];

/// How a vendor stands at one time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Standing {
    /// Entities whose retry waits.
    pub parked: usize,
    /// Entities that are rejected.
    pub rejected: usize,
    /// Entities whose retries are used up.
    pub dead: usize,
    /// More stand in the index than were counted: the numbers are at least these.
    pub at_least: bool,
    /// How many seconds ago the retry was due that is due longest; 0 if none is.
    pub overdue_s: u64,
    /// The vendor's circuit is open.
    pub is_open: bool,
    /// A person paused the vendor.
    pub is_paused: bool,
}

impl DynamoAttention {
    /// Says how a vendor stands at `now`, or that nobody knows. Beside the wakes, which it neither delays nor stops.
    pub(crate) async fn tell_standing(&self, vendor: &str, now: Timestamp) {
        let late = |_| {
            Err(Error::retry(
                ErrorKind::Timeout,
                Stage::Settle,
                "the count took too long",
            ))
        };
        let standing = tokio::time::timeout(PATIENCE, self.standing(vendor, now)).await;
        match standing.unwrap_or_else(late) {
            Ok(standing) => telemetry::standing(vendor, &standing, now),
            Err(error) => telemetry::standing_unread(vendor, &error),
        }
    }

    /// How a vendor stands at `now`. Costs the same however many stand there: one page per kind and shard.
    ///
    /// # Errors
    /// If the vendor's record or the index cannot be read.
    pub async fn standing(&self, vendor: &str, now: Timestamp) -> Result<Standing, Error> {
        let pages = KINDS.iter().flat_map(|kind| {
            (0..ATTENTION_SHARDS).map(async |shard| Ok((*kind, self.page(vendor, *kind, shard).await?)))
        });
        let (record, pages) = futures::try_join!(self.read_vendor(vendor), try_join_all(pages))?;
        let gate = record.gate(now);
        let mut standing = Standing {
            is_open: matches!(gate, Gate::Open { .. } | Gate::Probe),
            is_paused: gate == Gate::Paused,
            ..Standing::default()
        };
        for (kind, page) in pages {
            standing.add(kind, &page, now);
        }
        Ok(standing)
    }

    async fn page(&self, vendor: &str, kind: AttentionKind, shard: u8) -> Result<Page, Error> {
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("attention")
            .key_condition_expression("attention_pk = :pk AND begins_with(attention_sk, :kind)")
            .expression_attribute_values(":pk", AttributeValue::S(attention_pk(vendor, shard)))
            .expression_attribute_values(":kind", AttributeValue::S(kind.prefix().to_owned()))
            .projection_expression("attention_sk")
            .limit(MOST)
            .send()
            .await
            .map_err(|error| failed(&DisplayErrorContext(error)))?;
        let first = answer
            .items()
            .first()
            .and_then(|item| item.get("attention_sk")?.as_s().ok());
        Ok(Page {
            count: usize::try_from(answer.count).unwrap_or(0),
            is_last: answer
                .last_evaluated_key
                .as_ref()
                .is_none_or(std::collections::HashMap::is_empty),
            first: first.cloned(),
        })
    }
}

/// What stands in one shard for one reason.
struct Page {
    count: usize,
    is_last: bool,
    /// The least sort key: of retries the one that is due first.
    first: Option<String>,
}

impl Standing {
    fn add(&mut self, kind: AttentionKind, page: &Page, now: Timestamp) {
        match kind {
            AttentionKind::Wake => {
                self.parked += page.count;
                self.overdue_s = self.overdue_s.max(overdue(page.first.as_deref(), now));
            }
            AttentionKind::Rejected => self.rejected += page.count,
            AttentionKind::Dead => self.dead += page.count,
        }
        self.at_least |= !page.is_last;
    }
}

/// How many seconds ago the retry with this sort key was due.
fn overdue(sort_key: Option<&str>, now: Timestamp) -> u64 {
    let due = sort_key.and_then(|key| key.strip_prefix("wake#")?.parse::<Timestamp>().ok());
    due.map_or(0, |due| {
        u64::try_from(now.duration_since(due).as_secs()).unwrap_or(0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(count: usize, first: &str) -> Page {
        Page {
            count,
            is_last: count < 1000,
            first: Some(first.to_owned()),
        }
    }

    #[test]
    fn adds_up_what_stands_in_the_shards() {
        let now = "2026-01-29T14:36:26Z".parse().unwrap();
        let mut standing = Standing::default();
        standing.add(
            AttentionKind::Wake,
            &page(2, "wake#2026-01-29T14:36:00.000Z"),
            now,
        );
        standing.add(
            AttentionKind::Wake,
            &page(3, "wake#2026-01-29T14:35:26.000Z"),
            now,
        );
        standing.add(
            AttentionKind::Wake,
            &page(1, "wake#2026-01-29T15:00:00.000Z"),
            now,
        );
        standing.add(
            AttentionKind::Rejected,
            &page(4, "rejected#2026-01-01T00:00:00.000Z"),
            now,
        );
        let expected = Standing {
            parked: 6,
            rejected: 4,
            overdue_s: 60,
            ..Standing::default()
        };
        assert_eq!(standing, expected);
        standing.add(
            AttentionKind::Dead,
            &page(1000, "dead#2026-01-01T00:00:00.000Z"),
            now,
        );
        assert_eq!(
            standing,
            Standing {
                dead: 1000,
                at_least: true,
                ..expected
            }
        );
    }

    #[test]
    fn nothing_is_overdue_before_its_time_or_without_one() {
        let now = "2026-01-29T14:36:26Z".parse().unwrap();
        for key in [
            None,
            Some("wake#2026-01-29T14:36:26.001Z"),
            Some("wake#soon"),
            Some("dead#2020-01-01T00:00:00.000Z"),
        ] {
            assert_eq!(overdue(key, now), 0, "{key:?}");
        }
    }
}

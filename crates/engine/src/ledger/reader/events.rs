//! Event records by vendor and hour, and by entity and hour. No scan: the hour is in the key.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use futures::future::try_join_all;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::unreadable::{Unreadable, sift};
use super::{Reader, all, failed};
use crate::clock::{Clock, SystemClock};
use crate::ledger::dynamo::Item;
use crate::ledger::key::shard;
use crate::ledger::{EVENT_SHARDS, EventRecord, Status, event_pk, sort_time};
use crate::{EntityKey, Error};

/// What counts of an event record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// What became of the event.
    pub status: Status,
    /// When it was sent.
    pub event_time: Timestamp,
    /// When the outcome was settled.
    pub settled_at: Timestamp,
}

/// Events, as far as their records can be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Events {
    /// Those that can be.
    pub events: Vec<EventRecord>,
    /// The others.
    pub unreadable: Unreadable,
}

/// What [`Reader::each_event`] went through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Walked {
    /// Whether it was all that there is.
    pub is_whole: bool,
    /// What was not shown, because it cannot be read.
    pub unreadable: Unreadable,
}

impl Reader {
    /// The events of a vendor in one hour (see [`hour`](crate::ledger::hour)) that have not expired, newest last.
    ///
    /// # Errors
    /// If the table cannot be read. A record that is not one of ours is no error: it is named in the answer.
    pub async fn events_of_hour(&self, vendor: &str, hour: &str) -> Result<Events, Error> {
        self.events_within(vendor, hour, Timestamp::MIN, Timestamp::MAX)
            .await
    }

    /// The same, of what was sent in `since..until` only. A record that cannot be read belongs to it unless its key says otherwise.
    ///
    /// # Errors
    /// As [`events_of_hour`](Self::events_of_hour).
    pub async fn events_within(
        &self,
        vendor: &str,
        hour: &str,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Events, Error> {
        let shards = (0..EVENT_SHARDS).map(|shard| {
            let query = self.events(vendor, hour, shard);
            all(query.key_condition_expression("pk = :pk"), usize::MAX)
        });
        let items = try_join_all(shards).await?;
        let items = items.into_iter().flatten();
        let (mut events, unreadable) =
            sift::<EventRecord>(items.filter(|item| may_be_of(item, since, until)));
        events.retain(|event| (since..until).contains(&event.event_time));
        events.sort_by_key(|event| (event.event_time, event.settled_at));
        Ok(Events { events, unreadable })
    }

    /// The events of one entity in one hour that were sent in `since..until` and have not expired, oldest first: one query.
    ///
    /// # Errors
    /// If the table cannot be read. A record that is not one of ours is no error: it is named in the answer.
    pub async fn entity_events(
        &self,
        vendor: &str,
        entity: &EntityKey,
        hour: &str,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Events, Error> {
        let bound = |time| AttributeValue::S(format!("{entity}#{}", sort_time(time)));
        let query = self
            .events(vendor, hour, shard(entity.as_str(), EVENT_SHARDS))
            .key_condition_expression("pk = :pk AND sk BETWEEN :since AND :until")
            .expression_attribute_values(":since", bound(since))
            .expression_attribute_values(":until", bound(until));
        let items = all(query, usize::MAX).await?;
        // The key of an entity may be the beginning of another's; of what names no entity that cannot be told.
        let is_other = |item: &Item| {
            let named = item.get("entity").and_then(|named| named.as_s().ok());
            named.is_some_and(|named| named != entity.as_str())
        };
        let items = items.into_iter().filter(|item| !is_other(item));
        let (mut events, unreadable) = sift::<EventRecord>(items);
        events.retain(|event| (since..until).contains(&event.event_time));
        Ok(Events { events, unreadable })
    }

    /// Shows `each` event of a vendor in one hour and shard (below [`EVENT_SHARDS`]) that has not expired, page by page: only one
    /// page is in memory at a time, and of each record only what counts.
    /// No page is begun after `at_most` records.
    ///
    /// # Errors
    /// If the table cannot be read. A record that is not one of ours is no error: it is named in the answer.
    pub async fn each_event(
        &self,
        vendor: &str,
        hour: &str,
        shard: u8,
        at_most: usize,
        mut each: impl FnMut(Counted),
    ) -> Result<Walked, Error> {
        let query = self
            .events(vendor, hour, shard)
            .key_condition_expression("pk = :pk")
            .projection_expression("sk, #status, event_time, settled_at")
            .expression_attribute_names("#status", "status");
        let mut from: Option<HashMap<_, _>> = None;
        let mut unreadable = Unreadable::default();
        let mut read = 0;
        while read < at_most {
            let answer = query.clone().set_exclusive_start_key(from).send().await;
            let answer = answer.map_err(|error| failed(&error))?;
            let items = answer.items.unwrap_or_default();
            read += items.len();
            let (counted, others) = sift::<Counted>(items);
            counted.into_iter().for_each(&mut each);
            unreadable.merge(others);
            from = answer.last_evaluated_key.filter(|key| !key.is_empty());
            if from.is_none() {
                let is_whole = true;
                return Ok(Walked { is_whole, unreadable });
            }
        }
        let is_whole = false;
        Ok(Walked { is_whole, unreadable })
    }

    fn events(&self, vendor: &str, hour: &str, shard: u8) -> QueryFluentBuilder {
        // Time to live deletes late: up to days.
        let now = SystemClock.now().as_second().to_string();
        self.client
            .query()
            .table_name(&self.table)
            .filter_expression("attribute_not_exists(expires_at) OR expires_at > :now")
            .expression_attribute_values(":pk", AttributeValue::S(event_pk(vendor, hour, shard)))
            .expression_attribute_values(":now", AttributeValue::N(now))
    }
}

/// Whether an event may have been sent in `since..until`, by its sort key: `<entity>#<time>#<id>`. A key without a time says nothing.
fn may_be_of(item: &Item, since: Timestamp, until: Timestamp) -> bool {
    let key = item.get("sk").and_then(|key| key.as_s().ok());
    // An entity or an id may look like a time, too.
    let mut times = key.into_iter().flat_map(|key| key.split('#')).filter_map(time_of);
    let Some(first) = times.next() else { return true };
    // A key's time is cut to milliseconds.
    let since = time_of(&sort_time(since)).unwrap_or(since);
    std::iter::once(first)
        .chain(times)
        .any(|time| (since..until).contains(&time))
}

/// The time that [`sort_time`] wrote so.
fn time_of(text: &str) -> Option<Timestamp> {
    let time = text.parse().ok()?;
    (sort_time(time) == text).then_some(time)
}

//! Event records by vendor and hour, and by entity and hour. No scan: the hour is in the key.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use futures::future::try_join_all;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Reader, all, failed, record};
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

impl Reader {
    /// The events of a vendor in one hour (see [`hour`](crate::ledger::hour)) that have not expired, newest last.
    ///
    /// # Errors
    /// If the table cannot be read, or a record is not one of ours.
    pub async fn events_of_hour(&self, vendor: &str, hour: &str) -> Result<Vec<EventRecord>, Error> {
        let shards = (0..EVENT_SHARDS).map(|shard| {
            let query = self.events(vendor, hour, shard);
            all(query.key_condition_expression("pk = :pk"), usize::MAX)
        });
        let items = try_join_all(shards).await?;
        let mut events = items
            .into_iter()
            .flatten()
            .map(record)
            .collect::<Result<Vec<EventRecord>, _>>()?;
        events.sort_by_key(|event| (event.event_time, event.settled_at));
        Ok(events)
    }

    /// The events of one entity in one hour that were sent in `since..until` and have not expired, oldest first: one query.
    ///
    /// # Errors
    /// If the table cannot be read, or a record is not one of ours.
    pub async fn entity_events(
        &self,
        vendor: &str,
        entity: &EntityKey,
        hour: &str,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<EventRecord>, Error> {
        let bound = |time| AttributeValue::S(format!("{entity}#{}", sort_time(time)));
        let query = self
            .events(vendor, hour, shard(entity.as_str(), EVENT_SHARDS))
            .key_condition_expression("pk = :pk AND sk BETWEEN :since AND :until")
            .expression_attribute_values(":since", bound(since))
            .expression_attribute_values(":until", bound(until));
        let items = all(query, usize::MAX).await?;
        let events = items
            .into_iter()
            .map(record)
            .collect::<Result<Vec<EventRecord>, _>>()?;
        // The key of an entity may be the beginning of another's.
        Ok(events
            .into_iter()
            .filter(|event| event.entity == entity.as_str())
            .filter(|event| (since..until).contains(&event.event_time))
            .collect())
    }

    /// Shows `each` event of a vendor in one hour and shard (below [`EVENT_SHARDS`]) that has not expired, page by page: only one
    /// page is in memory at a time, and of each record only what counts.
    /// No page is begun after `at_most` of them; answers whether these were all.
    ///
    /// # Errors
    /// If the table cannot be read, or a record is not one of ours.
    pub async fn each_event(
        &self,
        vendor: &str,
        hour: &str,
        shard: u8,
        at_most: usize,
        mut each: impl FnMut(Counted),
    ) -> Result<bool, Error> {
        let query = self
            .events(vendor, hour, shard)
            .key_condition_expression("pk = :pk")
            .projection_expression("#status, event_time, settled_at")
            .expression_attribute_names("#status", "status");
        let mut from: Option<HashMap<_, _>> = None;
        let mut read = 0;
        while read < at_most {
            let answer = query.clone().set_exclusive_start_key(from).send().await;
            let answer = answer.map_err(|error| failed(&error))?;
            for item in answer.items.unwrap_or_default() {
                each(record::<Counted>(Item::from(item))?);
                read += 1;
            }
            from = answer.last_evaluated_key.filter(|key| !key.is_empty());
            if from.is_none() {
                return Ok(true);
            }
        }
        Ok(false)
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

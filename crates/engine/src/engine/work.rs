//! The entities of a batch: read together, worked on side by side, each settled or left to the queue.

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::admission::Admission;
use super::group::{Group, Item, Terms};
use super::outcome::Outcome;
use super::{Batch, Engine};
use crate::ledger::{EntityRecord, KeepSent, Sent, Snapshot, VendorRecord};
use crate::message::EntityKey;
use crate::sabotage::{self, Sabotage};
use crate::{Error, ErrorKind, Stage, telemetry};

impl Engine {
    /// Reads the records of all entities of the batch, and the vendor's, at once.
    pub(super) async fn open<'a>(
        &self,
        order: &[EntityKey],
        mut groups: HashMap<EntityKey, Vec<Item<'a>>>,
    ) -> (Vec<Group<'a>>, VendorRecord) {
        let mut read = self.parts.ledger.read(order).await;
        let mut opened = Vec::with_capacity(order.len());
        for entity in order {
            let items = groups.remove(entity).unwrap_or_default();
            let record = match &mut read {
                Err(error) => Err(Error::retry(error.kind(), Stage::Settle, error.message())),
                Ok(snapshot) => self.record_in(snapshot, entity),
            };
            opened.push(Group {
                entity: entity.clone(),
                record,
                items,
            });
        }
        let vendor = read.map_or_else(|_| VendorRecord::new(self.vendor()), |snapshot| snapshot.vendor);
        (opened, vendor)
    }

    pub(super) fn record_in(
        &self,
        snapshot: &mut Snapshot,
        entity: &EntityKey,
    ) -> Result<EntityRecord, Error> {
        snapshot
            .entities
            .remove(entity)
            .unwrap_or_else(|| Ok(EntityRecord::unknown(self.vendor(), entity.clone())))
    }

    /// Works on one entity, unless the time left is too short for it. A settle that lost a race is no outcome: the entity
    /// is read and pushed again, once; then the queue has it.
    pub(super) async fn work(
        &self,
        group: Group<'_>,
        admission: &Admission,
        batch: &Batch,
    ) -> Vec<(usize, Outcome)> {
        let Group {
            entity,
            mut record,
            items,
        } = group;
        let mut lost_a_race = false;
        loop {
            let result = match &record {
                Err(error) => return self.give_back(&entity, &items, error),
                Ok(_) if !self.has_time(Duration::ZERO, batch.deadline) => {
                    let message = "the time left is too short to start";
                    Err(Error::retry(ErrorKind::Timeout, Stage::Intake, message))
                }
                Ok(record) => {
                    let terms = Terms {
                        admission,
                        deadline: batch.deadline,
                        request_id: &batch.request_id,
                        lost_a_race,
                    };
                    self.settle_group(&entity, record, &items, terms).await
                }
            };
            match result {
                Ok(outcomes) => return outcomes,
                Err(error) if error.kind() == ErrorKind::Conflict && !lost_a_race => {
                    lost_a_race = true;
                    record = match self.parts.ledger.read(std::slice::from_ref(&entity)).await {
                        Ok(mut snapshot) => self.record_in(&mut snapshot, &entity),
                        Err(error) => Err(error),
                    };
                }
                Err(error) => return self.give_back(&entity, &items, &error),
            }
        }
    }

    /// Whether there is time for the slowest call after this pause.
    pub(super) fn has_time(&self, pause: Duration, deadline: Timestamp) -> bool {
        let needed = SignedDuration::try_from(self.parts.slowest.saturating_add(pause));
        let end = self.now().saturating_add(needed.unwrap_or(SignedDuration::MAX));
        end.unwrap_or(Timestamp::MAX) <= deadline
    }

    /// Settles an entity. Values that were kept of it go where none are kept any more.
    pub(super) async fn settle(&self, record: &EntityRecord) -> Result<(), Error> {
        let record = self.without_values(record);
        let record = record.as_ref();
        if sabotage::is(Sabotage::BlockGroupOnPark) && record.parked.is_some() {
            let message = "told to keep the message in its lane";
            return Err(Error::retry(ErrorKind::Unavailable, Stage::Settle, message));
        }
        match self.parts.ledger.settle(record).await {
            Err(error)
                if error.kind() == ErrorKind::Conflict && sabotage::is(Sabotage::SettleWithoutCondition) =>
            {
                let mut snapshot = self
                    .parts
                    .ledger
                    .read(std::slice::from_ref(&record.entity))
                    .await?;
                let stored = self.record_in(&mut snapshot, &record.entity)?;
                let mut record = record.clone();
                record.revision = stored.revision + 1;
                self.parts.ledger.settle(&record).await
            }
            settled => settled,
        }
    }

    fn without_values<'r>(&self, record: &'r EntityRecord) -> Cow<'r, EntityRecord> {
        let has_values = record.sent.as_ref().is_some_and(Sent::has_values);
        if !has_values || self.keep_sent == KeepSent::Values {
            return Cow::Borrowed(record);
        }
        Cow::Owned(EntityRecord {
            sent: None,
            ..record.clone()
        })
    }

    /// Leaves messages to the queue.
    pub(super) fn give_back(
        &self,
        entity: &EntityKey,
        items: &[Item<'_>],
        error: &Error,
    ) -> Vec<(usize, Outcome)> {
        telemetry::returned(self.vendor(), entity.as_str(), items.len(), error);
        items.iter().map(|item| (item.index, Outcome::Returned)).collect()
    }
}

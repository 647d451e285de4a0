//! Leads a batch of messages through the stations and says which of them the queue must deliver again.

mod admission;
mod answer;
mod attempt;
mod entity;
mod group;
mod intake;
mod join;
mod lag;
mod outcome;
mod push;
mod repeat;
mod settle;
mod truth;
mod undo;
mod work;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::StreamExt;
use jiff::Timestamp;

use crate::circuit::Policy;
use crate::clock::Clock;
use crate::lane::Lanes;
use crate::ledger::{KeepSent, Ledger};
use crate::message::{Announcement, Delivery, EntityKey, Parsed};
use crate::park::Backoff;
use crate::sabotage::{self, Sabotage};
use crate::secret::SecretStore;
use crate::telemetry;

pub use entity::Entity;

use admission::Unwritten;
use group::Item;
use outcome::Outcome;

/// What an engine works with; everything that is not pure arrives here.
pub struct Parts {
    /// The vendor's name.
    pub vendor: String,
    /// The entity types of this vendor.
    pub entities: Vec<Entity>,
    /// Where outcomes are kept.
    pub ledger: Arc<dyn Ledger>,
    /// The vendor's queue.
    pub lanes: Arc<dyn Lanes>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness, for jitter only.
    pub rng: fastrand::Rng,
    /// When a failed entity is tried again.
    pub backoff: Backoff,
    /// When the vendor's circuit opens and closes.
    pub circuit: Policy,
    /// How many entities of a batch are worked on at once.
    pub max_in_flight: usize,
    /// The longest that the calls for one entity may take. No work starts when less time is left.
    pub slowest: Duration,
}

/// The engine of one vendor function.
pub struct Engine {
    parts: Parts,
    rng: Mutex<fastrand::Rng>,
    unwritten: Mutex<Unwritten>,
    secrets: Option<Arc<SecretStore>>,
    keep_sent: KeepSent,
}

/// What one invocation was given.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The messages, in the order of the queue.
    pub deliveries: Vec<Delivery>,
    /// The partition whose queue they are from; 0 for a vendor with one queue.
    pub partition: u32,
    /// When the invocation is killed.
    pub deadline: Timestamp,
    /// The invocation's id.
    pub request_id: String,
}

impl Engine {
    /// An engine of these parts.
    #[must_use]
    pub fn new(mut parts: Parts) -> Self {
        let rng = Mutex::new(parts.rng.fork());
        Self {
            parts,
            rng,
            unwritten: Mutex::default(),
            secrets: None,
            keep_sent: KeepSent::default(),
        }
    }

    /// The same with the vendor's secret, so that it can say what that lacks.
    #[must_use]
    pub fn with_secrets(self, secrets: Arc<SecretStore>) -> Self {
        let secrets = Some(secrets);
        Self { secrets, ..self }
    }

    /// The same, keeping this of what is sent; hashes of the fields unless set.
    #[must_use]
    pub fn keeping(self, keep_sent: KeepSent) -> Self {
        Self { keep_sent, ..self }
    }

    /// Works through a batch. Answers with the ids of the messages that the queue must deliver again, in their order.
    ///
    /// A message is left out of the answer, and thereby acknowledged, only when its outcome is in the ledger or it
    /// stands in its entity's lane.
    pub async fn handle(&self, batch: &Batch) -> Vec<String> {
        let mut refused = Vec::new();
        let mut strays = Vec::new();
        let mut groups: HashMap<EntityKey, Vec<Item<'_>>> = HashMap::new();
        let mut order = Vec::new();
        for (index, delivery) in batch.deliveries.iter().enumerate() {
            match delivery.parse(self.vendor(), self.announcements()) {
                Err(reason) => {
                    let event = outcome::malformed(self.vendor(), delivery, reason, self.now());
                    refused.push((index, Outcome::Settled(Box::new(event))));
                }
                Ok(Parsed::Excluded(excluded)) => {
                    let event = outcome::kept_out(self.vendor(), delivery, excluded, self.now());
                    refused.push((index, Outcome::Settled(Box::new(event))));
                }
                Ok(Parsed::NotOurs) => {
                    telemetry::not_ours(self.vendor(), &delivery.message_id);
                    refused.push((index, Outcome::Done));
                }
                Ok(Parsed::Message(message)) if self.stands_in_lane(batch, delivery, message.entity()) => {
                    let entity = message.entity().clone();
                    let items = groups.entry(entity.clone()).or_insert_with(|| {
                        order.push(entity);
                        Vec::new()
                    });
                    items.push(Item {
                        index,
                        delivery,
                        message,
                    });
                }
                Ok(Parsed::Message(message)) => strays.push(Item {
                    index,
                    delivery,
                    message,
                }),
            }
        }

        if sabotage::is(Sabotage::AckBeforeSettle) {
            let receipts: Vec<_> = batch
                .deliveries
                .iter()
                .map(|delivery| delivery.receipt.clone())
                .collect();
            let _ = self.parts.lanes.acknowledge(batch.partition, &receipts).await;
        }
        let intake = async {
            let mut handed = self.hand_over(strays).await;
            handed.extend(refused);
            if order.is_empty() {
                handed
            } else {
                self.release(batch, handed).await
            }
        };
        let lanes = async {
            if order.is_empty() {
                return Vec::new();
            }
            let (groups, vendor) = self.open(&order, groups).await;
            let has_work = groups.iter().any(|group| self.has_work(group));
            let admission = self.admission(vendor, has_work).await;
            let work = groups
                .into_iter()
                .map(|group| self.work(group, &admission, batch));
            let outcomes = futures::stream::iter(work)
                .buffer_unordered(self.parts.max_in_flight)
                .concat()
                .await;
            self.conclude(admission).await;
            outcomes
        };
        let (mut outcomes, worked) = futures::join!(intake, lanes);
        outcomes.extend(worked);
        // A message may have two outcomes, its own and that of the retry which it forced: it needs both. One without any comes
        // again.
        let (mut told, mut failed) = (
            vec![false; batch.deliveries.len()],
            vec![false; batch.deliveries.len()],
        );
        for (index, outcome) in self.record(&batch.request_id, outcomes).await {
            told[index] = true;
            failed[index] |= matches!(outcome, Outcome::Returned);
        }
        let returned: Vec<_> = told
            .iter()
            .zip(&failed)
            .map(|(told, failed)| !told || *failed)
            .collect();
        again(&batch.deliveries, &returned)
    }

    /// Acknowledges what was handed over, or refused, before the rest of the batch is done.
    ///
    /// The intake lane is one message group: no other consumer gets any of it while one of its messages is in flight.
    /// Without this, one slow vendor call would hold up every notification behind it
    /// (docs/adr/0006-intake-is-acknowledged-early.md).
    async fn release(&self, batch: &Batch, handed: Vec<(usize, Outcome)>) -> Vec<(usize, Outcome)> {
        let recorded = self.record(&batch.request_id, handed).await;
        if recorded
            .iter()
            .all(|(_, outcome)| matches!(outcome, Outcome::Done))
        {
            let receipts: Vec<_> = recorded
                .iter()
                .map(|(index, _)| batch.deliveries[*index].receipt.clone())
                .collect();
            if let Err(error) = self.parts.lanes.acknowledge(batch.partition, &receipts).await {
                // Lambda acknowledges them with the rest of the batch.
                telemetry::returned(self.vendor(), "-", receipts.len(), &error);
            }
        }
        recorded
    }

    /// Writes the event records in one go. What cannot be recorded is delivered again.
    async fn record(&self, request_id: &str, outcomes: Vec<(usize, Outcome)>) -> Vec<(usize, Outcome)> {
        let mut done = Vec::with_capacity(outcomes.len());
        let mut indices = Vec::new();
        let mut events = Vec::new();
        for (index, outcome) in outcomes {
            match outcome {
                Outcome::Settled(mut event) => {
                    request_id.clone_into(&mut event.request_id);
                    indices.push(index);
                    events.push(*event);
                }
                other => done.push((index, other)),
            }
        }
        let results = self.parts.ledger.record(&events).await;
        for ((index, event), result) in indices.into_iter().zip(&events).zip(results) {
            match result {
                Ok(()) => {
                    if !event.is_second_hand {
                        telemetry::settled(event);
                    }
                    done.push((index, Outcome::Done));
                }
                Err(error) => {
                    telemetry::returned(self.vendor(), &event.entity, 1, &error);
                    done.push((index, Outcome::Returned));
                }
            }
        }
        done
    }

    fn vendor(&self) -> &str {
        &self.parts.vendor
    }

    fn now(&self) -> Timestamp {
        self.parts.clock.now()
    }

    fn random(&self) -> f64 {
        self.rng
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .f64()
    }

    fn announcements(&self) -> impl Iterator<Item = (&str, &Announcement)> {
        self.parts.entities.iter().flat_map(|entity| {
            entity
                .announcements
                .iter()
                .map(|announcement| (entity.name.as_str(), announcement))
        })
    }

    /// Whether there is a source to ask about entities of this type.
    fn is_readable(&self, entity_type: &str) -> bool {
        self.entity(entity_type)
            .is_some_and(|entity| entity.source.is_readable())
    }

    fn entity(&self, entity_type: &str) -> Option<&Entity> {
        self.parts
            .entities
            .iter()
            .find(|entity| entity.name == entity_type)
    }
}

/// The messages to deliver again: the returned ones and, to keep the order, what is behind them in their group.
///
/// Lambda deletes a whole batch for an empty answer and repeats all of it for an unknown identifier: every id here
/// is one of the batch's, and a message without an id cannot be named.
fn again(deliveries: &[Delivery], returned: &[bool]) -> Vec<String> {
    let mut held = HashSet::new();
    let mut ids = Vec::new();
    for (delivery, returned) in deliveries.iter().zip(returned) {
        if *returned {
            held.insert(delivery.group.as_str());
        }
        if held.contains(delivery.group.as_str()) {
            let is_named = !sabotage::is(Sabotage::EmptyItemIdentifier);
            ids.push(if is_named {
                delivery.message_id.clone()
            } else {
                String::new()
            });
        }
    }
    ids
}

#[cfg(test)]
mod tests;

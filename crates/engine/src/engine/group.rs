//! The messages of one entity: decide on each, do the work once, settle.

use jiff::Timestamp;

use super::admission::Admission;
use super::attempt::{Leader, Work};
use super::outcome::{self, Outcome};
use super::settle::Waits;
use super::{Engine, intake, lag, truth};
use crate::circuit::Gate;
use crate::decide::{Decision, decide};
use crate::ledger::{EntityRecord, EventRecord, Recent, Status};
use crate::message::{Delivery, EntityKey, Message, Notification, Version};
use crate::{Error, ErrorKind, Stage};

/// A message of the batch and its place in it.
pub(super) struct Item<'a> {
    pub(super) index: usize,
    pub(super) delivery: &'a Delivery,
    pub(super) message: Message,
}

/// All messages of one entity in the batch, and what the ledger knows of it.
pub(super) struct Group<'a> {
    pub(super) entity: EntityKey,
    pub(super) record: Result<EntityRecord, Error>,
    pub(super) items: Vec<Item<'a>>,
}

/// What a group is worked on with.
#[derive(Clone, Copy)]
pub(super) struct Terms<'a> {
    pub(super) admission: &'a Admission,
    pub(super) deadline: Timestamp,
    pub(super) request_id: &'a str,
    /// The entity was settled by somebody else while this group was worked on: what the vendor holds is uncertain.
    pub(super) lost_a_race: bool,
}

impl Engine {
    /// Whether the group asks for calls to the vendor.
    pub(super) fn has_work(&self, group: &Group<'_>) -> bool {
        let now = self.now();
        let Ok(record) = &group.record else { return false };
        group.items.iter().any(|item| {
            let redelivered = item.delivery.receive_count > 1;
            decide(record, Gate::Closed, &item.message, redelivered, now) == Decision::Sync
        })
    }

    /// Decides on each message and does what is to be done, once for all of them.
    ///
    /// # Errors
    /// If an outcome cannot be settled: the queue must deliver the whole group again.
    pub(super) async fn settle_group(
        &self,
        entity: &EntityKey,
        record: &EntityRecord,
        items: &[Item<'_>],
        terms: Terms<'_>,
    ) -> Result<Vec<(usize, Outcome)>, Error> {
        let now = self.now();
        let mut outcomes = Vec::with_capacity(items.len());
        let mut late = Vec::new();
        let mut joining = Vec::new();
        let mut syncing = Vec::new();
        let is_readable = self.is_readable(entity.entity_type());
        for item in items {
            if !is_readable
                && record.parked.is_none()
                && let Message::Notification(notification) = &item.message
                && notification.carried.is_none()
            {
                outcomes.push((item.index, self.unanswerable(notification, item)));
                continue;
            }
            let redelivered = item.delivery.receive_count > 1 || terms.lost_a_race;
            match decide(record, terms.admission.gate(), &item.message, redelivered, now) {
                Decision::Covered => outcomes.push((item.index, self.covered(record, item))),
                Decision::Stale => late.push(item),
                Decision::Join => joining.push(item),
                // Whether the vendor may be called is asked once for all of them.
                Decision::Sync | Decision::Paused => syncing.push(item),
            }
        }
        if let Some(owed) = &record.owed
            && let Some(again) = items.iter().find(|item| item.delivery.receive_count > 1)
        {
            self.record_again(record, owed, again, terms.request_id).await?;
        }
        if let (Some(first), Some(latest)) = (late.first(), record.recent.last()) {
            self.record_again(record, latest, first, terms.request_id).await?;
        }
        outcomes.extend(late.iter().map(|item| (item.index, Outcome::Done)));
        if syncing.is_empty() {
            outcomes.extend(self.join(record, &joining).await?);
        } else {
            outcomes.extend(self.sync(record, items, &syncing, &joining, terms).await?);
        }
        Ok(outcomes)
    }

    /// Writes the record of an event whose outcome only the entity record has.
    ///
    /// A wake settles in the name of an event whose own message is gone. If the process dies before that event's record is
    /// written, the wake comes again and finds nothing to do, or others of its lane come first and settle something else. So
    /// what may be missing is written before anything else is settled. A stale wake writes the latest outcome whatever its
    /// count says: it may come from the dead-letter queue.
    ///
    /// # Errors
    /// If it cannot be written: then nothing of the group may be settled.
    async fn record_again(
        &self,
        record: &EntityRecord,
        known: &Recent,
        item: &Item<'_>,
        request_id: &str,
    ) -> Result<(), Error> {
        let event = outcome::remembered(self.vendor(), record, known, item.delivery);
        let outcomes = vec![(item.index, Outcome::Settled(Box::new(event)))];
        let recorded = self.record(request_id, outcomes).await;
        if recorded
            .iter()
            .all(|(_, outcome)| matches!(outcome, Outcome::Done))
        {
            return Ok(());
        }
        let message = "an outcome could not be recorded";
        Err(Error::retry(ErrorKind::Unavailable, Stage::Settle, message))
    }

    fn covered(&self, record: &EntityRecord, item: &Item<'_>) -> Outcome {
        match &item.message {
            Message::Notification(notification) => {
                // A duplicate of an event that is settled already: its outcome stands. It is written once more, since this
                // may be the message itself, redriven from the dead-letter queue before its record was written.
                if let Some(known) = record.remembered(&notification.event_id) {
                    let mut event = outcome::remembered(self.vendor(), record, known, item.delivery);
                    event.detail_type = Some(notification.detail_type.clone());
                    return Outcome::Settled(Box::new(event));
                }
                let mut event = outcome::event(
                    self.vendor(),
                    notification,
                    item.delivery,
                    Status::Covered,
                    self.now(),
                );
                event.by_event = record.recent.last().map(|recent| recent.event_id.clone());
                Outcome::Settled(Box::new(event))
            }
            Message::Wake(_) => Outcome::Done,
        }
    }

    /// Brings the vendor up to date, once for all these messages.
    async fn sync(
        &self,
        record: &EntityRecord,
        items: &[Item<'_>],
        syncing: &[&Item<'_>],
        joining: &[&Item<'_>],
        terms: Terms<'_>,
    ) -> Result<Vec<(usize, Outcome)>, Error> {
        let Some(lead) = syncing.iter().copied().reduce(|lead, item| {
            let takes_over = matches!(lead.message, Message::Notification(_)) && intake::is_newer(item, lead);
            if takes_over { item } else { lead }
        }) else {
            return Ok(Vec::new());
        };
        let leader = Leader::of(record, lead);
        let waiting = record.parked.as_ref().and_then(|parked| parked.version.clone());
        let at_least = newest_version(joining, newest_version(syncing, waiting));
        let all = syncing.iter().chain(joining).copied();
        let is_fresh = !terms.lost_a_race && all.clone().all(|item| item.delivery.receive_count <= 1);
        let entity = &record.entity;
        let is_readable = self.is_readable(entity.entity_type());
        // Of a source that no longer had the entity nobody knows how new its answer was.
        let was_gone = record.status == Status::Deleted && record.revision > 0;
        let in_doubt = !is_fresh || record.unsure || was_gone;
        let truth = truth::of(record, &all, is_readable, in_doubt);
        let forced_by = forced_by(all.clone());
        let parked = record.parked.as_ref();
        let denied_since = parked.and_then(|parked| lag::denied_since(parked, all.clone()));
        let is_folded = truth.is_folded(record, items);
        let event = match terms.admission.admit() {
            Ok(()) => {
                let work = Work {
                    entity,
                    record: record.clone(),
                    leader: &leader,
                    admission: terms.admission,
                    deadline: terms.deadline,
                    at_least,
                    truth,
                    is_folded,
                    is_fresh,
                    forced_by,
                    denied_since,
                };
                self.attempt(work).await?
            }
            Err(shut) => {
                let waits = Waits {
                    at_least,
                    truth,
                    in_doubt: !is_fresh || forced_by.is_some(),
                    forced_by,
                };
                let next = self.shut_record(record, &leader, waits, &shut);
                self.settle(&next).await?;
                self.shut_event(&leader, &shut, &next)
            }
        };
        let mut outcomes = vec![(lead.index, Outcome::Settled(Box::new(event)))];
        let now = self.now();
        for item in syncing.iter().chain(joining) {
            let outcome = match &item.message {
                // Also one that leads: it forced a retry, which was made in the name of the event that waited.
                Message::Notification(other) if other.event_id != leader.event_id => {
                    Outcome::Settled(Box::new(self.folded(other, item, &leader, now)))
                }
                _ if item.index == lead.index => continue,
                _ => Outcome::Done,
            };
            outcomes.push((item.index, outcome));
        }
        Ok(outcomes)
    }

    fn folded(
        &self,
        notification: &Notification,
        item: &Item<'_>,
        leader: &Leader,
        now: jiff::Timestamp,
    ) -> EventRecord {
        outcome::coalesced(self.vendor(), notification, item.delivery, &leader.event_id, now)
    }
}

/// The event by which somebody asked for a sync without shortcuts; of several the last.
pub(super) fn forced_by<'a>(items: impl IntoIterator<Item = &'a Item<'a>>) -> Option<&'a str> {
    let forced = items.into_iter().filter_map(|item| match &item.message {
        Message::Notification(notification) if notification.is_forced => Some(notification.event_id.as_str()),
        _ => None,
    });
    forced.last()
}

/// The newest version that any of these messages announces, or `known` if that is newer.
pub(super) fn newest_version(items: &[&Item<'_>], known: Option<Version>) -> Option<Version> {
    items.iter().fold(known, |newest, item| match &item.message {
        Message::Notification(Notification {
            version: Some(version),
            ..
        }) => match &newest {
            Some(known) if !matches!(version.partial_cmp(known), Some(std::cmp::Ordering::Greater)) => newest,
            _ => Some(version.clone()),
        },
        _ => newest,
    })
}

//! The calls to the vendor, and what the ledger must know before each.
//!
//! A plain update is called first and settled after: if the process dies in between, the message is delivered again and the
//! update repeated. Where a repeat would not do, the record is written ahead of the call: a create that cannot be repeated
//! is reserved, a key that may be left behind is remembered, and a message that was delivered before marks the record
//! unsure, so that the doubt outlives the message (docs/adr/0007-written-ahead.md).

use jiff::{SignedDuration, Timestamp};

use super::admission::is_unknown;
use super::attempt::{Leader, Reached, Trace, Work};
use super::repeat::{REMOVED, digest, idempotency_key, tried, undo_key};
use super::undo::undoing;
use super::{Engine, Entity};
use crate::ledger::{EntityRecord, Parked, Reservation, Sent};
use crate::message::Version;
use crate::sabotage::{self, Sabotage};
use crate::vendor::{Creates, Journal, Mapped, Push};
use crate::{Error, ErrorKind, Stage, Verdict};

/// One of the vendor's functions, with its payload.
#[derive(Clone, Copy)]
pub(super) enum Call<'a> {
    Find,
    Push(&'a Mapped),
    Remove,
    Compensate,
}

impl Engine {
    pub(super) async fn push(
        &self,
        entity: &Entity,
        work: &mut Work<'_>,
        trace: &mut Trace,
        state: &serde_json::Value,
    ) -> Result<Reached, Error> {
        let mapped = entity.vendor.map(state)?;
        if !mapped.is_wanted {
            return self.remove(entity, work, trace).await;
        }
        let shortcut = work.is_trusted() || sabotage::is(Sabotage::HashShortcutOnRedelivery);
        if shortcut && work.record.pushed_hash.as_ref() == Some(&mapped.hash) {
            return Ok(Reached::Unchanged);
        }
        if let Some(reason) = undoing(&work.record) {
            let is_same_plan = work
                .record
                .steps
                .as_ref()
                .is_some_and(|steps| steps.plan == mapped.hash);
            self.compensate(entity, work, trace).await?;
            if is_same_plan {
                return Err(Error::from(&reason));
            }
        }
        trace.natural_link.clone_from(&mapped.link);
        trace.tried = Some(tried(work, &mapped.hash));
        trace.sent = Sent::of(&mapped.value, self.keep_sent);
        if work.record.link.is_none()
            && let Creates::Once { visible_after } = entity.vendor.creates()
            && !sabotage::is(Sabotage::NoReservation)
        {
            let visible_after = SignedDuration::try_from(visible_after).unwrap_or(SignedDuration::MAX);
            self.look(entity, work, trace, visible_after).await?;
            if work.record.link.is_none() {
                self.reserve(work, trace);
            }
        }
        self.write_ahead(entity, work, trace).await?;
        match self.call(entity, work, trace, Call::Push(&mapped)).await {
            Ok(link) => Ok(Reached::Pushed {
                link: link.unwrap_or_default(),
            }),
            Err(error) if error.kind() == ErrorKind::Excluded => Ok(Reached::Excluded {
                rule: error.vendor_code().unwrap_or("plan").to_owned(),
            }),
            Err(error) => Err(self.undo_plan(entity, work, trace, error).await?),
        }
    }

    pub(super) async fn remove(
        &self,
        entity: &Entity,
        work: &mut Work<'_>,
        trace: &mut Trace,
    ) -> Result<Reached, Error> {
        if undoing(&work.record).is_some() {
            self.compensate(entity, work, trace).await?;
        }
        let creates = entity.vendor.creates();
        trace.tried = Some(tried(work, REMOVED));
        if work.record.link.is_none()
            && let Creates::Once { visible_after } = creates
        {
            let visible_after = SignedDuration::try_from(visible_after).unwrap_or(SignedDuration::MAX);
            self.look(entity, work, trace, visible_after).await?;
        }
        let record = &work.record;
        let never_pushed = record.link.is_none()
            && record.maybe_links.is_empty()
            && record.steps.is_none()
            && record.effects.is_empty();
        let by_key = creates == Creates::ByKey && (record.pushed_hash.is_some() || !work.is_trusted());
        if never_pushed && !by_key {
            return Ok(Reached::Removed);
        }
        self.write_ahead(entity, work, trace).await?;
        self.call(entity, work, trace, Call::Remove).await?;
        Ok(Reached::Removed)
    }

    /// Looks for what an earlier create of unknown outcome may have left, and links it. It is certain that there is nothing
    /// only once it would have become visible.
    async fn look(
        &self,
        entity: &Entity,
        work: &mut Work<'_>,
        trace: &mut Trace,
        visible_after: SignedDuration,
    ) -> Result<(), Error> {
        let Some(reserved) = work.record.reservation.clone() else {
            return Ok(());
        };
        // Asked before the call: what appears during it may be missing from the answer.
        let now = self.now();
        if let Some(link) = self.call(entity, work, trace, Call::Find).await? {
            work.record.link = Some(link);
            work.record.reservation = None;
            return Ok(());
        }
        let slowest = SignedDuration::try_from(self.parts.slowest).unwrap_or(SignedDuration::MAX);
        let until = [slowest, visible_after]
            .into_iter()
            .fold(reserved.until, |at, by| {
                at.saturating_add(by).unwrap_or(Timestamp::MAX)
            });
        if now < until {
            let after = until.duration_since(now).try_into().ok();
            let message = "a create of unknown outcome may not be visible yet";
            let verdict = Verdict::Retry { after };
            return Err(Error::new(ErrorKind::NotFound, verdict, Stage::Push, message));
        }
        work.record.reservation = None;
        Ok(())
    }

    /// Reserves the create; written before the call.
    fn reserve(&self, work: &mut Work<'_>, trace: &mut Trace) {
        let text = format!(
            "create\n{}\n{}\n{}",
            self.vendor(),
            work.entity,
            work.record.revision
        );
        work.record.reservation = Some(Reservation {
            key: digest(&text),
            until: work.deadline,
        });
        trace.reserved = true;
    }

    /// Writes what must be known if this process dies during the call.
    async fn write_ahead(&self, entity: &Entity, work: &mut Work<'_>, trace: &Trace) -> Result<(), Error> {
        let mut due = trace.reserved;
        if let Some(natural) = &trace.natural_link
            && entity.vendor.creates() == Creates::ByKey
            && work.record.link.as_ref() != Some(natural)
            && !work.record.maybe_links.contains(natural)
        {
            work.record.maybe_links.push(natural.clone());
            due = true;
        }
        // A repeat goes under the key of its first try. So what is tried must be known before it, if anything else may have
        // been tried since: A, then B, then A again is no repeat.
        due |= !work.is_fresh && !work.record.unsure;
        due |= work.is_folded;
        due |= match (&work.record.tried, &trace.tried) {
            (Some(before), Some(now)) => before.hash != now.hash,
            (None, _) => !work.is_fresh,
            (Some(_), None) => false,
        };
        if !due {
            return Ok(());
        }
        work.record.tried.clone_from(&trace.tried);
        let hash = trace.tried.as_ref().map_or(REMOVED, |tried| tried.hash.as_str());
        self.journal(&mut work.record, hash, work.deadline).write().await
    }

    /// Calls the vendor, and again at once where that is nearly free.
    pub(super) async fn call(
        &self,
        entity: &Entity,
        work: &mut Work<'_>,
        trace: &mut Trace,
        call: Call<'_>,
    ) -> Result<Option<String>, Error> {
        let started = self.now();
        let version = trace.version.clone();
        let tried = trace.tried.clone().unwrap_or_else(|| tried(work, REMOVED));
        let key = match (call, &work.record.reservation, &work.record.steps) {
            (Call::Compensate, _, Some(steps)) => undo_key(self.vendor(), work.entity, &steps.plan),
            (_, Some(reserved), _) => reserved.key.clone(),
            _ => idempotency_key(self.vendor(), work, &tried),
        };
        let plan = match (call, &work.record.steps) {
            (Call::Compensate, Some(steps)) => steps.plan.clone(),
            _ => tried.hash.clone(),
        };
        let mut again = 0;
        let result = loop {
            let result = {
                let leader: &Leader = work.leader;
                let vendor = entity.vendor.as_ref();
                let mut push = self.push_of(
                    work.entity,
                    leader,
                    version.as_ref(),
                    &key,
                    self.journal(&mut work.record, &plan, work.deadline),
                );
                let result = match call {
                    Call::Find => vendor.find(&mut push).await,
                    Call::Push(mapped) => vendor.push(&mut push, mapped).await.map(Some),
                    Call::Remove => vendor.remove(&mut push).await.map(|()| None),
                    Call::Compensate => vendor.compensate(&mut push).await.map(|()| None),
                };
                trace.receipt = push.take_receipt().or_else(|| trace.receipt.take());
                if matches!(call, Call::Push(_)) {
                    trace.progress = push.take_progress();
                }
                result
            };
            match &result {
                // What may have been created is looked for first.
                Err(error)
                    if !(is_unknown(error) && trace.reserved)
                        && self.retries_at_once(error, &mut again, work.deadline).await => {}
                _ => break result,
            }
        };
        if !matches!(&result, Err(error) if error.stage() == Stage::Settle) {
            let fails_alone = work.record.parked.as_ref().is_some_and(Parked::fails_alone);
            work.admission.count(result.as_ref().map(|_| ()), fails_alone);
        }
        let spent = self.millis_since(started);
        trace.vendor_ms = Some(trace.vendor_ms.unwrap_or(0).saturating_add(spent));
        result
    }

    fn push_of<'a>(
        &self,
        entity: &'a crate::EntityKey,
        leader: &'a Leader,
        version: Option<&'a Version>,
        key: &'a str,
        journal: Journal<'a>,
    ) -> Push<'a> {
        Push::new(
            entity,
            &leader.event_id,
            leader.event_time,
            version,
            key,
            self.now(),
            journal,
        )
    }

    pub(super) fn journal<'a>(
        &'a self,
        record: &'a mut EntityRecord,
        plan: &'a str,
        deadline: Timestamp,
    ) -> Journal<'a> {
        let slowest = SignedDuration::try_from(self.parts.slowest).unwrap_or(SignedDuration::MAX);
        Journal {
            record,
            ledger: self.parts.ledger.as_ref(),
            plan,
            ends: deadline.saturating_add(slowest).unwrap_or(Timestamp::MAX),
            clock: self.parts.clock.as_ref(),
        }
    }
}

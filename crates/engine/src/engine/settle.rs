//! What the ledger says after an attempt. Pure but for the clock and the jitter.

use jiff::Timestamp;

use super::Engine;
use super::admission::{Shut, is_unknown};
use super::attempt::{Leader, Reached, Trace, Work};
use super::repeat::delivery_mark;
use super::truth::Truth;
use crate::ledger::{EntityRecord, ErrorRecord, EventRecord, Parked, Status};
use crate::message::Version;
use crate::sabotage::{self, Sabotage};
use crate::{Error, ErrorKind, Verdict};

/// What a retry must know that waits until the vendor may be called.
pub(super) struct Waits<'a> {
    pub(super) at_least: Option<Version>,
    pub(super) truth: Truth,
    /// No shortcut may be taken.
    pub(super) in_doubt: bool,
    /// The event by which somebody asked for that.
    pub(super) forced_by: Option<&'a str>,
}

impl Engine {
    /// The entity record after the attempt: pure but for the clock and the jitter.
    pub(super) fn next_record(
        &self,
        work: &Work<'_>,
        trace: &Trace,
        result: &Result<Reached, Error>,
    ) -> EntityRecord {
        let now = self.now();
        let status = match result {
            Ok(Reached::Pushed { .. }) => Status::Synced,
            Ok(Reached::Removed) => Status::Deleted,
            Ok(Reached::Unchanged) => Status::Unchanged,
            Ok(Reached::Excluded { .. }) => Status::Excluded,
            Err(error) if is_permanent(error) => Status::Rejected,
            Err(_) => Status::Parked,
        };
        let mut next = work
            .record
            .next(status, &work.leader.event_id, work.leader.event_time, now);
        next.parked = None;
        next.error = None;
        next.owed = None;
        next.rule = None;
        match result {
            Ok(reached) => {
                match reached {
                    Reached::Pushed { link } => {
                        next.link = Some(link.clone());
                        next.pushed_hash = trace.tried.as_ref().map(|tried| tried.hash.clone());
                        next.sent.clone_from(&trace.sent);
                    }
                    Reached::Removed => {
                        next.link = None;
                        next.pushed_hash = None;
                        next.sent = None;
                        next.parts.clear();
                    }
                    Reached::Unchanged => {}
                    Reached::Excluded { rule } => next.rule = Some(rule.clone()),
                }
                if matches!(reached, Reached::Pushed { .. } | Reached::Removed) {
                    next.pushed_revision = trace.tried.as_ref().map(|tried| tried.revision);
                    next.pushed_by = Some(delivery_mark(&work.leader.message_id, work.leader.receive_count));
                }
                next.tried = None;
                next.reservation = None;
                next.steps = None;
                next.maybe_links.clear();
                if sabotage::is(Sabotage::ForgetEffects) {
                    next.effects.clear();
                }
                next.pushed_version.clone_from(&trace.version);
                if self.carries(work) {
                    next.synced_version.clone_from(&trace.version);
                }
                if trace.read_at.is_some() {
                    next.read_at = trace.read_at;
                }
                next.attempts = 0;
                next.unsure = false;
                next.doubted_for = None;
            }
            Err(error) => self.fail(&mut next, work, trace, error, now),
        }
        if work.leader.is_retry && next.status != Status::Parked {
            next.owed = next.recent.last().cloned();
        }
        next
    }

    fn fail(&self, next: &mut EntityRecord, work: &Work<'_>, trace: &Trace, error: &Error, now: Timestamp) {
        // What waits for another entity did not fail: its first failure after that is its first.
        next.attempts = match error.kind() {
            ErrorKind::Waiting => work.attempts_before(),
            _ => work.attempt(),
        };
        // Any failure at the vendor may have changed something there: a plan's first call may have got through. And so may
        // an earlier delivery of the message.
        let certainly_not = sabotage::is(Sabotage::UnknownAsFailed);
        // What waits for another entity was not begun.
        let at_vendor = error.stage().is_at_vendor() && error.kind() != ErrorKind::Waiting;
        next.unsure |= !work.is_fresh || work.forced_by.is_some() || (at_vendor && !certainly_not);
        // This process sends no more calls for it: nothing need be waited for that could still be sent until its end.
        let slowest = jiff::SignedDuration::try_from(self.parts.slowest).unwrap_or_default();
        let ends = now.saturating_add(slowest).unwrap_or(Timestamp::MAX);
        for until in next.effects.iter_mut().filter_map(|effect| effect.until.as_mut()) {
            *until = (*until).min(ends);
        }
        if trace.reserved && next.steps.is_none() && !is_unknown(error) {
            next.reservation = None;
        }
        if at_vendor {
            if trace.tried.is_some() {
                next.tried.clone_from(&trace.tried);
            }
            // A part of it may stand there: a source that lags must not bring back what is older.
            if trace.version.is_some() {
                next.pushed_version.clone_from(&trace.version);
            }
            // What was pushed last is no longer what a repeat would repeat.
            next.pushed_revision = None;
            next.pushed_by = None;
        }
        if let Some(natural) = trace.natural_link.as_ref().filter(|_| at_vendor)
            && next.link.as_ref() != Some(natural)
            && !next.maybe_links.contains(natural)
        {
            next.maybe_links.push(natural.clone());
        }
        let failure = ErrorRecord::from(error);
        if next.status == Status::Rejected {
            next.error = Some(failure);
            return;
        }
        let since = work
            .record
            .parked
            .as_ref()
            .map_or(now, |parked| parked.waiting_since(&work.record, now));
        let after = error.retry_after();
        let verdict = after.map_or(error.verdict(), |_| Verdict::Retry { after });
        let wake_at = self
            .parts
            .backoff
            .wake_at(verdict, next.attempts, since, now, self.random());
        if let Some(wake_at) = wake_at {
            next.parked = Some(Parked {
                wake_at,
                since,
                event_id: work.leader.event_id.clone(),
                event_time: work.leader.event_time,
                detail_type: work.leader.detail_type.clone(),
                trace: work.leader.trace,
                version: work.at_least.clone(),
                lagging_since: lagging_since(work, error, now),
                denied_since: trace.is_denied.then(|| work.denied_since.unwrap_or(now)),
                carried: work.truth.carried.clone(),
                asks: work.truth.asks_first(),
                error: failure,
            });
        } else {
            next.status = Status::Dead;
            next.error = Some(failure);
        }
        if let Some(latest) = next.recent.last_mut() {
            latest.status = next.status;
        }
    }

    pub(super) fn event_record(
        &self,
        work: &Work<'_>,
        trace: Trace,
        result: &Result<Reached, Error>,
        next: &EntityRecord,
    ) -> EventRecord {
        let failed = result.is_err();
        // What waits for another entity was not tried.
        let is_waiting = matches!(result, Err(error) if error.kind() == ErrorKind::Waiting);
        EventRecord {
            detail_type: Some(work.leader.detail_type.clone()),
            trace: work.leader.trace,
            attempt: (!is_waiting).then(|| work.attempt()),
            rule: next.rule.clone(),
            link: next.link.clone(),
            receipt: trace.receipt,
            version: trace.version,
            source_ms: trace.source_ms,
            vendor_ms: trace.vendor_ms,
            wake_at: next.parked.as_ref().map(|parked| parked.wake_at),
            error: result.as_ref().err().map(ErrorRecord::from),
            not_done: if failed {
                trace.progress.not_done()
            } else {
                Vec::new()
            },
            steps: trace.progress.done,
            ..EventRecord::new(
                self.vendor(),
                work.entity.as_str(),
                &work.leader.event_id,
                next.status,
                work.leader.event_time,
                next.settled_at,
                &work.leader.message_id,
            )
        }
    }

    /// The entity record after a vendor was not called: what would have been done waits. It counts as no attempt.
    pub(super) fn shut_record(
        &self,
        record: &EntityRecord,
        leader: &Leader,
        waits: Waits<'_>,
        shut: &Shut,
    ) -> EntityRecord {
        let now = self.now();
        let mut next = record.next(Status::Parked, &leader.event_id, leader.event_time, now);
        let spread = self.parts.backoff.base.mul_f64(self.random());
        let wake_at = shut.until.map_or(now, |until| {
            let spread = jiff::SignedDuration::try_from(spread).unwrap_or_default();
            until.max(now).saturating_add(spread).unwrap_or(Timestamp::MAX)
        });
        if record.parked.is_none() {
            next.attempts = 0;
        }
        next.unsure |= waits.in_doubt;
        if let Some(event) = waits.forced_by {
            next.doubt(event);
        }
        next.error = None;
        next.parked = Some(Parked {
            wake_at,
            since: record
                .parked
                .as_ref()
                .map_or(now, |parked| parked.waiting_since(record, now)),
            event_id: leader.event_id.clone(),
            event_time: leader.event_time,
            detail_type: leader.detail_type.clone(),
            trace: leader.trace,
            version: waits.at_least,
            lagging_since: None,
            denied_since: None,
            asks: waits.truth.asks_first(),
            carried: waits.truth.carried,
            error: ErrorRecord::from(&shut.error),
        });
        next
    }

    /// The event's record when the vendor was not called.
    pub(super) fn shut_event(&self, leader: &Leader, shut: &Shut, next: &EntityRecord) -> EventRecord {
        EventRecord {
            detail_type: Some(leader.detail_type.clone()),
            trace: leader.trace,
            link: next.link.clone(),
            wake_at: next.parked.as_ref().map(|parked| parked.wake_at),
            error: Some(ErrorRecord::from(&shut.error)),
            ..EventRecord::new(
                self.vendor(),
                next.entity.as_str(),
                &leader.event_id,
                next.status,
                leader.event_time,
                next.settled_at,
                &leader.message_id,
            )
        }
    }
}

fn is_permanent(error: &Error) -> bool {
    error.verdict() == Verdict::Permanent && !sabotage::is(Sabotage::RetryPermanent)
}

/// Since when the source has been lagging, if that is the failure.
fn lagging_since(work: &Work<'_>, error: &Error, now: Timestamp) -> Option<Timestamp> {
    let parked = work.record.parked.as_ref();
    let before = parked.and_then(|parked| parked.lagging_since);
    (error.kind() == ErrorKind::Lagging).then(|| before.unwrap_or(now))
}

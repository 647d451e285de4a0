//! What the ledger says after an attempt. Pure but for the clock and the jitter.

use jiff::Timestamp;

use super::Engine;
use super::attempt::{Reached, Trace, Work};
use crate::ledger::{EntityRecord, ErrorRecord, EventRecord, Parked, Status};
use crate::{Error, Stage, Verdict};

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
            Err(error) if error.verdict() == Verdict::Permanent => Status::Rejected,
            Err(_) => Status::Parked,
        };
        let mut next = work
            .record
            .next(status, &work.leader.event_id, work.leader.event_time, now);
        next.parked = None;
        next.error = None;
        match result {
            Ok(reached) => {
                match reached {
                    Reached::Pushed { hash, link } => {
                        next.link = Some(link.clone());
                        next.pushed_hash = Some(hash.clone());
                    }
                    Reached::Removed => {
                        next.link = None;
                        next.pushed_hash = None;
                    }
                    Reached::Unchanged => {}
                }
                next.maybe_links.clear();
                next.pushed_version.clone_from(&trace.version);
                next.read_at = trace.read_at;
                next.attempts = 0;
                next.unsure = false;
            }
            Err(error) => self.fail(&mut next, work, trace, error, now),
        }
        next
    }

    fn fail(&self, next: &mut EntityRecord, work: &Work<'_>, trace: &Trace, error: &Error, now: Timestamp) {
        next.attempts = work.attempt();
        // Any failure at the vendor may have changed something there: a plan's first call may have got through.
        next.unsure |= error.stage() == Stage::Push;
        if let Some(natural) = trace
            .natural_link
            .as_ref()
            .filter(|_| error.stage() == Stage::Push)
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
        let since = work.record.parked.as_ref().map_or(now, |parked| parked.since);
        let wake_at = self
            .parts
            .backoff
            .wake_at(error.verdict(), next.attempts, since, now, self.random());
        if let Some(wake_at) = wake_at {
            next.parked = Some(Parked {
                wake_at,
                since,
                event_id: work.leader.event_id.clone(),
                event_time: work.leader.event_time,
                detail_type: work.leader.detail_type.clone(),
                version: work.at_least.clone(),
                error: failure,
                tried: trace
                    .tried
                    .clone()
                    .or_else(|| work.record.parked.as_ref()?.tried.clone()),
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
        EventRecord {
            vendor: self.vendor().to_owned(),
            entity: work.entity.as_str().to_owned(),
            event_id: work.leader.event_id.clone(),
            detail_type: Some(work.leader.detail_type.clone()),
            status: next.status,
            event_time: work.leader.event_time,
            settled_at: next.settled_at,
            message_id: work.leader.message_id.clone(),
            attempt: Some(work.attempt()),
            by_event: None,
            link: next.link.clone(),
            version: trace.version,
            source_ms: trace.source_ms,
            vendor_ms: trace.vendor_ms,
            wake_at: next.parked.as_ref().map(|parked| parked.wake_at),
            error: result.as_ref().err().map(ErrorRecord::from),
            request_id: String::new(),
        }
    }
}

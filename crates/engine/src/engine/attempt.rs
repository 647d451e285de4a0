//! One attempt to bring a vendor up to date: read, map, push.

use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use jiff::Timestamp;

use super::admission::Admission;
use super::group::Item;
use super::truth::Truth;
use super::{Engine, Entity, lag};
use crate::ledger::{EntityRecord, EventRecord, Sent, Tried};
use crate::message::{Announcement, Carried, EntityKey, Message, TraceParent, Version};
use crate::park;
use crate::source::Fetched;
use crate::vendor::Progress;
use crate::{Error, ErrorKind, Stage, Verdict, telemetry};

/// The event in whose name the work is done.
pub(super) struct Leader {
    pub(super) event_id: String,
    pub(super) event_time: Timestamp,
    pub(super) detail_type: String,
    pub(super) message_id: String,
    pub(super) receive_count: u32,
    /// The trace that the event belongs to.
    pub(super) trace: Option<TraceParent>,
    /// The work is a waiting retry's, woken or forced: the event's own message is gone.
    pub(super) is_retry: bool,
}

impl Leader {
    /// A retry that waits is made in the name of the event that waits, whatever it is that wakes it. Otherwise a notification
    /// leads in its own name.
    pub(super) fn of(record: &EntityRecord, item: &Item<'_>) -> Self {
        let message_id = item.delivery.message_id.clone();
        let receive_count = item.delivery.receive_count;
        let (event_id, event_time, detail_type) = match (&item.message, &record.parked) {
            (_, Some(parked)) => (&parked.event_id, parked.event_time, parked.detail_type.as_str()),
            (Message::Notification(notification), None) => (
                &notification.event_id,
                notification.time,
                notification.detail_type.as_str(),
            ),
            (Message::Wake(_), None) => (&message_id, record.settled_at, crate::message::WAKE_DETAIL_TYPE),
        };
        let trace = match (&item.message, &record.parked) {
            (_, Some(parked)) => parked.trace,
            (Message::Notification(notification), None) => notification.trace,
            (Message::Wake(_), None) => None,
        };
        Self {
            trace,
            event_id: event_id.clone(),
            event_time,
            detail_type: detail_type.to_owned(),
            message_id,
            receive_count,
            is_retry: record.parked.is_some() || matches!(item.message, Message::Wake(_)),
        }
    }
}

/// What an attempt works with.
pub(super) struct Work<'a> {
    pub(super) entity: &'a EntityKey,
    /// As it stands in the ledger: every write ahead of a call raises it.
    pub(super) record: EntityRecord,
    pub(super) leader: &'a Leader,
    pub(super) admission: &'a Admission,
    pub(super) deadline: Timestamp,
    /// The newest version announced: an older answer of the source is a lagging one.
    pub(super) at_least: Option<Version>,
    /// Where the state comes from.
    pub(super) truth: Truth,
    /// The state is a later message's than the first one's: that must be known before the push.
    pub(super) is_folded: bool,
    /// No message of this work was delivered before. What an earlier delivery did is unknown.
    pub(super) is_fresh: bool,
    /// The event by which somebody asked for a sync without shortcuts.
    pub(super) forced_by: Option<&'a str>,
    /// Since when the source has denied the entity, if there was no event since.
    pub(super) denied_since: Option<Timestamp>,
}

impl Work<'_> {
    /// Whether the record certainly says what the vendor holds.
    pub(super) fn is_trusted(&self) -> bool {
        self.is_fresh && !self.record.unsure && self.forced_by.is_none()
    }

    /// How many tries failed since the last success. What was rejected or dead starts afresh.
    pub(super) fn attempts_before(&self) -> u32 {
        match self.record.parked {
            Some(_) => self.record.attempts,
            None => 0,
        }
    }

    /// Which try this is, from 1.
    pub(super) fn attempt(&self) -> u32 {
        self.attempts_before().saturating_add(1)
    }
}

/// What an attempt found out on its way, whether or not it got through.
#[derive(Default)]
pub(super) struct Trace {
    pub(super) read_at: Option<Timestamp>,
    pub(super) version: Option<Version>,
    /// The source answered that there is no such entity.
    pub(super) is_denied: bool,
    pub(super) natural_link: Option<String>,
    pub(super) tried: Option<Tried>,
    /// What the ledger keeps of the payload, should it be pushed.
    pub(super) sent: Option<Sent>,
    /// The create was reserved in this attempt: no earlier one can have happened.
    pub(super) reserved: bool,
    pub(super) source_ms: Option<u64>,
    pub(super) vendor_ms: Option<u64>,
    /// By what the vendor acknowledged the push.
    pub(super) receipt: Option<String>,
    /// How far the plan got.
    pub(super) progress: Progress,
}

/// Where an attempt got to.
pub(super) enum Reached {
    Pushed { link: String },
    Removed,
    Unchanged,
    Excluded { rule: String },
}

impl Engine {
    /// Makes one attempt and settles it. Answers with the event's record, which is yet to be written.
    ///
    /// # Errors
    /// If the entity record cannot be settled; nothing may be acknowledged then.
    pub(super) async fn attempt(&self, mut work: Work<'_>) -> Result<EventRecord, Error> {
        let mut trace = Trace::default();
        let before = work.record.pushed_version.clone();
        if let Some(event) = work.forced_by {
            work.record.doubt(event);
        }
        // A panic in one entity's work fails that entity only.
        let event_trace = work.leader.trace;
        let spans = || fastrand::Rng::with_seed(self.random().to_bits());
        let attempt = telemetry::trace::within(event_trace, spans, self.run(&mut work, &mut trace));
        let result = AssertUnwindSafe(attempt)
            .catch_unwind()
            .await
            .unwrap_or_else(|_| {
                let message = "the vendor's code panicked; the function's log has the place";
                Err(Error::new(
                    ErrorKind::Panicked,
                    Verdict::Unknown,
                    Stage::Push,
                    message,
                ))
            });
        let result = match result {
            // The ledger could not be written ahead of a call: the work stopped there.
            Err(error) if error.stage() == Stage::Settle => return Err(error),
            result => result,
        };
        let next = self.next_record(&work, &trace, &result);
        let unchanged = match &result {
            Ok(Reached::Unchanged) => true,
            Ok(Reached::Excluded { rule }) => work.record.rule.as_ref() == Some(rule),
            _ => false,
        };
        // Of carried states an older one may still be on its way: the newest must be known even where it changed nothing.
        let overtakes = self.carries(&work) && next.pushed_version != before;
        if !(unchanged && work.record.is_settled() && !overtakes) {
            self.settle(&next).await?;
        }
        Ok(self.event_record(&work, trace, &result, &next))
    }

    async fn run(&self, work: &mut Work<'_>, trace: &mut Trace) -> Result<Reached, Error> {
        let entity = self.entity(work.entity.entity_type()).ok_or_else(|| {
            let message = "expected an entity type of this vendor, found another";
            Error::permanent(ErrorKind::Invalid, Stage::Intake, message)
        })?;
        let state = match work.truth.carried.clone() {
            Some(carried) if !work.truth.asks => take(work, trace, carried),
            None => self.read(entity, work, trace).await?,
            Some(carried) => match self.read(entity, work, trace).await {
                // The source will not say. What was carried is the newest that is known, unless it was overtaken.
                Err(error) if error.verdict() == Verdict::Permanent && !is_overtaken(work, &carried) => {
                    trace.read_at = None;
                    take(work, trace, carried)
                }
                read => read?,
            },
        };
        let rule = state.as_ref().and_then(|state| {
            let rules = entity.rules.as_ref().filter(|_| !work.record.may_stand())?;
            rules.excluding(&entity.name, state)
        });
        if let Some(rule) = rule {
            let rule = rule.to_owned();
            return Ok(Reached::Excluded { rule });
        }
        match state {
            Some(state) => self.push(entity, work, trace, &state).await,
            None => self.remove(entity, work, trace).await,
        }
    }

    /// Whether events can bring the state of this entity.
    pub(super) fn carries(&self, work: &Work<'_>) -> bool {
        let entity = self.entity(work.entity.entity_type());
        entity.is_some_and(|entity| entity.announcements.iter().any(Announcement::is_carrying))
    }

    /// Asks the source.
    async fn read(
        &self,
        entity: &Entity,
        work: &mut Work<'_>,
        trace: &mut Trace,
    ) -> Result<Option<serde_json::Value>, Error> {
        let fetched = self.fetch(entity, work, trace).await?;
        if fetched.is_current {
            let announced = later(work.at_least.as_ref(), work.record.pushed_version.as_ref());
            trace.version = announced.cloned().or(fetched.version);
            return Ok(fetched.state);
        }
        let read_at = trace.read_at.unwrap_or_default();
        trace.is_denied = fetched.state.is_none();
        lag::refuse_lagging(work, fetched.state.is_some(), fetched.version.as_ref(), read_at)?;
        trace.version = fetched.version;
        if self.carries(work) {
            // Carried states from before this read may still be on their way: none of them follows it.
            let announced = later(work.at_least.as_ref(), work.record.pushed_version.as_ref());
            trace.version = trace.version.take().or_else(|| announced.cloned());
            work.record.pushed_version.clone_from(&trace.version);
        }
        Ok(fetched.state)
    }

    async fn fetch(&self, entity: &Entity, work: &Work<'_>, trace: &mut Trace) -> Result<Fetched, Error> {
        let started = self.now();
        let mut tries = 0;
        let fetched = loop {
            // What changes during a read may be in its answer or not: only what was there at its start certainly is.
            trace.read_at = Some(self.now());
            match entity.source.fetch(work.entity).await {
                Err(error) if self.retries_at_once(&error, &mut tries, work.deadline).await => {}
                fetched => break fetched,
            }
        };
        trace.source_ms = Some(self.millis_since(started));
        fetched
    }

    /// Waits a moment and says yes, if another try is nearly free and there is time for it.
    pub(super) async fn retries_at_once(&self, error: &Error, tries: &mut u32, deadline: Timestamp) -> bool {
        let Some(pause) = park::quick_retry(error, *tries, self.random()) else {
            return false;
        };
        if !self.has_time(pause, deadline) {
            return false;
        }
        *tries += 1;
        self.parts.clock.sleep(pause).await;
        true
    }

    pub(super) fn millis_since(&self, start: Timestamp) -> u64 {
        u64::try_from(self.now().duration_since(start).as_millis()).unwrap_or(0)
    }
}

/// Whether the vendor was brought further than this already.
fn is_overtaken(work: &Work<'_>, carried: &Carried) -> bool {
    let pushed = work.record.pushed_version.as_ref();
    pushed.is_some_and(|pushed| carried.is_older_than(pushed))
}

/// Takes a carried state for the truth.
fn take(work: &mut Work<'_>, trace: &mut Trace, carried: Carried) -> Option<serde_json::Value> {
    trace.version = Some(carried.version.clone());
    // Whatever comes of it: no older one follows.
    work.record.pushed_version = Some(carried.version.clone());
    if let Some(parked) = &mut work.record.parked {
        parked.carried = Some(carried.clone());
    }
    carried.state
}

/// The later of two versions; the first where they cannot be compared.
fn later<'v>(a: Option<&'v Version>, b: Option<&'v Version>) -> Option<&'v Version> {
    match (a, b) {
        (Some(a), Some(b)) if a < b => Some(b),
        (a, b) => a.or(b),
    }
}

//! One attempt to bring a vendor up to date: read, map, push.

use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::group::Item;
use super::{Engine, Entity};
use crate::ledger::{EntityRecord, EventRecord, Tried};
use crate::message::{EntityKey, Message, Version};
use crate::source::Fetched;
use crate::vendor::Push;
use crate::{Error, ErrorKind, Stage, Verdict};

/// How long a source may answer with an older version than was announced.
const LAG_PATIENCE: SignedDuration = SignedDuration::from_mins(15);
/// How long a source may deny an entity whose version was just announced.
const GONE_PATIENCE: SignedDuration = SignedDuration::from_secs(10);

/// The event in whose name the work is done.
pub(super) struct Leader {
    pub(super) event_id: String,
    pub(super) event_time: Timestamp,
    pub(super) detail_type: String,
    pub(super) message_id: String,
}

impl Leader {
    /// A notification leads in its own name, a wake in the name of the event that waits.
    pub(super) fn of(record: &EntityRecord, item: &Item<'_>) -> Self {
        let message_id = item.delivery.message_id.clone();
        match (&item.message, &record.parked) {
            (Message::Notification(notification), _) => Self {
                event_id: notification.event_id.clone(),
                event_time: notification.time,
                detail_type: notification.detail_type.clone(),
                message_id,
            },
            (Message::Wake(_), Some(parked)) => Self {
                event_id: parked.event_id.clone(),
                event_time: parked.event_time,
                detail_type: parked.detail_type.clone(),
                message_id,
            },
            (Message::Wake(_), None) => Self {
                event_id: message_id.clone(),
                event_time: record.settled_at,
                detail_type: crate::message::WAKE_DETAIL_TYPE.to_owned(),
                message_id,
            },
        }
    }
}

/// What an attempt starts from.
pub(super) struct Work<'a> {
    pub(super) entity: &'a EntityKey,
    pub(super) record: &'a EntityRecord,
    pub(super) leader: &'a Leader,
    /// The newest version announced: an older answer of the source is a lagging one.
    pub(super) at_least: Option<Version>,
    /// Whether the record certainly says what the vendor holds.
    pub(super) trusted: bool,
}

impl Work<'_> {
    /// Which try this is, from 1. What was rejected or dead starts afresh.
    pub(super) fn attempt(&self) -> u32 {
        let before = if self.record.parked.is_some() {
            self.record.attempts
        } else {
            0
        };
        before.saturating_add(1)
    }
}

/// What an attempt found out on its way, whether or not it got through.
#[derive(Default)]
pub(super) struct Trace {
    pub(super) read_at: Option<Timestamp>,
    pub(super) version: Option<Version>,
    pub(super) natural_link: Option<String>,
    pub(super) tried: Option<Tried>,
    pub(super) source_ms: Option<u64>,
    pub(super) vendor_ms: Option<u64>,
}

/// Where an attempt got to.
pub(super) enum Reached {
    Pushed { hash: String, link: String },
    Removed,
    Unchanged,
}

impl Engine {
    /// Makes one attempt and settles it. Answers with the event's record, which is yet to be written.
    ///
    /// # Errors
    /// If the entity record cannot be settled; nothing may be acknowledged then.
    pub(super) async fn attempt(&self, work: &Work<'_>) -> Result<EventRecord, Error> {
        let mut trace = Trace::default();
        // A panic in one entity's work fails that entity only.
        let result = AssertUnwindSafe(self.run(work, &mut trace))
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
        let next = self.next_record(work, &trace, &result);
        let unchanged = matches!(result, Ok(Reached::Unchanged));
        if !(unchanged && work.record.is_settled()) {
            self.parts.ledger.settle(&next).await?;
        }
        Ok(self.event_record(work, trace, &result, &next))
    }

    async fn run(&self, work: &Work<'_>, trace: &mut Trace) -> Result<Reached, Error> {
        let entity = self.entity(work.entity.entity_type()).ok_or_else(|| {
            let message = "expected an entity type of this vendor, found another";
            Error::permanent(ErrorKind::Invalid, Stage::Intake, message)
        })?;
        let read_at = self.now();
        trace.read_at = Some(read_at);
        let fetched = entity.source.fetch(work.entity).await;
        trace.source_ms = Some(self.millis_since(read_at));
        let Fetched { state, version } = fetched?;
        trace.version.clone_from(&version);
        refuse_lagging(work, state.is_some(), version.as_ref(), read_at)?;
        match state {
            Some(state) => self.push(entity, work, trace, &state).await,
            None => self.remove(entity, work, trace).await,
        }
    }

    async fn push(
        &self,
        entity: &Entity,
        work: &Work<'_>,
        trace: &mut Trace,
        state: &serde_json::Value,
    ) -> Result<Reached, Error> {
        let mapped = entity.vendor.map(state)?;
        if work.trusted && work.record.pushed_hash.as_ref() == Some(&mapped.hash) {
            return Ok(Reached::Unchanged);
        }
        trace.natural_link.clone_from(&mapped.link);
        let version = trace.version.clone();
        let tried = tried(work, &mapped.hash);
        let key = idempotency_key(work.leader, &tried);
        trace.tried = Some(tried);
        let started = self.now();
        let push = push_of(work, version.as_ref(), &key, started);
        let link = entity.vendor.push(push, &mapped).await;
        trace.vendor_ms = Some(self.millis_since(started));
        Ok(Reached::Pushed {
            hash: mapped.hash,
            link: link?,
        })
    }

    async fn remove(&self, entity: &Entity, work: &Work<'_>, trace: &mut Trace) -> Result<Reached, Error> {
        let record = work.record;
        let never_pushed =
            record.link.is_none() && record.pushed_hash.is_none() && record.maybe_links.is_empty();
        if never_pushed && work.trusted {
            return Ok(Reached::Removed);
        }
        let tried = tried(work, "removed");
        let key = idempotency_key(work.leader, &tried);
        trace.tried = Some(tried);
        let started = self.now();
        let removed = entity.vendor.remove(push_of(work, None, &key, started)).await;
        trace.vendor_ms = Some(self.millis_since(started));
        removed.map(|()| Reached::Removed)
    }

    fn millis_since(&self, start: Timestamp) -> u64 {
        u64::try_from(self.now().duration_since(start).as_millis()).unwrap_or(0)
    }
}

fn push_of<'a>(
    work: &Work<'a>,
    version: Option<&'a Version>,
    idempotency_key: &'a str,
    now: Timestamp,
) -> Push<'a> {
    Push {
        entity: work.entity,
        link: work.record.link.as_deref(),
        maybe_links: &work.record.maybe_links,
        event_id: &work.leader.event_id,
        event_time: work.leader.event_time,
        version,
        idempotency_key,
        now,
    }
}

/// A source that answers with less than was announced, or than was pushed before, or denies what was just announced,
/// has not caught up. It is asked again for a while; after that it has the last word, since it may have begun to count
/// anew, or the announcement may have been wrong.
fn refuse_lagging(
    work: &Work<'_>,
    exists: bool,
    read: Option<&Version>,
    now: Timestamp,
) -> Result<(), Error> {
    let known = [&work.at_least, &work.record.pushed_version];
    let newer = match read {
        _ if !exists => work.at_least.as_ref(),
        Some(read) => known.into_iter().flatten().find(|known| read < known),
        None => None,
    };
    let Some(newer) = newer else { return Ok(()) };
    let patience = if exists { LAG_PATIENCE } else { GONE_PATIENCE };
    let lags = work
        .record
        .parked
        .as_ref()
        .filter(|parked| parked.error.kind == ErrorKind::Lagging);
    if lags.is_some_and(|parked| now.duration_since(parked.since) >= patience) {
        return Ok(());
    }
    let found = read.map_or_else(|| "none".to_owned(), ToString::to_string);
    let message = format!("expected version {newer} or newer, found {found}: the source lags");
    Err(Error::retry(ErrorKind::Lagging, Stage::Source, message))
}

/// This push, or its first try if the last push that was tried is the same.
fn tried(work: &Work<'_>, hash: &str) -> Tried {
    let before = work
        .record
        .parked
        .as_ref()
        .and_then(|parked| parked.tried.clone());
    before
        .filter(|before| before.hash == hash)
        .unwrap_or_else(|| Tried {
            hash: hash.to_owned(),
            revision: work.record.revision,
        })
}

/// The same for a repeat of the same push, different for any other: also for A when B was tried in between.
fn idempotency_key(leader: &Leader, tried: &Tried) -> String {
    let digest = Sha256::digest(format!("{}\n{}\n{}", leader.event_id, tried.hash, tried.revision));
    hex::encode(&digest[..16])
}

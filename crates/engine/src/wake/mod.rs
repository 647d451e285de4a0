//! Sends parked entities that are due back into their lanes, if their vendor may be called.
//!
//! Once in effect: a wake is sent before its key in the index is moved on, so a waker killed in between sends it again.
//! Whichever message comes second finds no retry waiting, or one that is not due, and does nothing
//! ([`decide`](crate::decide::decide)): the ledger decides, not the queue's five minutes of deduplication.

mod dynamo;
mod standing;

use std::collections::HashSet;
use std::time::Duration;

use futures::StreamExt;
use futures::future::{BoxFuture, join_all};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::circuit::{Gate, Policy};
use crate::clock::Clock;
use crate::lane::{LaneMessage, Lanes, lane, short_hash};
use crate::ledger::{ATTENTION_SHARDS, VendorRecord, sort_time};
use crate::message::wake_body;
use crate::{EntityKey, Error, ErrorKind};

pub use dynamo::DynamoAttention;
pub use standing::Standing;

/// A wake that had no effect by then (its message was lost) is sent again.
const AGAIN_AFTER: SignedDuration = SignedDuration::from_mins(10);
/// Keys that are moved at once, per shard.
const SIDE_BY_SIDE: usize = 8;
/// How long the index is given to follow, each time a page holds nothing new, and how often in a run.
const INDEX_DELAY: Duration = Duration::from_millis(300);
const MAX_STALE_PAGES: u32 = 5;
/// No new page is started when less time than this is left.
const RESERVE: SignedDuration = SignedDuration::from_secs(5);

/// The index of what needs attention, and how its vendor stands.
pub trait Attention: Send + Sync {
    /// The vendor's record, strongly consistent; a new one if there is none yet.
    fn vendor<'a>(&'a self, vendor: &'a str) -> BoxFuture<'a, Result<VendorRecord, Error>>;

    /// One page of a shard's retries that are due at `now`, longest due first.
    fn due<'a>(
        &'a self,
        vendor: &'a str,
        shard: u8,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<Due>, Error>>;

    /// Moves a due retry on to `until`, unless somebody settled the entity since.
    fn put_off<'a>(
        &'a self,
        vendor: &'a str,
        due: &'a Due,
        until: Timestamp,
    ) -> BoxFuture<'a, Result<(), Error>>;
}

/// A retry that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The entity.
    pub entity: EntityKey,
    /// Its sort key in the index.
    pub sort_key: String,
}

/// What one run of the waker did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Woken {
    /// Entities sent back into their lanes.
    pub sent: usize,
    /// Entities that the queue did not take, or whose key could not be moved; they stay due.
    pub failed: usize,
}

/// Wakes the entities of a vendor.
pub struct Waker<'a> {
    /// The index.
    pub attention: &'a dyn Attention,
    /// The vendor's queue.
    pub lanes: &'a dyn Lanes,
    /// The time.
    pub clock: &'a dyn Clock,
    /// How many entities may probe a vendor whose circuit was open.
    pub circuit: Policy,
}

impl Waker<'_> {
    /// Sends what is due until nothing is, or the time is up. What is held back stays due.
    ///
    /// A paused vendor gets nothing, one with an open circuit neither: a wake would only be parked again, at two writes each.
    /// Once probes are due, as many are sent as may probe, longest due first.
    ///
    /// # Errors
    /// If the vendor's record or the index cannot be read, or the index not be written. What was sent by then is sent.
    pub async fn wake(&self, vendor: &str, deadline: Timestamp) -> Result<Woken, Error> {
        let now = self.clock.now();
        let woken = match self.attention.vendor(vendor).await?.gate(now) {
            Gate::Paused => return Ok(held(vendor, ErrorKind::Paused, None)),
            Gate::Open { retry_at } => return Ok(held(vendor, ErrorKind::CircuitOpen, Some(retry_at))),
            Gate::Probe => self.wake_probes(vendor, now).await,
            Gate::Closed => self.wake_all(vendor, now, deadline).await,
        };
        let total = woken.total;
        tracing::info!(target: "vendorbridge", vendor, sent = total.sent, failed = total.failed, "wake.done");
        woken.failure.map_or(Ok(total), Err)
    }

    async fn wake_all(&self, vendor: &str, now: Timestamp, deadline: Timestamp) -> Run {
        let shards =
            join_all((0..ATTENTION_SHARDS).map(|shard| self.wake_shard(vendor, shard, now, deadline)));
        let mut run = Run::default();
        for result in shards.await {
            match result {
                Ok(woken) => run.add(woken),
                Err(error) => run.failure = Some(error),
            }
        }
        run
    }

    async fn wake_probes(&self, vendor: &str, now: Timestamp) -> Run {
        let shards = (0..ATTENTION_SHARDS).map(|shard| self.attention.due(vendor, shard, now));
        let mut run = Run::default();
        let mut due = Vec::new();
        for page in join_all(shards).await {
            match page {
                Ok(page) => due.extend(page),
                Err(error) => run.failure = Some(error),
            }
        }
        due.sort_by(|one, other| one.sort_key.cmp(&other.sort_key));
        due.truncate(self.circuit.probes);
        run.add(self.send(vendor, &due, now).await.woken);
        run
    }

    async fn wake_shard(
        &self,
        vendor: &str,
        shard: u8,
        now: Timestamp,
        deadline: Timestamp,
    ) -> Result<Woken, Error> {
        let mut woken = Woken::default();
        let mut seen = HashSet::new();
        let mut stale_pages = 0;
        loop {
            let mut due = self.attention.due(vendor, shard, now).await?;
            // The index follows the table with a delay: what was moved on a moment ago may still stand there.
            let is_page = !due.is_empty();
            due.retain(|due| seen.insert((due.entity.clone(), due.sort_key.clone())));
            if is_page && due.is_empty() && stale_pages < MAX_STALE_PAGES {
                stale_pages += 1;
                self.clock.sleep(INDEX_DELAY).await;
                continue;
            }
            let page = self.send(vendor, &due, now).await;
            woken.sent += page.woken.sent;
            woken.failed += page.woken.failed;
            // What the queue did not take is still due: the next run tries it, not this one in a loop.
            let time_is_up = self.clock.now().saturating_add(RESERVE).unwrap_or(Timestamp::MAX) > deadline;
            if due.is_empty() || !page.is_complete || time_is_up {
                return Ok(woken);
            }
        }
    }

    /// Sends wakes, and only then moves their keys on.
    async fn send(&self, vendor: &str, due: &[Due], now: Timestamp) -> Page {
        let messages: Vec<_> = due.iter().map(|due| message(due, now)).collect();
        let results = if messages.is_empty() {
            Vec::new()
        } else {
            self.lanes.send(&messages).await
        };
        let until = now.saturating_add(AGAIN_AFTER).unwrap_or(Timestamp::MAX);
        let sent: Vec<_> = due
            .iter()
            .zip(&results)
            .filter(|(_, result)| result.is_ok())
            .map(|(due, _)| due)
            .collect();
        let mut woken = Woken {
            sent: sent.len(),
            failed: due.len() - sent.len(),
        };
        let moving = sent.iter().map(|due| self.attention.put_off(vendor, due, until));
        let moved: Vec<_> = futures::stream::iter(moving)
            .buffer_unordered(SIDE_BY_SIDE)
            .collect()
            .await;
        // A key that could not be moved is sent again by the next run, and does nothing then.
        let unmoved = moved.into_iter().find_map(Result::err);
        if let Some(error) = &unmoved {
            woken.failed += 1;
            tracing::warn!(target: "vendorbridge", vendor, error = error.kind().name(), "wake.unmoved");
        }
        Page {
            is_complete: unmoved.is_none() && sent.len() == due.len(),
            woken,
        }
    }
}

/// What became of the entities of one page.
struct Page {
    woken: Woken,
    /// All of them were sent and moved on.
    is_complete: bool,
}

/// What one run did, and why it could not do more.
#[derive(Default)]
struct Run {
    total: Woken,
    failure: Option<Error>,
}

impl Run {
    fn add(&mut self, woken: Woken) {
        self.total.sent += woken.sent;
        self.total.failed += woken.failed;
    }
}

/// Nobody is woken: the vendor may not be called.
fn held(vendor: &str, kind: ErrorKind, until: Option<Timestamp>) -> Woken {
    let until = until.map(tracing::field::display);
    tracing::info!(target: "vendorbridge", vendor, error = kind.name(), until, "wake.held");
    Woken::default()
}

fn message(due: &Due, now: Timestamp) -> LaneMessage {
    // The sort key moves on with every wake, so that a later wake of the same entity is not taken for a repeat.
    let id = format!(
        "wake-{}",
        short_hash(&format!("{}\n{}", due.entity, due.sort_key))
    );
    LaneMessage {
        group: lane(&due.entity),
        trace_header: None, // the retry that waits knows its own
        body: wake_body(&due.entity, &id, now),
        deduplication_id: id,
    }
}

/// The sort keys of retries that are due: from the first, up to and including this one.
fn due_until(now: Timestamp) -> (String, String) {
    ("wake#".to_owned(), wake_key(now))
}

fn wake_key(at: Timestamp) -> String {
    format!("wake#{}", sort_time(at))
}

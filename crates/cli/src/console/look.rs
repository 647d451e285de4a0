//! Reading what the overview shows of a vendor, as seldom as it can be.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::{join3, try_join_all};
use jiff::{Timestamp, ToSpan};
use serde::Serialize;
use vendorbridge::ledger::{AttentionKind, Counted, EVENT_SHARDS, Unreadable, VendorRecord, hour};

use super::series::{Moment, Series};
use crate::session::Session;
use crate::vendor::{Queue, Standing, depth, queues};
use crate::{CliError, output};

/// Hours that the charts show, and the one that is cut.
const HOURS: i64 = 6;
/// Events read of one shard of one hour. Beyond, the numbers are "at least".
const MAX_PER_SHARD: usize = 5_000;
/// What is read again at the earliest after this time.
const AGAIN: Duration = Duration::from_secs(5);
/// Reading that many records earns another second of rest: a busy vendor costs no more than a quiet one.
const RECORDS_A_SECOND: usize = 200;
/// Hours that are over change little: only what was parked in them is settled later.
const CLOSED_AGAIN: Duration = Duration::from_mins(5);

/// What is known of a vendor, and how old it is.
#[derive(Debug, Default)]
pub(super) struct Known {
    hours: BTreeMap<String, Timed<Hour>>,
    counts: Option<Timed<Counts>>,
}

/// Something that was read, and when it is worth reading again.
#[derive(Debug)]
struct Timed<T> {
    value: T,
    again: Timestamp,
}

/// An hour's events.
#[derive(Debug)]
struct Hour {
    moments: Vec<Moment>,
    is_whole: bool,
    unreadable: Unreadable,
}

/// How many entities need attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
struct Counts {
    waiting: usize,
    rejected: usize,
    dead: usize,
}

/// A vendor on the overview. What cannot be read is null, and `problems` says why, and which event records are left out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Glance {
    pub(super) vendor: String,
    #[serde(flatten)]
    standing: Option<Standing>,
    #[serde(flatten)]
    counts: Option<Counts>,
    /// Messages in the vendor's queues, in flight or not.
    backlog: Option<u64>,
    /// Messages that killed the function.
    dead_letters: Option<u64>,
    /// Null if the events cannot be read.
    series: Option<Series>,
    /// Whether all events were counted; else there are at least so many.
    is_whole: bool,
    problems: Vec<String>,
}

impl Known {
    /// How the vendor stands: reads what is worth reading again.
    pub(super) async fn look(&mut self, session: &Session, vendor: &str, now: Timestamp) -> Glance {
        let mut problems = Vec::new();
        let mut kept = |error: CliError| {
            let text = error.to_string();
            if !problems.contains(&text) {
                problems.push(text);
            }
        };
        let (standing, backlog, dead_letters) = join3(
            standing(session, vendor, now),
            backlog(session, vendor),
            dead_letters(session, vendor),
        )
        .await;
        let standing = standing.map_err(&mut kept).ok();
        let backlog = backlog.map_err(&mut kept).ok();
        let dead_letters = dead_letters.map_err(&mut kept).ok();
        if let Err(error) = self.count(session, vendor, now).await {
            self.counts = None;
            kept(error);
        }
        let read = self.read_hours(session, vendor, now).await;
        let is_readable = read.map_err(&mut kept).is_ok();
        let mut unreadable = Unreadable::default();
        for hour in self.hours.values() {
            unreadable.merge(hour.value.unreadable.clone());
        }
        if unreadable.count > 0 {
            problems.push(output::unreadable(&unreadable).trim_end().to_owned());
        }
        let moments = self
            .hours
            .values()
            .flat_map(|hour| hour.value.moments.iter().copied());
        Glance {
            vendor: vendor.to_owned(),
            standing,
            counts: self.counts.as_ref().map(|counts| counts.value),
            backlog,
            dead_letters,
            series: is_readable.then(|| Series::of(moments, now)),
            is_whole: self.hours.values().all(|hour| hour.value.is_whole),
            problems,
        }
    }

    /// Something was changed by hand: the counts are worth reading at once.
    pub(super) fn forget_counts(&mut self) {
        self.counts = None;
    }

    async fn count(&mut self, session: &Session, vendor: &str, now: Timestamp) -> Result<(), CliError> {
        if self.counts.as_ref().is_some_and(|counts| now < counts.again) {
            return Ok(());
        }
        let reader = session.reader();
        let kinds = [AttentionKind::Wake, AttentionKind::Rejected, AttentionKind::Dead];
        let counts = try_join_all(kinds.map(|kind| reader.attention_count(vendor, kind)));
        let counts = counts.await.map_err(CliError::unread)?;
        let [waiting, rejected, dead] = counts[..] else {
            return Ok(());
        };
        self.counts = Some(Timed {
            value: Counts {
                waiting,
                rejected,
                dead,
            },
            again: rested(now, AGAIN, waiting + rejected + dead),
        });
        Ok(())
    }

    async fn read_hours(&mut self, session: &Session, vendor: &str, now: Timestamp) -> Result<(), CliError> {
        let wanted: Vec<_> = (0..=HOURS)
            .filter_map(|before| now.checked_sub(before.hours()).ok())
            .map(hour)
            .collect();
        self.hours.retain(|name, _| wanted.contains(name));
        for (before, name) in wanted.iter().enumerate() {
            if self.hours.get(name).is_some_and(|hour| now < hour.again) {
                continue;
            }
            let value = read_hour(session, vendor, name).await?;
            let again = if before == 0 { AGAIN } else { CLOSED_AGAIN };
            let again = rested(now, again, value.moments.len());
            self.hours.insert(name.clone(), Timed { value, again });
        }
        Ok(())
    }
}

fn rested(now: Timestamp, rest: Duration, records: usize) -> Timestamp {
    let earned = Duration::from_secs((records / RECORDS_A_SECOND) as u64);
    now.saturating_add(rest + earned).unwrap_or(Timestamp::MAX)
}

async fn standing(session: &Session, vendor: &str, now: Timestamp) -> Result<Standing, CliError> {
    let found = session.reader().vendor(vendor).await.map_err(CliError::unread)?;
    let record = found.unwrap_or_else(|| VendorRecord::new(vendor));
    Ok(Standing::of(&record, now))
}

async fn backlog(session: &Session, vendor: &str) -> Result<u64, CliError> {
    let queues = queues(&session.sqs(), &session.deployment, vendor).await?;
    Ok(queues.iter().map(Queue::messages).sum())
}

async fn dead_letters(session: &Session, vendor: &str) -> Result<u64, CliError> {
    let Some(url) = session
        .deployment
        .outputs
        .get(&format!("DeadLetterQueueUrl{vendor}"))
    else {
        return Ok(0);
    };
    Ok(depth(&session.sqs(), url).await?.messages())
}

/// Times and statuses of an hour's events, at most so many of each shard and what is left of a page.
async fn read_hour(session: &Session, vendor: &str, hour: &str) -> Result<Hour, CliError> {
    let reader = session.reader();
    let shards = (0..EVENT_SHARDS).map(async |shard| {
        let mut moments = Vec::new();
        let each = |event: Counted| moments.push(Moment::from(event));
        let walked = reader
            .each_event(vendor, hour, shard, MAX_PER_SHARD, each)
            .await
            .map_err(CliError::unread)?;
        Ok::<_, CliError>((moments, walked))
    });
    let mut read = Hour {
        moments: Vec::new(),
        is_whole: true,
        unreadable: Unreadable::default(),
    };
    for (moments, walked) in try_join_all(shards).await? {
        read.moments.extend(moments);
        read.is_whole &= walked.is_whole;
        read.unreadable.merge(walked.unreadable);
    }
    Ok(read)
}

impl From<Counted> for Moment {
    fn from(event: Counted) -> Self {
        Self {
            sent: event.event_time.as_millisecond(),
            settled: event.settled_at.as_millisecond(),
            status: event.status,
        }
    }
}

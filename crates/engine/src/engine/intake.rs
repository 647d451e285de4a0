//! Hands messages to their entities' lanes.
//!
//! An EventBridge rule can only name a fixed message group, so notifications arrive in one lane. A message that
//! stands anywhere but in its entity's lane is sent there, whoever put it where. So is one whose lane is in another partition
//! since their number was changed.

use std::collections::HashMap;

use super::group::Item;
use super::outcome::{self, Outcome};
use super::{Batch, Engine};
use crate::lane::{LaneMessage, lane, partition, short_hash};
use crate::message::{Delivery, EntityKey, Message, Notification, TraceParent, Version};
use crate::sabotage::{self, Sabotage};
use crate::telemetry;

/// The longest `MessageDeduplicationId` (SQS, `SendMessage`).
const MAX_DEDUPLICATION_ID: usize = 128;

impl Engine {
    /// Whether a message is where its entity's lane is. After a change of the number of partitions the group can be right
    /// and the queue another.
    pub(super) fn stands_in_lane(&self, batch: &Batch, delivery: &Delivery, entity: &EntityKey) -> bool {
        let partitions = self.parts.lanes.partitions();
        delivery.group == lane(entity) && batch.partition == partition(entity, partitions)
    }

    /// Sends each message into its lane. Several notifications of one entity become one: the newest.
    pub(super) async fn hand_over(&self, strays: Vec<Item<'_>>) -> Vec<(usize, Outcome)> {
        if strays.is_empty() {
            return Vec::new();
        }
        let leaders = leaders(&strays);
        let senders: Vec<usize> = (0..strays.len()).filter(|at| leaders[*at] == *at).collect();
        let messages: Vec<_> = senders
            .iter()
            .map(|position| lane_message(&strays[*position]))
            .collect();
        let mut sent = vec![false; strays.len()];
        for (position, result) in senders.iter().zip(self.parts.lanes.send(&messages).await) {
            match result {
                Ok(()) => sent[*position] = true,
                Err(error) => {
                    telemetry::returned(
                        self.vendor(),
                        strays[*position].message.entity().as_str(),
                        1,
                        &error,
                    );
                }
            }
        }

        let now = self.now();
        let outcome = |(position, stray): (usize, &Item<'_>)| {
            let leader = leaders[position];
            let outcome = match &stray.message {
                _ if !sent[leader] => Outcome::Returned,
                Message::Notification(follower) if leader != position => {
                    self.follow(follower, stray, &strays[leader], now)
                }
                _ => Outcome::Done,
            };
            (stray.index, outcome)
        };
        strays.iter().enumerate().map(outcome).collect()
    }

    /// The outcome of a notification whose leader stands in the lane.
    fn follow(
        &self,
        follower: &Notification,
        stray: &Item<'_>,
        leader: &Item<'_>,
        now: jiff::Timestamp,
    ) -> Outcome {
        match &leader.message {
            // The same event twice in one batch: the lane's own outcome is the event's.
            Message::Notification(leader) if leader.event_id == follower.event_id => Outcome::Done,
            Message::Notification(leader) => Outcome::Settled(Box::new(outcome::coalesced(
                self.vendor(),
                follower,
                stray.delivery,
                &leader.event_id,
                now,
            ))),
            Message::Wake(_) => Outcome::Returned,
        }
    }
}

/// Messages of one entity that one of them can speak for.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Measure<'a> {
    entity: &'a EntityKey,
    is_numbered: bool,
    is_carried: bool,
    is_forced: bool,
}

/// For each message the one that does its work: itself, or a newer notification of the same entity.
///
/// Whatever covers the leader must cover its followers too. So only messages of the same measure are put together:
/// numbered versions with numbered versions, times with times, carried states with carried states. And a message that was delivered before leads nobody:
/// the lane may have worked on it already, and the queue drops what it takes for a repeat.
fn leaders(strays: &[Item<'_>]) -> Vec<usize> {
    let mut leaders: Vec<usize> = (0..strays.len()).collect();
    let mut newest: HashMap<Measure<'_>, usize> = HashMap::new();
    let mut followers: Vec<(usize, Measure<'_>)> = Vec::new();
    for (position, stray) in strays.iter().enumerate() {
        let Message::Notification(notification) = &stray.message else {
            continue;
        };
        if stray.delivery.receive_count > 1 {
            continue;
        }
        let is_numbered = match &notification.version {
            Some(Version::Number(_) | Version::Sequence(_)) => true,
            None => false,
            Some(Version::Tag(_)) => continue,
        };
        let lane = Measure {
            entity: &notification.entity,
            is_numbered,
            is_carried: notification.carried.is_some(),
            is_forced: notification.is_forced,
        };
        let leader = newest.entry(lane).or_insert(position);
        if is_newer(stray, &strays[*leader]) != sabotage::is(Sabotage::CoalesceAwayNewest) {
            *leader = position;
        }
        followers.push((position, lane));
    }
    for (position, lane) in followers {
        leaders[position] = newest[&lane];
    }
    leaders
}

/// By version where both have comparable ones, else by time; of two alike the later one.
pub(super) fn is_newer(item: &Item<'_>, than: &Item<'_>) -> bool {
    let (Message::Notification(a), Message::Notification(b)) = (&item.message, &than.message) else {
        return false;
    };
    let by_version = match (&a.version, &b.version) {
        (Some(a), Some(b)) => a.partial_cmp(b).filter(|order| order.is_ne()),
        _ => None,
    };
    by_version.map_or(a.time >= b.time, std::cmp::Ordering::is_gt)
}

fn lane_message(item: &Item<'_>) -> LaneMessage {
    let group = lane(item.message.entity());
    let deduplication_id = match &item.message {
        // From another partition. The event's own id may be known where it goes, from before it was moved away: the queue
        // would drop it, and it would be lost.
        _ if item.delivery.group == group => item.delivery.message_id.clone(),
        // An id of a direct producer may have characters that the queue refuses, that of a replay may be too long.
        Message::Notification(notification) => match notification.event_id.as_str() {
            id if id.len() <= MAX_DEDUPLICATION_ID && id.bytes().all(|byte| byte.is_ascii_graphic()) => {
                id.to_owned()
            }
            id => short_hash(id),
        },
        Message::Wake(_) => item.delivery.message_id.clone(),
    };
    let trace = item
        .delivery
        .trace_header
        .as_deref()
        .and_then(TraceParent::of_xray);
    LaneMessage {
        group,
        deduplication_id,
        trace_header: trace.map(TraceParent::to_xray),
        body: item.delivery.body.clone(),
    }
}

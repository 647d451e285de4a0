//! Hands messages to their entities' lanes.
//!
//! An EventBridge rule can only name a fixed message group, so notifications arrive in one lane. A message that
//! stands anywhere but in its entity's lane is sent there, whoever put it where.

use std::collections::HashMap;

use super::Engine;
use super::group::Item;
use super::outcome::{self, Outcome};
use crate::lane::{LaneMessage, lane, short_hash};
use crate::message::{EntityKey, Message, Notification};
use crate::telemetry;

impl Engine {
    /// Sends each message into its lane. Several notifications of one entity become one: the newest.
    pub(super) async fn hand_over(&self, strays: Vec<Item<'_>>) -> Vec<(usize, Outcome)> {
        if strays.is_empty() {
            return Vec::new();
        }
        let mut newest: HashMap<&EntityKey, usize> = HashMap::new();
        for (position, stray) in strays.iter().enumerate() {
            if let Message::Notification(notification) = &stray.message {
                let leader = newest.entry(&notification.entity).or_insert(position);
                if is_newer(stray, &strays[*leader]) {
                    *leader = position;
                }
            }
        }
        let leads = |position: usize, stray: &Item<'_>| {
            newest
                .get(stray.message.entity())
                .is_none_or(|leader| *leader == position)
                || matches!(stray.message, Message::Wake(_))
        };
        let senders: Vec<usize> = strays
            .iter()
            .enumerate()
            .filter(|(at, stray)| leads(*at, stray))
            .map(|(at, _)| at)
            .collect();
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
            let leader = newest
                .get(stray.message.entity())
                .copied()
                .filter(|_| !leads(position, stray));
            let outcome = match (&stray.message, leader) {
                (_, None) if sent[position] => Outcome::Done,
                (Message::Notification(follower), Some(leader)) if sent[leader] => {
                    self.follow(follower, stray, &strays[leader], now)
                }
                _ => Outcome::Returned,
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

/// The later message leads unless its version says that it is the older one.
pub(super) fn is_newer(item: &Item<'_>, than: &Item<'_>) -> bool {
    let (Message::Notification(a), Message::Notification(b)) = (&item.message, &than.message) else {
        return false;
    };
    match a.version.partial_cmp(&b.version) {
        Some(std::cmp::Ordering::Equal) | None => a.time >= b.time,
        Some(order) => order.is_gt(),
    }
}

fn lane_message(item: &Item<'_>) -> LaneMessage {
    let deduplication_id = match &item.message {
        // An id of a direct producer may have characters that the queue refuses.
        Message::Notification(notification) => match notification.event_id.as_str() {
            id if id.bytes().all(|byte| byte.is_ascii_graphic()) => id.to_owned(),
            id => short_hash(id),
        },
        Message::Wake(_) => item.delivery.message_id.clone(),
    };
    LaneMessage {
        group: lane(item.message.entity()),
        deduplication_id,
        body: item.delivery.body.clone(),
    }
}

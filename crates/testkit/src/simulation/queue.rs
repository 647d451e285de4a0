//! An SQS FIFO queue in high throughput mode, as its documentation describes it.
//!
//! - Messages of one group are handed out in their order. While one of them is in flight, nobody gets another of it.
//! - A batch is filled from several groups, as many messages of each as there are.
//! - What is not deleted within the visibility timeout returns to its place; a receipt is void by then.
//! - A repeat of a deduplication id within five minutes is accepted and dropped, even when the first is deleted already.
//! - A message that was received too often goes to the dead-letter queue instead of being handed out again.
//!
//! (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-understanding-logic.html>)

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use super::agenda::{MINUTE, Micros};
use super::mapping;
use super::world::World;

/// How long a deduplication id is remembered.
const DEDUPLICATION: Micros = 5 * MINUTE;

/// A message in the queue.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    /// The queue's number of the message.
    pub(crate) id: u64,
    /// Its message group.
    pub(crate) group: Arc<str>,
    /// The event.
    pub(crate) body: Arc<str>,
    /// How often it was handed out.
    pub(crate) received: u32,
    sequence: u64,
}

/// A message that was handed out.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    /// By which it can be deleted.
    pub(crate) receipt: u64,
    /// The message, this delivery counted.
    pub(crate) message: Message,
}

#[derive(Debug, Default)]
struct Group {
    waiting: VecDeque<Message>,
    in_flight: usize,
}

/// One vendor's queue and its dead-letter queue.
#[derive(Debug)]
pub(crate) struct Queue {
    groups: HashMap<Arc<str>, Group>,
    /// Groups that can be received from, by the place of their first message.
    free: BTreeMap<u64, Arc<str>>,
    in_flight: HashMap<u64, Message>,
    known: HashMap<(Arc<str>, Box<str>), Micros>,
    forgetting: VecDeque<(Micros, Arc<str>, Box<str>)>,
    dead: Vec<Message>,
    max_receives: u32,
    count: u64,
}

impl Queue {
    /// An empty queue; a message is handed out at most `max_receives` times.
    pub(crate) fn new(max_receives: u32) -> Self {
        Self {
            groups: HashMap::new(),
            free: BTreeMap::new(),
            in_flight: HashMap::new(),
            known: HashMap::new(),
            forgetting: VecDeque::new(),
            dead: Vec::new(),
            max_receives,
            count: 0,
        }
    }

    /// Whether no message is in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.free.is_empty() && self.in_flight.is_empty() && self.dead.is_empty()
    }

    /// Whether a group has messages to hand out.
    pub(crate) fn has_free(&self) -> bool {
        !self.free.is_empty()
    }

    /// Takes a message in, unless it is a repeat.
    pub(crate) fn put(&mut self, now: Micros, group: &str, deduplication_id: &str, body: Arc<str>) -> bool {
        self.forget(now);
        let group: Arc<str> = match self.groups.get_key_value(group) {
            Some((name, _)) => Arc::clone(name),
            None => Arc::from(group),
        };
        let known = (Arc::clone(&group), Box::from(deduplication_id));
        if self.known.contains_key(&known) {
            return false;
        }
        self.forgetting
            .push_back((now + DEDUPLICATION, Arc::clone(&known.0), known.1.clone()));
        self.known.insert(known, now);
        self.place(group, body);
        true
    }

    fn place(&mut self, group: Arc<str>, body: Arc<str>) {
        self.count += 1;
        let message = Message {
            id: self.count,
            sequence: self.count,
            group: Arc::clone(&group),
            body,
            received: 0,
        };
        let lane = self.groups.entry(Arc::clone(&group)).or_default();
        if lane.waiting.is_empty() && lane.in_flight == 0 {
            self.free.insert(message.sequence, group);
        }
        lane.waiting.push_back(message);
    }

    fn forget(&mut self, now: Micros) {
        while self.forgetting.front().is_some_and(|(until, ..)| *until <= now) {
            if let Some((_, group, id)) = self.forgetting.pop_front() {
                self.known.remove(&(group, id));
            }
        }
    }

    /// Hands out up to ten messages; `spread` says how many of one group at most.
    pub(crate) fn receive(&mut self, spread: usize) -> Vec<Received> {
        let mut batch = Vec::with_capacity(10);
        while batch.len() < 10 {
            let Some((_, name)) = self.free.pop_first() else {
                break;
            };
            let Some(group) = self.groups.get_mut(&name) else {
                continue;
            };
            let mut taken = 0;
            while batch.len() < 10 && taken < spread {
                let Some(mut message) = group.waiting.pop_front() else {
                    break;
                };
                if message.received >= self.max_receives {
                    self.dead.push(message);
                    continue;
                }
                message.received += 1;
                taken += 1;
                group.in_flight += 1;
                self.count += 1;
                self.in_flight.insert(self.count, message.clone());
                batch.push(Received {
                    receipt: self.count,
                    message,
                });
            }
            self.release(&name);
        }
        batch
    }

    /// Deletes a message that is in flight. A void receipt deletes nothing.
    pub(crate) fn delete(&mut self, receipt: u64) -> bool {
        let Some(message) = self.in_flight.remove(&receipt) else {
            return false;
        };
        if let Some(group) = self.groups.get_mut(&message.group) {
            group.in_flight -= 1;
        }
        self.release(&message.group);
        true
    }

    /// The visibility timeout of these receipts is over.
    fn expire(&mut self, receipts: &[u64]) -> bool {
        let mut returned = false;
        for receipt in receipts {
            let Some(message) = self.in_flight.remove(receipt) else {
                continue;
            };
            returned = true;
            let name = Arc::clone(&message.group);
            if let Some(group) = self.groups.get_mut(&name) {
                group.in_flight -= 1;
                let place = group
                    .waiting
                    .partition_point(|other| other.sequence < message.sequence);
                group.waiting.insert(place, message);
            }
            self.release(&name);
        }
        returned
    }

    /// Makes a group available again once nothing of it is in flight.
    fn release(&mut self, name: &Arc<str>) {
        let Some(group) = self.groups.get(name) else {
            return;
        };
        if group.in_flight > 0 {
            return;
        }
        match group.waiting.front() {
            Some(first) => {
                self.free.insert(first.sequence, Arc::clone(name));
            }
            None => {
                self.groups.remove(name);
            }
        }
    }

    /// Moves the dead letters back: new messages, whose receive count starts anew.
    fn redrive(&mut self) -> usize {
        let dead = std::mem::take(&mut self.dead);
        let count = dead.len();
        for message in dead {
            self.place(message.group, message.body);
        }
        count
    }
}

/// Puts a message into a vendor's queue.
pub(crate) fn send(
    world: &mut World,
    unit: usize,
    group: &str,
    deduplication_id: &str,
    body: Arc<str>,
) -> bool {
    let now = world.agenda.now();
    let taken = world.units[unit].queue.put(now, group, deduplication_id, body);
    mapping::look(world, unit);
    taken
}

/// Receives a batch, and sees to it that what is not deleted in time returns.
pub(crate) fn receive(world: &mut World, unit: usize) -> Vec<Received> {
    let is_thin = world.rng.f64() < world.profile.queue.thin;
    let spread = if is_thin { world.rng.usize(1..=10) } else { 10 };
    let batch = world.units[unit].queue.receive(spread);
    if !batch.is_empty() {
        let receipts: Vec<_> = batch.iter().map(|received| received.receipt).collect();
        let visibility = world.profile.process.visibility;
        world.agenda.after(visibility, move |world| {
            if world.units[unit].queue.expire(&receipts) {
                world.log("queue", unit, None, || "messages became visible again".to_owned());
                mapping::look(world, unit);
            }
        });
    }
    batch
}

/// An operator moves the dead letters back into the queue.
pub(crate) fn redrive(world: &mut World, unit: usize) {
    let count = world.units[unit].queue.redrive();
    if count > 0 {
        world.log("operator", unit, None, || {
            format!("redrives {count} dead letters")
        });
        mapping::look(world, unit);
    }
}

//! FIFO queues in memory, one for each partition: order per group, a group locked while any of it is in flight,
//! deduplication per group.

use std::collections::{BTreeSet, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::future::BoxFuture;
use vendorbridge::lane::{LaneMessage, Lanes, Partitions, partition};
use vendorbridge::message::Delivery;
use vendorbridge::{Error, ErrorKind, Stage};

/// The queues of one vendor.
#[derive(Debug, Default)]
pub(crate) struct Queues(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    queues: Vec<Queue>,
    next: u32,
}

#[derive(Debug, Default)]
struct Queue {
    messages: Vec<Stored>,
    known: HashSet<(String, String)>,
    taken: usize,
}

#[derive(Debug)]
struct Stored {
    delivery: Delivery,
    is_in_flight: bool,
}

impl Queues {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// So many queues are there from now on. What the others held is gone; answers with how much that was.
    pub(crate) fn resize(&self, partitions: Partitions) -> usize {
        let mut state = self.lock();
        let count = partitions.count() as usize;
        let left = state
            .queues
            .iter()
            .skip(count)
            .map(|queue| queue.messages.len())
            .sum();
        state.queues.resize_with(count, Queue::default);
        left
    }

    pub(crate) fn count(&self) -> u32 {
        u32::try_from(self.lock().queues.len()).unwrap()
    }

    /// How many messages a queue holds, in flight or not.
    pub(crate) fn depth(&self, queue: u32) -> usize {
        self.lock().queues[queue as usize].messages.len()
    }

    /// How many messages of entity lanes each queue has ever taken.
    pub(crate) fn taken(&self) -> Vec<usize> {
        self.lock().queues.iter().map(|queue| queue.taken).collect()
    }

    pub(crate) fn send(&self, queue: u32, message: &LaneMessage) -> Result<(), Error> {
        let mut state = self.lock();
        state.next += 1;
        let id = state.next;
        let Some(queue) = state.queues.get_mut(queue as usize) else {
            let gone = "the queue does not exist";
            return Err(Error::retry(ErrorKind::Unavailable, Stage::Intake, gone));
        };
        let known = (message.group.clone(), message.deduplication_id.clone());
        if queue.known.insert(known) {
            queue.taken += usize::from(message.group != "intake");
            queue.messages.push(Stored {
                delivery: Delivery {
                    trace_header: None,
                    message_id: format!("m{id}"),
                    receipt: format!("r{id}"),
                    group: message.group.clone(),
                    receive_count: 0,
                    body: message.body.clone(),
                },
                is_in_flight: false,
            });
        }
        Ok(())
    }

    /// Up to `most` messages of groups that nobody holds.
    pub(crate) fn receive(&self, queue: u32, most: usize) -> Vec<Delivery> {
        let mut state = self.lock();
        let messages = &mut state.queues[queue as usize].messages;
        let held: BTreeSet<String> = messages
            .iter()
            .filter(|stored| stored.is_in_flight)
            .map(|stored| stored.delivery.group.clone())
            .collect();
        let free = messages
            .iter_mut()
            .filter(|stored| !held.contains(&stored.delivery.group));
        free.take(most)
            .map(|stored| {
                stored.is_in_flight = true;
                stored.delivery.receive_count += 1;
                stored.delivery.clone()
            })
            .collect()
    }

    /// What Lambda does with the answer: the returned messages are visible again, the others deleted.
    pub(crate) fn settle(&self, queue: u32, batch: &[Delivery], returned: &[String]) {
        let mut state = self.lock();
        let Some(queue) = state.queues.get_mut(queue as usize) else {
            return;
        };
        let is_left = |stored: &mut Stored| {
            let id = &stored.delivery.message_id;
            if returned.contains(id) {
                stored.is_in_flight = false;
            }
            returned.contains(id) || !batch.iter().any(|delivery| delivery.message_id == *id)
        };
        queue.messages.retain_mut(|stored| is_left(stored));
    }
}

/// The lanes as a function sees them that was deployed with so many partitions.
pub(crate) struct Sender {
    pub(crate) queues: Arc<Queues>,
    pub(crate) partitions: Partitions,
}

impl Lanes for Sender {
    fn partitions(&self) -> Partitions {
        self.partitions
    }

    fn send<'a>(&'a self, messages: &'a [LaneMessage]) -> BoxFuture<'a, Vec<Result<(), Error>>> {
        let send = |message: &LaneMessage| {
            let queue = partition(&message.group.parse().unwrap(), self.partitions);
            self.queues.send(queue, message)
        };
        let results = messages.iter().map(send).collect();
        Box::pin(async move { results })
    }

    fn acknowledge<'a>(&'a self, partition: u32, receipts: &'a [String]) -> BoxFuture<'a, Result<(), Error>> {
        let mut state = self.queues.lock();
        let queue = &mut state.queues[partition as usize].messages;
        for receipt in receipts {
            let at = queue
                .iter()
                .position(|stored| stored.delivery.receipt == *receipt);
            queue.remove(at.expect("a message is acknowledged on the queue that it came from"));
        }
        Box::pin(async { Ok(()) })
    }
}

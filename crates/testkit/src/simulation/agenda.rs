//! Virtual time and what happens when.
//!
//! Events stand in a heap by their time. Those of the same instant come in an order that the seed decides: whatever may
//! happen in any order does so in some run.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use jiff::Timestamp;
use vendorbridge::engine::Batch;

use super::world::World;

/// Microseconds since the start of the run.
pub(crate) type Micros = u64;

/// One millisecond.
pub(crate) const MILLI: Micros = 1_000;
/// One second.
pub(crate) const SECOND: Micros = 1_000_000;
/// One minute.
pub(crate) const MINUTE: Micros = 60 * SECOND;
/// One hour.
pub(crate) const HOUR: Micros = 60 * MINUTE;

/// 2026-01-29T14:00:00Z, in microseconds.
const START: i64 = 1_769_695_200_000_000;

/// A virtual time as the engine sees it.
pub(crate) fn timestamp(at: Micros) -> Timestamp {
    i64::try_from(at)
        .ok()
        .and_then(|at| Timestamp::from_microsecond(START + at).ok())
        .unwrap_or(Timestamp::MAX)
}

/// The virtual time of a timestamp; the start for an earlier one.
pub(crate) fn micros(time: Timestamp) -> Micros {
    u64::try_from(time.as_microsecond() - START).unwrap_or(0)
}

type Action = Box<dyn FnOnce(&mut World) + Send>;

/// Names a task of the [scheduler](super::scheduler).
pub(crate) type TaskId = u64;

/// What an event asks of the scheduler, which alone holds the tasks.
pub(crate) enum Command {
    /// Runs the engine of a container on a batch.
    Invoke(Invocation),
    /// Runs the waker of a vendor.
    Wake {
        /// The task's name.
        task: TaskId,
        /// Which vendor.
        unit: usize,
        /// When the invocation is killed.
        deadline: Micros,
        /// The waker dies at this poll.
        dies_at_poll: Option<u32>,
    },
    /// Ends a task where it stands: its process is gone.
    Kill(TaskId),
    /// Lets a task go on that was held up.
    Thaw(TaskId),
}

/// One invocation of a vendor function.
pub(crate) struct Invocation {
    /// The task's name.
    pub(crate) task: TaskId,
    /// Which vendor.
    pub(crate) unit: usize,
    /// The process that it runs in.
    pub(crate) container: usize,
    /// What it is given.
    pub(crate) batch: Batch,
    /// The process dies at this poll.
    pub(crate) dies_at_poll: Option<u32>,
}

/// The clock and what is to come.
pub(crate) struct Agenda {
    now: Micros,
    heap: BinaryHeap<Entry>,
    ties: fastrand::Rng,
    sequence: u64,
    fingerprint: u64,
    tasks: TaskId,
    commands: Vec<Command>,
}

struct Entry {
    at: Micros,
    tie: u32,
    sequence: u64,
    action: Action,
}

impl Agenda {
    /// An empty agenda.
    pub(crate) fn new(ties: fastrand::Rng) -> Self {
        Self {
            now: 0,
            heap: BinaryHeap::new(),
            ties,
            sequence: 0,
            fingerprint: 0,
            tasks: 0,
            commands: Vec::new(),
        }
    }

    /// The virtual time.
    pub(crate) fn now(&self) -> Micros {
        self.now
    }

    /// A number that follows from all events so far, their times and their order.
    pub(crate) fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    /// Does something at a time; at once if that is past.
    pub(crate) fn at(&mut self, at: Micros, action: impl FnOnce(&mut World) + Send + 'static) {
        self.sequence += 1;
        self.heap.push(Entry {
            at: at.max(self.now),
            tie: self.ties.u32(..),
            sequence: self.sequence,
            action: Box::new(action),
        });
    }

    /// Does something after a while.
    pub(crate) fn after(&mut self, wait: Micros, action: impl FnOnce(&mut World) + Send + 'static) {
        self.at(self.now.saturating_add(wait), action);
    }

    /// A name for a new task.
    pub(crate) fn task(&mut self) -> TaskId {
        self.tasks += 1;
        self.tasks
    }

    /// Tells the scheduler something.
    pub(crate) fn command(&mut self, command: Command) {
        self.commands.push(command);
    }

    /// What the scheduler was told.
    pub(crate) fn commands(&mut self) -> Vec<Command> {
        std::mem::take(&mut self.commands)
    }

    /// Moves the clock to the next event and answers with it.
    pub(crate) fn next(&mut self) -> Option<Action> {
        let entry = self.heap.pop()?;
        self.now = entry.at;
        self.fingerprint = (self.fingerprint.rotate_left(5) ^ entry.at ^ (entry.sequence << 40))
            .wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Some(entry.action)
    }
}

impl Entry {
    fn key(&self) -> (Micros, u32, u64) {
        (self.at, self.tie, self.sequence)
    }
}

impl Ord for Entry {
    /// The earliest is the greatest: the heap hands out the greatest first.
    fn cmp(&self, other: &Self) -> Ordering {
        other.key().cmp(&self.key())
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Entry {}

//! Lambda's event source mapping for the queue, and the processes it runs.
//!
//! - At most `MaximumConcurrency` invocations at once, each with up to ten messages of any groups, without a window.
//! - An answer that names messages deletes the others; the named ones return when their visibility timeout is over. An empty
//!   answer deletes all. An identifier that is empty or unknown makes the whole batch return.
//! - An invocation that ends without an answer deletes nothing. Its process is gone.
//! - A process works on one batch at a time and is used again for the next: what it keeps in memory, it keeps.

use std::collections::HashMap;

use jiff::Timestamp;
use vendorbridge::engine::Batch;
use vendorbridge::ledger::VendorRecord;
use vendorbridge::message::Delivery;

use super::agenda::{Command, Invocation, MILLI, Micros, SECOND, TaskId, timestamp};
use super::queue::{self, Received};
use super::vendor::Kind;
use super::verdict::Rule;
use super::world::World;
use super::{bus, judge};

/// The invocations of one vendor function.
#[derive(Default)]
pub(crate) struct Mapping {
    looking: bool,
    idle: Vec<usize>,
    started: usize,
    /// The processes at work, by the number of their container.
    pub(crate) running: HashMap<usize, Process>,
}

/// A process at work, and what it has learned in this invocation.
pub(crate) struct Process {
    task: TaskId,
    /// When it began.
    pub(crate) started: Micros,
    messages: Vec<(String, u64)>,
    /// The entities that it was given, and how.
    pub(crate) given: Vec<Given>,
    /// The vendor's record as it read it first.
    pub(crate) vendor: Option<VendorRecord>,
    /// The lease by which it has claimed the probes of an open circuit.
    pub(crate) lease: Option<Timestamp>,
}

/// What a process was given of one entity.
pub(crate) struct Given {
    /// The entity's number.
    pub(crate) entity: usize,
    /// Nothing but wakes, each delivered for the first time.
    pub(crate) only_fresh_wakes: bool,
    /// Nothing but events about our own write-back, each delivered for the first time.
    pub(crate) only_fresh_echoes: bool,
    /// The ledger was sure that it is at the vendor when its record was read; `None` before that.
    pub(crate) was_settled: Option<bool>,
    /// A retry of it was due when its record was read; `None` before that.
    pub(crate) was_due: Option<bool>,
    /// The revision that the source answered with.
    pub(crate) read: Option<u64>,
}

impl Mapping {
    /// The tasks of the processes at work.
    pub(crate) fn tasks(&self) -> impl Iterator<Item = TaskId> {
        let mut tasks: Vec<_> = self.running.values().map(|process| process.task).collect();
        tasks.sort_unstable();
        tasks.into_iter()
    }
}

impl Process {
    /// What this process was given of an entity.
    pub(crate) fn given(&mut self, entity: usize) -> Option<&mut Given> {
        self.given.iter_mut().find(|given| given.entity == entity)
    }
}

/// Looks for messages soon, if another invocation may start.
pub(crate) fn look(world: &mut World, unit: usize) {
    let most = world.profile.process.concurrency;
    let vendor = &mut world.units[unit];
    if vendor.mapping.looking || vendor.mapping.running.len() >= most || !vendor.queue.has_free() {
        return;
    }
    vendor.mapping.looking = true;
    let wait = world.rng.u64(MILLI..=world.profile.queue.poll);
    world.agenda.after(wait, move |world| {
        world.units[unit].mapping.looking = false;
        let batch = queue::receive(world, unit);
        if !batch.is_empty() {
            invoke(world, unit, &batch);
        }
        look(world, unit);
    });
}

fn invoke(world: &mut World, unit: usize, received: &[Received]) {
    let now = world.agenda.now();
    let task = world.agenda.task();
    let timeout = world.profile.process.timeout;
    let mapping = &mut world.units[unit].mapping;
    let container = mapping.idle.pop().unwrap_or_else(|| {
        mapping.started += 1;
        mapping.started
    });
    let mut process = Process {
        task,
        started: now,
        messages: Vec::with_capacity(received.len()),
        given: Vec::new(),
        vendor: None,
        lease: None,
    };
    let deliveries: Vec<_> = received.iter().map(delivery).collect();
    for (received, delivery) in received.iter().zip(&deliveries) {
        let (id, receipt) = (delivery.message_id.clone(), received.receipt);
        process.messages.push((id, receipt));
        if &*received.message.group != bus::INTAKE {
            let is_echo =
                world.units[unit].kind == Kind::Booking && bus::is_echo(world, &received.message.body);
            give(&mut process, received, is_echo);
        }
    }
    judge::handed_out(world, unit, received);
    for received in received {
        if !world.history.is_recording() {
            break;
        }
        let message = &received.message;
        let lane = if &*message.group == bus::INTAKE {
            "intake, "
        } else {
            ""
        };
        let time = message.received;
        world.log("mapping", unit, bus::entity_in(&message.body), || {
            let event = bus::event_id(&message.body);
            format!(
                "gives process {container} m-{} ({lane}{event}), time {time}",
                message.id
            )
        });
    }
    world.stats.count("invocations");
    world.units[unit].mapping.running.insert(container, process);
    let dies_at_poll = world.dies_at_poll();
    let deadline = world.lifetime(task);
    world.agenda.at(now + deadline, move |world| {
        let at_work = world.units[unit].mapping.running.get(&container);
        if at_work.is_some_and(|process| process.task == task) {
            world.stats.count("function timeouts");
            world.agenda.command(Command::Kill(task));
        }
    });
    let batch = Batch {
        deliveries,
        partition: 0,
        deadline: timestamp(now + timeout),
        request_id: format!("i-{task}"),
    };
    world.agenda.command(Command::Invoke(Invocation {
        task,
        unit,
        container,
        batch,
        dies_at_poll,
    }));
}

fn delivery(received: &Received) -> Delivery {
    Delivery {
        trace_header: None,
        message_id: format!("m-{}", received.message.id),
        receipt: received.receipt.to_string(),
        group: received.message.group.to_string(),
        receive_count: received.message.received,
        body: received.message.body.to_string(),
    }
}

fn give(process: &mut Process, received: &Received, is_echo: bool) {
    let Some(entity) = bus::entity_of_lane(&received.message.group) else {
        return;
    };
    let is_fresh_wake = received.message.received == 1 && bus::is_wake(&received.message.body);
    let is_fresh_echo = received.message.received == 1 && is_echo;
    match process.given(entity) {
        Some(given) => {
            given.only_fresh_wakes &= is_fresh_wake;
            given.only_fresh_echoes &= is_fresh_echo;
        }
        None => process.given.push(Given {
            entity,
            only_fresh_wakes: is_fresh_wake,
            only_fresh_echoes: is_fresh_echo,
            was_settled: None,
            was_due: None,
            read: None,
        }),
    }
}

/// The engine answered with the messages to keep.
pub(crate) fn finished(world: &mut World, unit: usize, container: usize, returned: &[String]) {
    let vendor = &mut world.units[unit];
    let Some(process) = vendor.mapping.running.remove(&container) else {
        return;
    };
    vendor.mapping.idle.push(container);
    let is_known = |id: &String| process.messages.iter().any(|(known, _)| known == id);
    if let Some(stranger) = returned.iter().find(|id| !is_known(id)) {
        let what = format!("the answer names `{stranger}`, which is no message of the batch");
        world.violate(Rule::Answer, unit, None, what);
        return;
    }
    let lost = world.chance(world.profile.process.lost_answer);
    if lost {
        world.stats.count("answers of a function lost");
    } else {
        let queue = &mut world.units[unit].queue;
        for (_, receipt) in process.messages.iter().filter(|(id, _)| !returned.contains(id)) {
            queue.delete(*receipt);
        }
    }
    world.stats.add("messages returned", returned.len());
    let took = world.agenda.now() - process.started;
    world.log("mapping", unit, None, || {
        let kept = if lost {
            "the answer is lost".to_owned()
        } else {
            format!("keeps {}", returned.join(" "))
        };
        format!("process {container} answers after {} ms: {kept}", took / MILLI)
    });
    judge::answered(world, unit, &process, returned);
    look(world, unit);
}

/// A process died at work.
pub(crate) fn died(world: &mut World, unit: usize, container: usize) {
    if world.units[unit].mapping.running.remove(&container).is_none() {
        return;
    }
    world.stats.count("processes killed");
    world.log("mapping", unit, None, || format!("process {container} dies"));
    // After an error the mapping waits before it polls on.
    world.agenda.after(SECOND, move |world| look(world, unit));
    look(world, unit);
}

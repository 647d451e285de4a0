//! Sees everything, and says at once when a promise is broken (docs/ARCHITECTURE.md, "What must always hold").

mod books;
mod end;

use vendorbridge::ledger::{EntityRecord, EventRecord, Status};

use super::agenda::{MINUTE, SECOND, micros, timestamp};
use super::bus::{self, Events};
use super::cost;
use super::mapping::Process;
use super::profile::{Pattern, Trouble, Weather};
use super::queue::Received;
use super::vendor::Kind;
use super::verdict::Rule;
use super::world::World;

pub(crate) use books::charged;
pub(crate) use end::{at_rest, check};

/// Events of healthy entities get their first status within this time of their arrival in the queue, whatever others do:
/// an invocation's time, and what queues before it.
const PROMPT: u64 = 2 * MINUTE;
/// What the engine allows between the waker's clock and its own.
const WAKE_MARGIN: u64 = 5 * SECOND;

/// A promise that the lanes keep, and that nobody can ask for while they are no lock.
pub(crate) fn promised_by_lanes(
    world: &mut World,
    rule: Rule,
    unit: usize,
    entity: usize,
    what: impl FnOnce() -> String,
) {
    if world.profile.weather == Weather::Overrun {
        world.stats.count("promises of the lanes broken by an overrun");
    } else {
        world.violate(rule, unit, Some(entity), what());
    }
}

/// Messages were handed out to a process.
pub(crate) fn handed_out(world: &mut World, unit: usize, received: &[Received]) {
    for received in received {
        let Some(entity) = bus::entity_of_lane(&received.message.group) else {
            continue;
        };
        if let Some(revision) = bus::brought(&received.message.body) {
            let told = &mut world.units[unit].desk.told[entity];
            *told = revision.max(*told);
        }
        if !bus::is_wake(&received.message.body) {
            world.units[unit].desk.refused[entity] = false;
        }
        if received.message.received > 1 && nothing_fails_but_vendors(world) {
            let what = "a message is delivered again although no process died and no queue or ledger failed";
            world.violate(Rule::NoBlocking, unit, Some(entity), what.to_owned());
        }
    }
}

/// A process answered.
pub(crate) fn answered(world: &mut World, unit: usize, process: &Process, returned: &[String]) {
    let vendor = &world.units[unit];
    let circuit = vendor.records.vendor(&vendor.name).circuit;
    let lease = circuit.and_then(|circuit| circuit.probing_until);
    if process.lease.is_some() && process.lease == lease && nothing_fails_but_vendors(world) {
        let what = "a process probed, and left without a word: nobody may call until its lease ends";
        world.violate(Rule::NoBlocking, unit, None, what.to_owned());
    }
    if !returned.is_empty() && nothing_fails_but_vendors(world) {
        let what = format!(
            "{} messages stay in their lanes although only vendors failed",
            returned.len()
        );
        world.violate(Rule::NoBlocking, unit, None, what);
    }
}

/// In this weather processes, queues, ledger and source do what they should.
fn nothing_fails_but_vendors(world: &World) -> bool {
    matches!(
        world.profile.weather,
        Weather::Fair | Weather::Poison | Weather::Outage
    )
}

/// A process read the record of an entity.
pub(crate) fn opened(world: &mut World, unit: usize, container: usize, entity: usize) {
    let soon = timestamp(world.agenda.now() + WAKE_MARGIN + SECOND);
    let vendor = &mut world.units[unit];
    let parked = vendor
        .records
        .row(entity)
        .and_then(|row| row.record.parked.as_ref());
    let is_due = parked.is_some_and(|parked| parked.wake_at <= soon);
    let row = vendor.records.row(entity);
    let is_settled = row.is_some_and(|row| row.record.is_settled() && row.record.link.is_some());
    let process = vendor.mapping.running.get_mut(&container);
    if let Some(given) = process.and_then(|process| process.given(entity)) {
        given.was_due = Some(is_due || given.was_due == Some(true));
        given.was_settled = Some(is_settled && given.was_settled != Some(false));
    }
}

/// The source answered a process with this revision of an entity.
pub(crate) fn read(world: &mut World, unit: usize, container: usize, entity: usize, revision: u64) {
    let vendor = &mut world.units[unit];
    vendor.desk.told[entity] = vendor.desk.told[entity].max(revision);
    let process = vendor.mapping.running.get_mut(&container);
    let Some(given) = process.and_then(|process| process.given(entity)) else {
        return;
    };
    given.read = Some(revision);
    if given.only_fresh_wakes && given.was_due == Some(false) {
        let what = "a wake has an effect although no retry waits, or none that is due";
        world.violate(Rule::WokenOnce, unit, Some(entity), what.to_owned());
    }
}

/// A process works with this revision of an entity, which nobody told it if an event brought it.
pub(crate) fn brought(world: &mut World, unit: usize, container: usize, entity: usize, revision: u64) {
    if world.profile.pattern == Pattern::Notification {
        return;
    }
    let process = world.units[unit].mapping.running.get_mut(&container);
    let given = process.and_then(|process| process.given(entity));
    if given.is_some_and(|given| given.read.is_none()) {
        read(world, unit, container, entity, revision);
    }
}

/// A process calls the vendor about an entity.
pub(crate) fn called(world: &mut World, unit: usize, container: usize, entity: usize) {
    let vendor = &world.units[unit];
    if vendor.desk.refused[entity] {
        promised_by_lanes(world, Rule::RefusedOnce, unit, entity, || {
            "called again after it was refused for good, without a new notification".to_owned()
        });
        return;
    }
    if books::is_echo_called(world, unit, container, entity) {
        let what = "called for an event about our own write-back";
        world.violate(Rule::NoEcho, unit, Some(entity), what.to_owned());
        return;
    }
    let vendor = &world.units[unit];
    let Some(process) = vendor.mapping.running.get(&container) else {
        return;
    };
    let Some(record) = &process.vendor else { return };
    let why = if record.pause.is_some() {
        "called although it is paused"
    } else if record.circuit.is_some() && process.lease.is_none() {
        "called although its circuit is open, and this process has no right to probe"
    } else {
        return;
    };
    world.violate(Rule::Gated, unit, Some(entity), why.to_owned());
}

impl Process {
    /// This process wrote the vendor's record.
    pub(crate) fn vendor_written(&mut self, record: &vendorbridge::ledger::VendorRecord) {
        let circuit = record.circuit.as_ref();
        if let Some(lease) = circuit.and_then(|circuit| circuit.probing_until) {
            self.lease = Some(lease);
        }
    }
}

/// The vendor gets a revision of an entity.
pub(crate) fn applied(world: &mut World, unit: usize, entity: usize, revision: u64) {
    let latest = world.units[unit].desk.applied[entity];
    if revision < latest {
        promised_by_lanes(world, Rule::NeverBackwards, unit, entity, || {
            format!("gets revision {revision} after {latest}")
        });
    }
    world.units[unit].desk.applied[entity] = latest.max(revision);
}

/// The vendor is told to forget an entity: that is what the process read.
pub(crate) fn removed(world: &mut World, unit: usize, container: usize, entity: usize) {
    let process = world.units[unit].mapping.running.get_mut(&container);
    let given = process.and_then(|process| process.given(entity));
    if let Some(revision) = given.and_then(|given| given.read) {
        applied(world, unit, entity, revision);
    }
}

/// An entity's record is about to be written.
pub(crate) fn settled(world: &mut World, unit: usize, entity: usize, record: &EntityRecord) {
    let before = world.units[unit].records.row(entity).map(|row| &row.record);
    // What is written ahead of a call still says what stood before.
    let is_outcome = before.is_none_or(|before| before.recent.last() != record.recent.last());
    if is_outcome {
        world.units[unit].desk.refused[entity] = record.status == Status::Rejected;
    }
    let before = world.units[unit].records.row(entity).map(|row| &row.record);
    let broken = before.and_then(|before| {
        if before.read_at > record.read_at {
            Some("the time of the last successful read goes backwards")
        } else if before.settled_at > record.settled_at {
            Some("the time of the settle goes backwards")
        } else if before.pushed_version > record.pushed_version && record.pushed_version.is_some() {
            Some("the version that was pushed goes backwards")
        } else {
            None
        }
    });
    if let Some(what) = broken {
        world.violate(Rule::LedgerForwards, unit, Some(entity), what.to_owned());
    }
    let unexplained = match record.status {
        Status::Rejected | Status::Dead => record.error.is_none(),
        Status::Parked => record.parked.is_none(),
        Status::Excluded => record.rule.is_none(),
        _ => false,
    };
    if unexplained {
        let what = format!("{} without a reason", record.status);
        world.violate(Rule::ExplainsItself, unit, Some(entity), what);
    }
}

/// An event's record is written.
pub(crate) fn recorded(world: &mut World, unit: usize, record: &EventRecord) {
    world.stats.count(cost::status_label(record.status));
    let now = world.agenda.now();
    world.log(
        "ledger",
        unit,
        record
            .entity
            .strip_prefix("customer/")
            .and_then(|id| id.parse().ok()),
        || format!("event {} is {}", record.event_id, record.status),
    );
    let Some(number) = Events::number(&record.event_id) else {
        return;
    };
    let Some(event) = world.bus.events.get(number) else {
        return;
    };
    let is_first = event.statuses[unit].replace(record.status).is_none();
    let (entity, revision, arrived) = (event.entity, event.revision, event.arrived[unit]);
    let Some(entity) = entity else {
        if record.status != Status::Rejected {
            world.violate(
                Rule::ExplainsItself,
                unit,
                None,
                format!("{} names nothing", record.event_id),
            );
        }
        return;
    };
    let kind = world.units[unit].kind;
    let desk = &world.units[unit].desk;
    let (told, applied) = (desk.told[entity], desk.applied[entity]);
    let owed = match record.status {
        // What is booked once does not change with the document.
        Status::Synced if kind != Kind::Booking => applied.min(told),
        Status::Synced | Status::Deleted | Status::Unchanged | Status::Covered | Status::Excluded => told,
        _ => revision,
    };
    if owed < revision {
        let what = format!(
            "{} of revision {revision} is {}, but the vendor has {applied} and the source told {told}",
            record.event_id, record.status
        );
        world.violate(Rule::ExplainsItself, unit, Some(entity), what);
    }
    let waited = now - arrived.min(now);
    if is_first && waited > PROMPT && is_healthy(world, unit, entity) {
        let what = format!(
            "{} waited {} s for its first status",
            record.event_id,
            waited / SECOND
        );
        world.violate(Rule::NoBlocking, unit, Some(entity), what);
    }
    if micros(record.settled_at) > now {
        let what = format!("{} is settled in the future", record.event_id);
        world.violate(Rule::ExplainsItself, unit, Some(entity), what);
    }
}

/// Nothing is wrong with this entity or its vendor, or with what all share.
fn is_healthy(world: &World, unit: usize, entity: usize) -> bool {
    let outages = &world.profile.outages;
    nothing_fails_but_vendors(world)
        && !world.profile.poison.contains(&entity)
        && !outages
            .iter()
            .any(|outage| outage.vendor == unit && outage.kind != Trouble::Paused)
}

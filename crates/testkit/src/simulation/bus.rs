//! The bus: delivers every event at least once, late, out of order, sometimes twice.
//!
//! A rule per vendor puts events into the vendor's queue, in the one group that a rule can name. EventBridge cuts the time of
//! an event to whole seconds. Some producers send straight into the entity's lane instead.

use std::sync::Arc;

use serde_json::json;

use vendorbridge::lane::lane;
use vendorbridge::ledger::Status;
use vendorbridge::message::{SYNC_REQUESTED, WAKE_DETAIL_TYPE};

use super::agenda::{MILLI, MINUTE, Micros, SECOND, timestamp};
use super::profile::Pattern;
use super::queue;
use super::source::Content;
use super::world::World;

/// The message group that a rule puts events into.
pub(crate) const INTAKE: &str = "intake";
/// The detail type of a change.
pub(crate) const CHANGED: &str = "CustomerChanged";
/// The detail type of a change that brings the state.
pub(crate) const STORED: &str = "CustomerStored";
/// The detail type of a deletion that is to be believed.
pub(crate) const REMOVED: &str = "CustomerRemoved";

/// What was announced.
#[derive(Default)]
pub(crate) struct Bus {
    /// The events of the run, by their numbers.
    pub(crate) events: Events,
    /// Deliveries that are on their way.
    pub(crate) on_the_way: usize,
    deliveries: u64,
}

/// The events that are not forgotten.
#[derive(Default)]
pub(crate) struct Events {
    first: usize,
    list: std::collections::VecDeque<Event>,
}

/// An event, and what became of it.
pub(crate) struct Event {
    /// The entity that it names; `None` if it cannot be understood.
    pub(crate) entity: Option<usize>,
    /// The only vendor that gets it; `None` if all do.
    only: Option<usize>,
    /// The revision that it announces.
    pub(crate) revision: u64,
    /// When it was accepted.
    pub(crate) at: Micros,
    /// When it first arrived in each vendor's queue.
    pub(crate) arrived: [Micros; MAX_VENDORS],
    /// Its status at each vendor.
    pub(crate) statuses: [Option<Status>; MAX_VENDORS],
    /// It announces nothing but what a vendor function wrote back.
    pub(crate) is_echo: bool,
}

/// A run has at most this many vendors.
pub(crate) const MAX_VENDORS: usize = 3;

impl Events {
    /// An event by its number, unless it is forgotten.
    pub(crate) fn get(&mut self, number: usize) -> Option<&mut Event> {
        self.list.get_mut(number.checked_sub(self.first)?)
    }

    /// The number of an event by its id.
    pub(crate) fn number(id: &str) -> Option<usize> {
        id.strip_prefix("e-")?.parse().ok()
    }

    /// How many there were.
    pub(crate) fn len(&self) -> usize {
        self.first + self.list.len()
    }

    /// Those that are not forgotten, with their numbers.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, &Event)> {
        (self.first..).zip(&self.list)
    }

    /// Those that a vendor gets and that are not forgotten, with their numbers.
    pub(crate) fn of(&self, unit: usize) -> impl Iterator<Item = (usize, &Event)> {
        self.iter()
            .filter(move |(_, event)| event.only.is_none_or(|only| only == unit))
    }

    /// Forgets the oldest while they are older than `before` and ended well at all of `vendors` vendors.
    pub(crate) fn forget(&mut self, before: Micros, vendors: usize) {
        let is_done = |event: &Event| {
            event.at < before
                && event.statuses[..vendors]
                    .iter()
                    .enumerate()
                    .filter(|(unit, _)| event.only.is_none_or(|only| only == *unit))
                    .all(|(_, status)| status.is_some_and(|status| status != Status::Parked))
        };
        while self.list.front().is_some_and(is_done) {
            self.list.pop_front();
            self.first += 1;
        }
    }
}

/// The entity whose lane a group is.
pub(crate) fn entity_of_lane(group: &str) -> Option<usize> {
    group.strip_prefix("customer/")?.parse().ok()
}

/// Whether a message is a wake.
pub(crate) fn is_wake(body: &str) -> bool {
    body.contains(WAKE_DETAIL_TYPE)
}

/// The id of the event in a message: for a history.
pub(crate) fn event_id(body: &str) -> String {
    let event: Option<serde_json::Value> = serde_json::from_str(body).ok();
    let id = event.as_ref().and_then(|event| event.get("id")?.as_str());
    id.unwrap_or("nothing that can be read").to_owned()
}

/// The entity that a message names: for a history.
pub(crate) fn entity_in(body: &str) -> Option<usize> {
    let event: serde_json::Value = serde_json::from_str(body).ok()?;
    let detail = event.get("detail")?;
    match detail.get("entity") {
        Some(key) => entity_of_lane(key.as_str()?),
        None => detail.get("id")?.as_str()?.parse().ok(),
    }
}

/// Announces a revision of an entity, and what it is then, to every vendor.
pub(crate) fn announce(
    world: &mut World,
    entity: usize,
    revision: u64,
    state: Option<Content>,
    is_echo: bool,
) {
    let id = world.keys[entity].id().to_owned();
    let brings = match world.profile.pattern {
        Pattern::Notification => false,
        Pattern::Carried => true,
        Pattern::Mixed => world.rng.bool(),
    };
    let (detail_type, detail) = match state {
        Some(state) if brings => {
            let state = state.to_json(entity, revision);
            (STORED, json!({"id": id, "version": revision, "state": state}))
        }
        None if brings => (REMOVED, json!({"id": id, "version": revision})),
        _ if world.profile.versioned => (CHANGED, json!({"id": id, "version": revision})),
        _ => (CHANGED, json!({"id": id})),
    };
    let number = accept(world, Some(entity), None, revision, is_echo);
    let body = envelope(world, number, detail_type, &detail.to_string());
    world.log("bus", 0, Some(entity), || {
        format!("accepts e-{number}: revision {revision}")
    });
    let is_direct = world.chance(world.profile.bus.direct);
    for unit in 0..world.units.len() {
        deliver(world, unit, number, is_direct.then_some(entity), &body);
        if world.chance(world.profile.bus.duplicates) {
            world.stats.count("duplicates");
            deliver(world, unit, number, None, &body);
        }
    }
}

/// Sends what a command sends that repairs: a request to sync an entity at one vendor now, straight into the entity's lane. A
/// command that goes on where it was stopped may send it once more, by the same id.
pub(crate) fn force(world: &mut World, unit: usize, entity: usize) {
    // A source that lags may answer with an older state: the request says nothing of how new it has to be.
    let owed = match world.profile.source.lag {
        0 => world.source.get(entity).revision,
        _ => 0,
    };
    let number = accept(world, Some(entity), Some(unit), owed, false);
    let detail = json!({"entity": world.keys[entity], "vendor": world.units[unit].name, "force": true});
    let body = envelope(world, number, SYNC_REQUESTED, &detail.to_string());
    world.log("operator", unit, Some(entity), || {
        format!("forces a sync: e-{number}")
    });
    world.stats.count("forced syncs");
    deliver(world, unit, number, Some(entity), &body);
    if world.chance(world.profile.operator.repeated) {
        let wait = world.rng.u64(0..10 * MINUTE);
        world.agenda.after(wait, move |world| {
            world.stats.count("forced syncs asked for again");
            deliver(world, unit, number, Some(entity), &body);
        });
    }
}

/// Sends an event that cannot be understood: it names no entity.
pub(crate) fn announce_nothing(world: &mut World) {
    let number = accept(world, None, None, 0, false);
    let body = envelope(world, number, CHANGED, r#"{"customer":null}"#);
    for unit in 0..world.units.len() {
        deliver(world, unit, number, None, &body);
    }
}

fn accept(
    world: &mut World,
    entity: Option<usize>,
    only: Option<usize>,
    revision: u64,
    is_echo: bool,
) -> usize {
    world.stats.count("events");
    let number = world.bus.events.len();
    world.bus.events.list.push_back(Event {
        entity,
        only,
        revision,
        at: world.agenda.now(),
        arrived: [Micros::MAX; MAX_VENDORS],
        statuses: [None; MAX_VENDORS],
        is_echo,
    });
    number
}

/// Whether a message announces nothing but what a vendor function wrote back.
pub(crate) fn is_echo(world: &mut World, body: &str) -> bool {
    let event = Events::number(&event_id(body)).and_then(|number| world.bus.events.get(number));
    event.is_some_and(|event| event.is_echo)
}

/// The revision whose state a message brings.
pub(crate) fn brought(body: &str) -> Option<u64> {
    if !body.contains(STORED) && !body.contains(REMOVED) {
        return None;
    }
    let event: serde_json::Value = serde_json::from_str(body).ok()?;
    event.get("detail")?.get("version")?.as_u64()
}

fn envelope(world: &World, number: usize, detail_type: &str, detail: &str) -> Arc<str> {
    let time = timestamp(world.agenda.now() / SECOND * SECOND);
    Arc::from(format!(
        r#"{{"version":"0","id":"e-{number}","detail-type":"{detail_type}","source":"shop","account":"123456789012","time":"{time}","region":"eu-west-1","resources":[],"detail":{detail}}}"#
    ))
}

fn deliver(world: &mut World, unit: usize, number: usize, direct: Option<usize>, body: &Arc<str>) {
    let profile = Arc::clone(&world.profile);
    let delay = if world.chance(profile.bus.straggling) {
        world.rng.u64(0..120 * SECOND)
    } else {
        world.rng.u64(20 * MILLI..=20 * MILLI + profile.bus.delay)
    };
    world.bus.on_the_way += 1;
    let body = Arc::clone(body);
    world.agenda.after(delay, move |world| {
        world.bus.on_the_way -= 1;
        let now = world.agenda.now();
        if let Some(event) = world.bus.events.get(number) {
            event.arrived[unit] = event.arrived[unit].min(now);
        }
        if let Some(entity) = direct {
            let lane = lane(&world.keys[entity]);
            queue::send(world, unit, &lane, &format!("e-{number}"), body);
        } else {
            // The rule's target takes each delivery for a new message.
            world.bus.deliveries += 1;
            let delivery = format!("delivery-{}", world.bus.deliveries);
            queue::send(world, unit, INTAKE, &delivery, body);
        }
    });
}

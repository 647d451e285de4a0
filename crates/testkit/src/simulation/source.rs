//! Who holds the truth: what the entities are, how they change, and what a reader is told.

use std::collections::VecDeque;

use futures::future::BoxFuture;
use serde_json::{Value, json};
use vendorbridge::source::{Fetched, Source};
use vendorbridge::{EntityKey, Error, ErrorKind, Stage, Version};

use super::agenda::{MILLI, Micros, SECOND};
use super::bus::{self, MAX_VENDORS};
use super::call::{Reply, Sim};
use super::judge;
use super::vendor::{Kind, Paper, Role, role};
use super::world::{World, number};

/// A value that vendors refuse for good.
pub(crate) const REFUSED: u8 = 7;
/// A value that cannot be mapped.
pub(crate) const UNMAPPABLE: u8 = 8;

/// What there is to know of an entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Content {
    /// One of few values: going back to an earlier one is common.
    pub(crate) value: u8,
    /// Which of its addresses the entity uses: what a natural key follows from.
    pub(crate) mail: u8,
    /// Of no concern to any vendor.
    pub(crate) note: u8,
}

impl Content {
    /// As a source tells it.
    pub(crate) fn to_json(self, entity: usize, revision: u64) -> Value {
        let Self { value, mail, note } = self;
        json!({"id": entity, "revision": revision, "value": value, "mail": mail, "note": note})
    }
}

/// One entity at its source.
#[derive(Debug, Clone, Default)]
pub(crate) struct Truth {
    /// Counts the changes.
    pub(crate) revision: u64,
    /// What it is; `None` if it does not exist.
    pub(crate) state: Option<Content>,
    /// What it was, and until when.
    past: VecDeque<(Micros, u64, Option<Content>)>,
    /// The revision that deleted it first. To a billing system that cancels a document, for good.
    cancelled_at: Option<u64>,
    /// What billing systems call it, by vendor, where that was written back.
    links: [Option<u64>; MAX_VENDORS],
    /// When it was first announced.
    pub(crate) announced_at: Option<Micros>,
}

/// All entities at their source.
#[derive(Debug)]
pub(crate) struct Truths(Vec<Truth>);

impl Truths {
    /// Entities that do not exist yet.
    pub(crate) fn new(entities: usize) -> Self {
        Self(vec![Truth::default(); entities])
    }

    /// An entity.
    pub(crate) fn get(&self, entity: usize) -> &Truth {
        &self.0[entity]
    }

    fn change(&mut self, entity: usize, now: Micros, state: Option<Content>) -> u64 {
        let truth = &mut self.0[entity];
        truth.past.push_back((now, truth.revision, truth.state));
        if truth.past.len() > 8 {
            truth.past.pop_front();
        }
        truth.state = state;
        truth.revision += 1;
        if state.is_none() && truth.cancelled_at.is_none() {
            truth.cancelled_at = Some(truth.revision);
        }
        truth.revision
    }
}

impl Truth {
    /// Whether a document is cancelled.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled_at.is_some()
    }

    /// What a billing system calls it, as far as the source knows.
    pub(crate) fn link(&self, unit: usize) -> Option<u64> {
        self.links[unit]
    }

    /// As a billing system sees it.
    fn paper(
        &self,
        world: &World,
        unit: usize,
        entity: usize,
        revision: u64,
        state: Option<Content>,
    ) -> Paper {
        let is_document = role(entity, world.profile.family) != Role::Customer;
        let state = state.unwrap_or_default();
        Paper {
            id: entity,
            revision,
            mail: state.mail,
            draft: is_document && state.value == UNMAPPABLE,
            cancelled: is_document && self.cancelled_at.is_some_and(|at| at <= revision),
            link: self.links[unit],
        }
    }

    /// Revision and state at an earlier time.
    fn at(&self, time: Micros) -> (u64, Option<Content>) {
        let then = self.past.iter().find(|(until, ..)| time < *until);
        then.map_or((self.revision, self.state), |(_, revision, state)| {
            (*revision, *state)
        })
    }
}

/// Changes an entity in some way and announces it.
pub(crate) fn change(world: &mut World, entity: usize) {
    let before = world.source.get(entity).state;
    let profile = world.profile.clone();
    let after = match before {
        Some(_) if world.rng.f64() < profile.source.deletions => None,
        Some(content) if world.rng.f64() < profile.source.touches => Some(Content {
            note: content.note.wrapping_add(1),
            ..content
        }),
        _ => Some(Content {
            value: match world.rng.u8(0..20) {
                0 if profile.refusals => REFUSED,
                1 if profile.refusals => UNMAPPABLE,
                any => any % 4,
            },
            mail: if world.rng.u8(0..4) == 0 {
                world.rng.u8(0..3)
            } else {
                before.map_or(0, |content| content.mail)
            },
            note: 0,
        }),
    };
    set(world, entity, after);
}

/// Gives an entity a state and announces it.
pub(crate) fn set(world: &mut World, entity: usize, state: Option<Content>) {
    world.stats.count("changes");
    announce(world, entity, state, false);
}

/// Changes an entity and announces it; `is_echo` if the change is what a vendor function wrote back.
fn announce(world: &mut World, entity: usize, state: Option<Content>, is_echo: bool) {
    let revision = world.source.change(entity, world.agenda.now(), state);
    world.log("source", 0, Some(entity), || match state {
        Some(Content { value, mail, note }) => {
            format!("revision {revision}: value {value}, mail {mail}, note {note}")
        }
        None => format!("revision {revision}: deleted"),
    });
    world.bus.on_the_way += 1;
    // The change is committed first, and announced then.
    let wait = world.rng.u64(0..200 * MILLI);
    world.agenda.after(wait, move |world| {
        world.bus.on_the_way -= 1;
        let now = world.agenda.now();
        world.source.0[entity].announced_at.get_or_insert(now);
        bus::announce(world, entity, revision, state, is_echo);
    });
}

/// The source, as a process of a vendor function sees it.
pub(crate) struct VirtualSource {
    /// The world.
    pub(crate) sim: Sim,
    /// Which vendor.
    pub(crate) unit: usize,
    /// Which process.
    pub(crate) container: usize,
}

impl Source for VirtualSource {
    fn fetch<'a>(&'a self, entity: &'a EntityKey) -> BoxFuture<'a, Result<Fetched, Error>> {
        let (unit, container, entity) = (self.unit, self.container, number(entity));
        Box::pin(async move {
            let out = self.sim.world().rng.u64(2 * MILLI..60 * MILLI);
            self.sim
                .call(out, move |world| answer(world, unit, container, entity))
                .await
        })
    }
}

fn answer(world: &mut World, unit: usize, container: usize, entity: usize) -> Reply<Result<Fetched, Error>> {
    world.stats.count("reads of the source");
    if world.chance(world.profile.source.errors) {
        world.stats.count("source errors");
        return failure(world, unit, entity, Stage::Source);
    }
    let mut time = world.agenda.now();
    if world.chance(world.profile.source.lagging) {
        world.stats.count("lagging reads");
        time = time.saturating_sub(world.rng.u64(0..=world.profile.source.lag));
    }
    let (revision, state) = world.source.get(entity).at(time);
    world.log("source", unit, Some(entity), || {
        format!("answers with revision {revision}")
    });
    judge::read(world, unit, container, entity, revision);
    let state = if world.units[unit].kind == Kind::Booking && revision > 0 {
        let truth = world.source.get(entity);
        Some(json!(truth.paper(world, unit, entity, revision, state)))
    } else {
        state.map(|state| state.to_json(entity, revision))
    };
    let versioned = world.profile.versioned && state.is_some();
    Reply {
        after: world.rng.u64(2 * MILLI..60 * MILLI),
        answer: Ok(Fetched {
            state,
            version: versioned.then_some(Version::Number(revision)),
            is_current: false,
        }),
    }
}

/// Writes what a vendor calls an entity back to the source, which announces that like any other change.
pub(crate) async fn write_back(sim: &Sim, unit: usize, entity: usize, link: u64) -> Result<(), Error> {
    let out = sim.world().rng.u64(2 * MILLI..60 * MILLI);
    sim.call(out, move |world| take_back(world, unit, entity, link))
        .await
}

fn take_back(world: &mut World, unit: usize, entity: usize, link: u64) -> Reply<Result<(), Error>> {
    world.stats.count("links written back");
    let fails = world.chance(world.profile.source.unwritten);
    if !fails || world.rng.bool() {
        world.source.0[entity].links[unit] = Some(link);
        world.log("source", unit, Some(entity), || format!("is told r-{link}"));
        let touched = world.source.get(entity).state.map(|content| Content {
            note: content.note.wrapping_add(1),
            ..content
        });
        announce(world, entity, touched, true);
    }
    if fails {
        world.stats.count("links not written back, or without an answer");
        return failure(world, unit, entity, Stage::Link);
    }
    Reply {
        after: world.rng.u64(2 * MILLI..60 * MILLI),
        answer: Ok(()),
    }
}

fn failure<T>(world: &mut World, unit: usize, entity: usize, stage: Stage) -> Reply<Result<T, Error>> {
    let (kind, after, is_brief) = match world.rng.u8(0..3) {
        0 => (ErrorKind::Timeout, 5 * SECOND, false),
        1 => (ErrorKind::Unavailable, 10 * MILLI, true),
        _ => (ErrorKind::Unavailable, 10 * MILLI, false),
    };
    world.log("source", unit, Some(entity), || format!("fails: {}", kind.name()));
    let error = Error::retry(kind, stage, "the source fails");
    let answer = Err(if is_brief { error.brief() } else { error });
    Reply { after, answer }
}

//! The vendor's side: keeps records, refuses some, finds them when they are visible.

use std::collections::{BTreeMap, HashSet};

use super::books::{self, Books, Order};
use super::{Card, Kind};
use crate::simulation::agenda::{Micros, SECOND};
use crate::simulation::judge;
use crate::simulation::source::REFUSED;
use crate::simulation::verdict::Rule;
use crate::simulation::world::World;

/// The longest that a new record cannot be found.
pub(crate) const VISIBLE_AFTER: Micros = 20 * SECOND;

/// What a vendor keeps.
pub(crate) struct Desk {
    records: BTreeMap<u64, Held>,
    /// The keys of each entity's records.
    of: Vec<Vec<u64>>,
    seen: HashSet<String>,
    last: u64,
    /// The highest revision that was applied to each entity.
    pub(crate) applied: Vec<u64>,
    /// The highest revision of each entity that any process was told.
    pub(crate) told: Vec<u64>,
    /// How often a record of each entity came to be where there was none.
    pub(crate) created: Vec<u64>,
    /// The entity was refused for good, the ledger says so, and nobody announced it since.
    pub(crate) refused: Vec<bool>,
    /// What a billing system keeps instead of records.
    pub(crate) books: Books,
}

/// A record at a vendor.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    entity: usize,
    /// Its parts: one, or as many as a plan has steps.
    parts: Vec<Option<Card>>,
    visible_at: Micros,
}

/// What a vendor is asked.
#[derive(Debug, Clone)]
pub(crate) enum Request {
    /// Make a record under this key, or replace it.
    Put { key: u64, card: Card },
    /// Move a record to another key; make it if there is none.
    Rename { from: u64, to: u64, card: Card },
    /// Make a new record.
    Create { card: Card },
    /// Set a part of a record.
    Update { key: u64, part: usize, card: Card },
    /// Delete a record.
    Delete { key: u64 },
    /// Find the record with our id.
    Find,
    /// Take note of a state, or of the end of an entity.
    Deliver { id: String, card: Option<Card> },
    /// What a billing system is asked.
    Books(Order),
}

/// What a vendor answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It is done.
    Done,
    /// The record's key.
    Key(u64),
    /// There is no such record.
    Nothing,
}

impl Desk {
    /// An empty desk.
    pub(crate) fn new(entities: usize) -> Self {
        Self {
            records: BTreeMap::new(),
            of: vec![Vec::new(); entities],
            seen: HashSet::new(),
            last: 1_000_000,
            applied: vec![0; entities],
            told: vec![0; entities],
            created: vec![0; entities],
            refused: vec![false; entities],
            books: Books::default(),
        }
    }

    /// The records of an entity.
    pub(crate) fn records(&self, entity: usize) -> impl Iterator<Item = &Held> {
        self.of[entity].iter().filter_map(|key| self.records.get(key))
    }

    fn put(&mut self, key: u64, held: Held) {
        let entity = held.entity;
        if self.records.insert(key, held).is_none() {
            self.created[entity] += u64::from(self.of[entity].is_empty());
            self.of[entity].push(key);
        }
    }

    fn take(&mut self, key: u64) -> Option<Held> {
        let held = self.records.remove(&key)?;
        self.of[held.entity].retain(|other| *other != key);
        Some(held)
    }
}

impl Held {
    /// What it shows, if all its parts show the same.
    pub(crate) fn card(&self) -> Option<Card> {
        let first = self.parts.first().copied().flatten()?;
        self.parts
            .iter()
            .all(|part| part.is_some_and(|part| part.equals(&first)))
            .then_some(first)
    }
}

/// Somebody changes the record of an entity by hand, or removes it: a forced sync is to bring it back. What a receiver of
/// messages or a billing system holds, nobody edits.
pub(crate) fn meddle(world: &mut World, unit: usize, entity: usize) {
    let vendor = &mut world.units[unit];
    let Some(key) = vendor.desk.of[entity].first().copied() else {
        return;
    };
    if matches!(vendor.kind, Kind::Webhook | Kind::Booking) {
        return;
    }
    let is_removed = world.rng.bool();
    let desk = &mut vendor.desk;
    if is_removed {
        desk.take(key);
    } else if let Some(held) = desk.records.get_mut(&key) {
        for part in held.parts.iter_mut().flatten() {
            part.value = (part.value + 1) % 4;
        }
    }
    world.stats.count("records changed or removed by hand");
    world.log("operator", unit, Some(entity), || {
        let what = if is_removed { "is removed" } else { "is changed" };
        format!("r-{key} {what} by hand")
    });
}

/// Serves a request about an entity; answers with the HTTP status if it refuses.
pub(crate) fn serve(
    world: &mut World,
    unit: usize,
    container: usize,
    entity: usize,
    request: &Request,
) -> Result<Answer, u16> {
    if let Request::Books(order) = request {
        return books::serve(world, unit, container, entity, *order);
    }
    let parts = if world.units[unit].kind == Kind::Plan {
        3
    } else {
        1
    };
    let card = match request {
        Request::Put { card, .. }
        | Request::Rename { card, .. }
        | Request::Create { card }
        | Request::Update { card, .. } => Some(*card),
        Request::Deliver { card, .. } => *card,
        Request::Delete { .. } | Request::Find | Request::Books(_) => None,
    };
    let refuses_late = parts > 1 && !matches!(request, Request::Update { part: 1.., .. });
    if card.is_some_and(|card| card.value == REFUSED) && !refuses_late {
        return Err(400);
    }
    if let Request::Deliver { id, card } = request {
        return Ok(deliver(world, unit, container, entity, id, *card));
    }
    match card {
        Some(card) => judge::applied(world, unit, entity, card.revision),
        None if matches!(request, Request::Find) => {}
        None => judge::removed(world, unit, container, entity),
    }
    let now = world.agenda.now();
    let visible_at = now + world.rng.u64(0..VISIBLE_AFTER);
    let held = |card| {
        let mut held = Held {
            entity,
            parts: vec![None; parts],
            visible_at,
        };
        held.parts[0] = Some(card);
        held
    };
    let desk = &mut world.units[unit].desk;
    match *request {
        Request::Put { key, card } => {
            desk.put(key, held(card));
            Ok(Answer::Key(key))
        }
        Request::Rename { from, to, card } => {
            desk.take(from);
            desk.put(to, held(card));
            Ok(Answer::Key(to))
        }
        Request::Create { card } => {
            desk.last += 1;
            let key = desk.last;
            desk.put(key, held(card));
            if desk.of[entity].len() > 1 {
                judge::promised_by_lanes(world, Rule::NoDuplicates, unit, entity, || {
                    "a second record is created".to_owned()
                });
            }
            Ok(Answer::Key(key))
        }
        Request::Update { key, part, card } => match desk.records.get_mut(&key) {
            Some(record) => {
                record.parts[part] = Some(card);
                Ok(Answer::Key(key))
            }
            None => Err(404),
        },
        Request::Delete { key } => {
            desk.take(key);
            Ok(Answer::Done)
        }
        Request::Find => {
            let found = desk.of[entity]
                .iter()
                .find(|key| desk.records.get(key).is_some_and(|held| held.visible_at <= now));
            Ok(found.map_or(Answer::Nothing, |key| Answer::Key(*key)))
        }
        Request::Deliver { .. } | Request::Books(_) => Ok(Answer::Done),
    }
}

/// Every delivery with a new id takes effect, a repeat takes none.
fn deliver(
    world: &mut World,
    unit: usize,
    container: usize,
    entity: usize,
    id: &str,
    card: Option<Card>,
) -> Answer {
    let desk = &mut world.units[unit].desk;
    let key = entity as u64;
    if !desk.seen.insert(id.to_owned()) {
        world.stats.count("deliveries dropped as repeats");
        let desk = &mut world.units[unit].desk;
        let held = desk.records.get(&key).and_then(Held::card);
        let is_held = match (&held, &card) {
            (Some(held), Some(card)) => held.equals(card),
            (held, card) => held.is_none() && card.is_none(),
        };
        // What is held already needs no repeat.
        if let Some(card) = card.filter(|_| is_held) {
            desk.applied[entity] = desk.applied[entity].max(card.revision);
        }
        return Answer::Done;
    }
    if let Some(card) = card {
        judge::applied(world, unit, entity, card.revision);
        let parts = vec![Some(card)];
        world.units[unit].desk.put(
            key,
            Held {
                entity,
                parts,
                visible_at: 0,
            },
        );
    } else {
        judge::removed(world, unit, container, entity);
        world.units[unit].desk.take(key);
    }
    Answer::Done
}

//! When a run is at rest, and what must be true then.

use vendorbridge::ledger::{EntityRecord, Status};

use super::books;
use crate::simulation::profile::{Pattern, Weather};
use crate::simulation::source::{Content, REFUSED, UNMAPPABLE};
use crate::simulation::vendor::{Card, Kind};
use crate::simulation::verdict::Rule;
use crate::simulation::world::World;

/// Whether nothing is on its way, at work, or waiting.
pub(crate) fn at_rest(world: &World) -> bool {
    world.bus.on_the_way == 0
        && world.units.iter().all(|unit| {
            let waits = |record: &EntityRecord| record.parked.is_some();
            unit.queue.is_empty()
                && unit.mapping.running.is_empty()
                && unit.wakers == 0
                && !unit.records.rows().any(|(_, row)| waits(&row.record))
        })
}

/// Checks everything that must be true at rest.
pub(crate) fn check(world: &mut World) {
    let broken = (0..world.units.len()).find_map(|unit| {
        let entities = 0..world.keys.len();
        entities
            .into_iter()
            .find_map(|entity| entity_broken(world, unit, entity).map(|broken| (unit, Some(entity), broken)))
            .or_else(|| event_broken(world, unit).map(|(entity, broken)| (unit, entity, broken)))
            .or_else(|| cost_broken(world).map(|broken| (unit, None, broken)))
    });
    if let Some((unit, entity, (rule, what))) = broken {
        world.violate(rule, unit, entity, what);
    }
}

fn entity_broken(world: &World, unit: usize, entity: usize) -> Option<(Rule, String)> {
    if world.units[unit].kind == Kind::Booking {
        return books::broken(world, unit, entity);
    }
    let truth = world.source.get(entity);
    if truth.revision == 0 {
        return None;
    }
    let vendor = &world.units[unit];
    let held: Vec<_> = vendor.desk.records(entity).collect();
    let overrun = world.profile.weather == Weather::Overrun;
    let record = vendor.records.row(entity).map(|row| &row.record);
    let is_refused = |state: Content| matches!(state.value, REFUSED | UNMAPPABLE);
    let refused = truth.state.is_some_and(is_refused);
    // What a push of unknown outcome left under another key is removed with the next push that succeeds, and none does while
    // the state is refused. The ledger must know of it.
    let is_known = refused && record.is_some_and(|record| held.len() <= 1 + record.maybe_links.len());
    if held.len() > 1 && !overrun && !is_known {
        return Some((
            Rule::NoDuplicates,
            format!("the vendor has {} records", held.len()),
        ));
    }
    let Some(record) = record else {
        // What was created and deleted before anybody read it needs no record.
        let is_owed = truth.state.is_some() || !held.is_empty();
        return is_owed.then(|| (Rule::NothingLost, "the ledger has no record of it".to_owned()));
    };
    if refused {
        return refused_broken(record, held.len());
    }
    if matches!(record.status, Status::Rejected | Status::Dead | Status::Parked) {
        return Some((
            Rule::Converges,
            format!("nothing is wrong any more, and it stands {}", record.status),
        ));
    }
    if overrun {
        return None;
    }
    let card = held.first().and_then(|held| held.card());
    let differs = match (truth.state, held.len()) {
        (None, 0) => None,
        (None, _) => {
            return Some((
                Rule::NoDuplicates,
                "deleted, and the vendor still has it".to_owned(),
            ));
        }
        (Some(_), 0) => Some("nothing"),
        (Some(state), _) if card.is_some_and(|card: Card| card.shows(state)) => None,
        (Some(_), _) => Some("something else"),
    };
    differs.map(|what| {
        let revision = truth.revision;
        (
            Rule::Converges,
            format!(
                "the vendor has {what}, the source has revision {revision}: {:?}",
                truth.state
            ),
        )
    })
}

/// What stands for a state that the vendor refuses for good.
fn refused_broken(record: &EntityRecord, held: usize) -> Option<(Rule, String)> {
    if record.status != Status::Rejected {
        let what = format!("its state is refused for good, and it stands {}", record.status);
        return Some((Rule::ExplainsItself, what));
    }
    let may_hold = record.unsure
        || record.link.is_some()
        || !record.maybe_links.is_empty()
        || record.reservation.is_some();
    let is_lost = held > 0 && !may_hold && record.pushed_hash.is_none();
    is_lost.then(|| {
        let what = "refused; the vendor has a record that the ledger knows nothing of".to_owned();
        (Rule::NoDuplicates, what)
    })
}

fn event_broken(world: &World, unit: usize) -> Option<(Option<usize>, (Rule, String))> {
    // A process that outlived its lock may write an event's record after the next one did.
    let overrun = world.profile.weather == Weather::Overrun;
    world.bus.events.of(unit).find_map(|(number, event)| {
        let what = match event.statuses[unit] {
            None => "has no status",
            Some(Status::Parked) if !overrun => "is still PARKED",
            Some(Status::Dead) => "is DEAD",
            Some(_) => return None,
        };
        Some((event.entity, (Rule::NothingLost, format!("e-{number} {what}"))))
    })
}

/// In fair weather nothing is written twice. Creates that are reserved and plans that are checkpointed cost more; what a
/// lagging deletion parks, too.
fn cost_broken(world: &World) -> Option<(Rule, String)> {
    let is_plain = |kind: Kind| matches!(kind, Kind::Upsert | Kind::Webhook);
    let parks = world.stats.get("status PARKED") + world.stats.get("status REJECTED") > 0;
    if world.profile.weather != Weather::Fair || parks || !world.units.iter().all(|unit| is_plain(unit.kind))
    {
        return None;
    }
    let count = |status: &str| world.stats.get(&format!("status {status}"));
    // That a carried state changed nothing must be known, too, and ahead of the push which of several is the newest.
    let (unchanged, folded) = match world.profile.pattern {
        Pattern::Notification => (count("UNCHANGED"), 0),
        Pattern::Carried | Pattern::Mixed => (2 * count("UNCHANGED"), count("COALESCED") + count("COVERED")),
    };
    let twice = 2 * (count("SYNCED") + count("DELETED"));
    let once = unchanged + folded + count("COVERED") + count("COALESCED");
    let spent: u64 = world
        .stats
        .iter()
        .filter(|(what, _)| what.starts_with("write units: e"))
        .map(|(_, units)| units)
        .sum();
    let index = world.stats.get("write units: index") + world.stats.get("write units: vendor");
    if spent > twice + once || index > 0 {
        let what = format!(
            "{spent} write units and {index} for indexes where {} would do",
            twice + once
        );
        return Some((Rule::Cheap, what));
    }
    None
}

//! A person at the command line: pauses a vendor and resumes it, and has entities synced now.

use vendorbridge::ledger::Status;

use super::agenda::timestamp;
use super::bus;
use super::profile::{Pattern, Trouble};
use super::vendor::desk;
use super::world::World;

/// Plans what people do in a run.
pub(crate) fn schedule(world: &mut World) {
    let profile = world.profile.clone();
    let pauses = profile
        .outages
        .iter()
        .filter(|outage| outage.kind == Trouble::Paused);
    for outage in pauses {
        let unit = outage.vendor;
        world.agenda.at(outage.from, move |world| set(world, unit, true));
        world
            .agenda
            .at(outage.until, move |world| set(world, unit, false));
    }
    for _ in 0..profile.changes {
        if world.chance(profile.operator.forced) {
            let unit = world.rng.usize(0..world.units.len());
            let at = world.rng.u64(0..profile.length);
            world.agenda.at(at, move |world| repair(world, unit));
        }
    }
}

/// Has an entity synced now: one that waits for a retry, or that was refused, where there is one, or any.
fn repair(world: &mut World, unit: usize) {
    let any = world.rng.usize(0..world.keys.len());
    let rows = world.units[unit].records.rows();
    let in_need: Vec<_> = rows
        .filter(|(_, row)| matches!(row.record.status, Status::Parked | Status::Rejected))
        .map(|(entity, _)| entity)
        .collect();
    let is_picked = world.rng.u8(0..4) > 0;
    let entity = world.rng.choice(in_need).filter(|_| is_picked).unwrap_or(any);
    // Where events carry the state there is nobody to ask: only the sender can bring it again.
    if world.profile.pattern != Pattern::Carried && world.chance(world.profile.operator.meddled) {
        desk::meddle(world, unit, entity);
    }
    bus::force(world, unit, entity);
}

/// Pauses a vendor, or resumes it, as the command does: on the condition that nobody wrote the record in between, which is
/// tried until it holds.
fn set(world: &mut World, unit: usize, paused: bool) {
    let now = timestamp(world.agenda.now());
    let vendor = &mut world.units[unit];
    let record = vendor.records.vendor(&vendor.name);
    let next = if paused {
        record.paused(Some("the vendor maintains its systems"), now)
    } else {
        record.resumed()
    };
    if let Some(next) = next {
        vendor.records.write_vendor(next);
    }
    world.stats.count("pauses and resumptions");
    world.log("operator", unit, None, || {
        if paused { "pauses" } else { "resumes" }.to_owned()
    });
}

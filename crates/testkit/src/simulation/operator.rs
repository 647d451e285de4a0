//! A person at the command line: pauses a vendor and resumes it.

use super::agenda::timestamp;
use super::profile::Trouble;
use super::world::World;

/// Plans the pauses of a run.
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

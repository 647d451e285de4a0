//! The schedule that runs the waker of each vendor once a minute: now and then late, or twice at once, or killed on its way.

use vendorbridge::Error;
use vendorbridge::wake::Woken;

use super::agenda::{Command, MINUTE, SECOND};
use super::world::World;

/// How long one run may take.
const TIMEOUT: u64 = 50 * SECOND;

/// Starts the schedule of a vendor.
pub(crate) fn schedule(world: &mut World, unit: usize) {
    let first = world.rng.u64(0..MINUTE);
    world.agenda.after(first, move |world| tick(world, unit));
}

fn tick(world: &mut World, unit: usize) {
    world.agenda.after(MINUTE, move |world| tick(world, unit));
    let profile = world.profile.clone();
    let late = if world.is_calm { 0 } else { profile.waker.late };
    let wait = world.rng.u64(0..=late);
    world.agenda.after(wait, move |world| {
        start(world, unit);
        if world.chance(world.profile.waker.twice) {
            world.stats.count("wakers twice at once");
            start(world, unit);
        }
    });
}

fn start(world: &mut World, unit: usize) {
    // A run that finds nothing does nothing: most of the virtual time is spent this way.
    if world.units[unit].records.indexed == 0 {
        return;
    }
    world.stats.count("waker runs");
    let task = world.agenda.task();
    let deadline = world.agenda.now() + TIMEOUT;
    let reach = [3, 12][world.rng.usize(0..2)];
    let dies_at_poll = world
        .chance(world.profile.waker.death)
        .then(|| 1 + world.rng.u32(0..reach));
    world.units[unit].wakers += 1;
    world
        .agenda
        .at(deadline, move |world| world.agenda.command(Command::Kill(task)));
    world.agenda.command(Command::Wake {
        task,
        unit,
        deadline,
        dies_at_poll,
    });
}

/// A run came to its end.
pub(crate) fn finished(world: &mut World, unit: usize, woken: &Result<Woken, Error>) {
    world.units[unit].wakers -= 1;
    match woken {
        Ok(woken) => {
            world.stats.add("wakes sent", woken.sent);
            let Woken { sent, failed } = *woken;
            world.log("waker", unit, None, || format!("sent {sent}, failed {failed}"));
        }
        Err(error) => world.log("waker", unit, None, || format!("ends with {error}")),
    }
}

/// A run was killed.
pub(crate) fn died(world: &mut World, unit: usize) {
    world.units[unit].wakers -= 1;
    world.stats.count("wakers killed");
    world.log("waker", unit, None, || "dies".to_owned());
}

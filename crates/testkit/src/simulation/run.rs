//! One run: a seed's world, from its first change to its rest.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use serde::Serialize;
use vendorbridge::sabotage::{self, Sabotage};

use super::agenda::{HOUR, MILLI, MINUTE, Micros, SECOND};
use super::call::Sim;
use super::history::Line;
use super::profile::Profile;
use super::scheduler::Scheduler;
use super::stats::Stats;
use super::vendor::Kind;
use super::verdict::{Rule, Violation};
use super::world::World;
use super::{bus, downtime, judge, operator, queue, source, waker};

/// How long a world may take to come to rest after the last fault: an hour's backoff or Retry-After, the circuit's ten
/// minutes, visibility timeouts, and as much again.
const REST: Micros = 8 * HOUR;

/// What came of a run.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// The seed that gives the same run again.
    pub seed: u64,
    /// What the seed stands for.
    pub profile: Arc<Profile>,
    /// The rule that was broken, if one was.
    pub violation: Option<Violation>,
    /// Counters.
    pub stats: Stats,
    /// Virtual microseconds from the first change to the rest.
    pub lasted: u64,
    /// Differs between runs that differ in anything that happened.
    pub fingerprint: u64,
    /// What happened; empty unless it was asked for.
    #[serde(skip)]
    pub history: Vec<Line>,
}

/// How to run a seed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Keeps the history.
    pub is_recording: bool,
    /// A fault in the engine, which the run should find.
    pub sabotage: Option<Sabotage>,
    /// All vendors are of this kind.
    pub kind: Option<Kind>,
    /// Messages are set aside after this many deliveries instead of the template's hundred.
    pub max_receives: Option<u32>,
}

/// Runs a seed.
#[must_use]
pub fn run(seed: u64, options: Options) -> Outcome {
    let mut rng = Rng::with_seed(seed);
    let mut profile = Profile::of(&mut rng);
    if let Some(max_receives) = options.max_receives {
        profile.queue.max_receives = max_receives;
    }
    if let Some(kind) = options.kind {
        profile.vendors.fill(kind);
    }
    let _guard = sabotage::set(options.sabotage);
    play(seed, Arc::new(profile), rng, options.is_recording)
}

/// Runs a world of this profile.
fn play(seed: u64, profile: Arc<Profile>, rng: Rng, is_recording: bool) -> Outcome {
    let mut world = World::new(Arc::clone(&profile), rng, is_recording);
    begin(&mut world);
    finish(seed, profile, world)
}

/// Runs a world that has begun to its end.
pub(crate) fn finish(seed: u64, profile: Arc<Profile>, world: World) -> Outcome {
    let sim = Sim::new(world);
    let mut scheduler = Scheduler::new(sim.clone());
    let ended = catch_unwind(AssertUnwindSafe(|| scheduler.run()));
    drop(scheduler);
    let mut world = sim.world();
    if ended.is_err() {
        world.violate(
            Rule::NoPanic,
            0,
            None,
            "the engine or a model panicked".to_owned(),
        );
    }
    Outcome {
        seed,
        profile,
        violation: world.violation(),
        lasted: world.agenda.now(),
        fingerprint: world.agenda.fingerprint(),
        stats: std::mem::take(&mut world.stats),
        history: world.history.take(),
    }
}

fn begin(world: &mut World) {
    for unit in 0..world.units.len() {
        waker::schedule(world, unit);
    }
    operator::schedule(world);
    changes(world);
    let length = world.profile.length;
    world.agenda.at(length, calm);
}

/// Spreads the changes of the source over the length of the run, in bursts of the same entity or evenly.
fn changes(world: &mut World) {
    let profile = Arc::clone(&world.profile);
    let last = profile.length.saturating_sub(MINUTE).max(1);
    let mut left = profile.changes;
    while left > 0 {
        let burst = if profile.bursts {
            1 + world.rng.usize(0..8)
        } else {
            1
        };
        let burst = burst.min(left);
        left -= burst;
        let mut at = world.rng.u64(0..last);
        let mut entity = world.rng.usize(0..profile.entities);
        for _ in 0..burst {
            world.agenda.at(at, move |world| source::change(world, entity));
            if world.chance(profile.bus.malformed) {
                world.agenda.at(at, bus::announce_nothing);
            }
            let pause = [50 * MILLI, SECOND, 5 * SECOND][world.rng.usize(0..3)];
            at += world.rng.u64(0..pause);
            if world.rng.u8(0..4) == 0 {
                entity = world.rng.usize(0..profile.entities);
            }
        }
    }
}

/// Faults stop. From here on the world must come to rest.
pub(crate) fn calm(world: &mut World) {
    world.is_calm = true;
    world.log("operator", 0, None, || "all faults end".to_owned());
    let bound = world.agenda.now() + REST;
    look(world, bound);
}

fn look(world: &mut World, bound: Micros) {
    for unit in 0..world.units.len() {
        queue::redrive(world, unit);
    }
    if judge::at_rest(world) {
        judge::check(world);
        if world.profile.vendors == [Kind::Booking] {
            downtime::count_order(world);
        }
        world.end();
        return;
    }
    if world.agenda.now() > bound {
        let restless = (0..world.units.len()).find_map(|unit| {
            let rows = world.units[unit].records.rows();
            let mut parked = rows.filter(|(_, row)| row.record.parked.is_some());
            Some((unit, parked.next()?.0))
        });
        let unit = restless.map_or(0, |(unit, _)| unit);
        let what = "the world does not come to rest";
        world.violate(
            Rule::Converges,
            unit,
            restless.map(|(_, entity)| entity),
            what.to_owned(),
        );
        return;
    }
    world.agenda.after(20 * SECOND, move |world| look(world, bound));
}

/// How one long run is made.
#[derive(Debug, Clone, Copy)]
pub struct Day {
    /// Which day: everything follows from it.
    pub seed: u64,
    /// Changes a second.
    pub rate: f64,
    /// Virtual hours.
    pub hours: u64,
    /// How many entities there are.
    pub entities: usize,
}

/// Plays a long run at a steady rate with modest faults; `progress` is told the virtual minutes that have passed.
#[must_use]
pub fn day(day: Day, progress: impl Fn(u64) + Send + 'static) -> Outcome {
    let mut rng = Rng::with_seed(day.seed);
    let profile = Arc::new(Profile::day(&mut rng, day.entities, day.hours * HOUR));
    let mut world = World::new(Arc::clone(&profile), rng, false);
    for unit in 0..world.units.len() {
        waker::schedule(&mut world, unit);
    }
    stream(&mut world, day.rate);
    pass(&mut world, 0, progress);
    let length = profile.length;
    world.agenda.at(length, calm);
    finish(day.seed, profile, world)
}

/// One change after the other, at random intervals of this rate.
fn stream(world: &mut World, rate: f64) {
    if world.is_calm {
        return;
    }
    let entity = world.rng.usize(0..world.profile.entities);
    source::change(world, entity);
    let wait = Duration::from_secs_f64(-(1.0 - world.rng.f64()).ln() / rate);
    let wait = u64::try_from(wait.as_micros()).unwrap_or(SECOND);
    world.agenda.after(wait, move |world| stream(world, rate));
}

/// Tells how far the day is, and forgets what is long done.
fn pass(world: &mut World, minutes: u64, progress: impl Fn(u64) + Send + 'static) {
    progress(minutes);
    let before = world.agenda.now().saturating_sub(HOUR);
    let vendors = world.units.len();
    world.bus.events.forget(before, vendors);
    world
        .agenda
        .after(MINUTE, move |world| pass(world, minutes + 1, progress));
}

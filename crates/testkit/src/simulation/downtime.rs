//! A billing system that is down for hours under a steady stream of documents: what becomes of the backlog, and of its order.

use std::sync::Arc;

use fastrand::Rng;

use super::agenda::{HOUR, MINUTE, Micros, SECOND, timestamp};
use super::profile::{Outage, Profile, Trouble};
use super::run::{Outcome, calm, finish};
use super::source::{self, Content};
use super::vendor::{Kind, Role, role};
use super::verdict::Rule;
use super::world::World;
use super::{operator, waker};

/// How a run with a downtime is made.
#[derive(Debug, Clone, Copy)]
pub struct Downtime {
    /// Which run: everything follows from it.
    pub seed: u64,
    /// A person pauses the vendor for the time, instead of finding out.
    pub is_announced: bool,
    /// How long the stream lasts, in hours.
    pub hours: u64,
    /// The vendor is down from the end of the first hour, for this many.
    pub down: u64,
    /// Seconds between two events, on average.
    pub every: f64,
    /// How many customers there are.
    pub customers: usize,
    /// All that was announced before the vendor came back is settled this many minutes later.
    pub within: u64,
}

/// Documents that a customer has room for.
const FAMILY: usize = 64;
/// One event in so many cancels a document.
const CANCELLATIONS: usize = 12;

/// Plays a run with a downtime. Its counters say how many documents were booked, and how many of them after a later one of
/// the same customer.
#[must_use]
pub fn downtime(downtime: Downtime) -> Outcome {
    let Downtime {
        seed,
        hours,
        customers,
        ..
    } = downtime;
    let mut rng = Rng::with_seed(seed);
    let mut profile = Profile::day(&mut rng, customers * FAMILY, hours * HOUR);
    profile.vendors = vec![Kind::Booking];
    profile.family = FAMILY;
    profile.process.concurrency = 5;
    let until = (1 + downtime.down) * HOUR;
    profile.outages = vec![Outage {
        vendor: 0,
        from: HOUR,
        until,
        kind: if downtime.is_announced {
            Trouble::Paused
        } else {
            Trouble::Down
        },
    }];
    let profile = Arc::new(profile);
    let mut world = World::new(Arc::clone(&profile), rng, false);
    waker::schedule(&mut world, 0);
    operator::schedule(&mut world);
    let documents = Documents {
        used: vec![0; customers],
        live: Vec::new(),
        every: downtime.every,
    };
    announce(&mut world, documents);
    world.agenda.at(until, watch);
    let bound = until + downtime.within * MINUTE;
    world.agenda.at(bound, move |world| must_be_settled(world, until));
    world.agenda.at(profile.length, calm);
    finish(seed, profile, world)
}

/// What was announced so far.
struct Documents {
    /// How many documents of each customer.
    used: Vec<usize>,
    /// Those that are not cancelled.
    live: Vec<usize>,
    every: f64,
}

/// Announces one document after the other, and a customer right before its first.
fn announce(world: &mut World, mut documents: Documents) {
    if world.is_calm {
        return;
    }
    let content = Some(Content::default());
    if world.rng.usize(0..CANCELLATIONS) == 0 && !documents.live.is_empty() {
        let place = world.rng.usize(0..documents.live.len());
        source::set(world, documents.live.swap_remove(place), None);
    } else {
        let customer = world.rng.usize(0..documents.used.len());
        let used = &mut documents.used[customer];
        if *used == 0 {
            source::set(world, customer * FAMILY, content);
        }
        if *used + 1 < FAMILY {
            *used += 1;
            let document = customer * FAMILY + *used;
            documents.live.push(document);
            source::set(world, document, content);
        }
    }
    let wait = -(1.0 - world.rng.f64()).ln() * documents.every;
    let wait = std::time::Duration::try_from_secs_f64(wait).unwrap_or_default();
    let wait = u64::try_from(wait.as_micros()).unwrap_or(SECOND);
    world.agenda.after(wait, move |world| announce(world, documents));
}

fn waiting(world: &World, until: Micros) -> impl Iterator<Item = usize> {
    let rows = world.units[0].records.rows();
    rows.filter(move |(_, row)| {
        let parked = row.record.parked.as_ref();
        parked.is_some_and(|parked| parked.event_time < timestamp(until))
    })
    .map(|(entity, _)| entity)
}

/// Counts every second what of the backlog is left.
fn watch(world: &mut World) {
    let now = world.agenda.now();
    let until = world.profile.outages[0].until;
    let left = waiting(world, until).count();
    let backlog = world.stats.get("backlog");
    let seconds = usize::try_from((now - until) / SECOND).unwrap_or(0);
    if now == until {
        world.stats.add("backlog", left);
    } else {
        for (hundredths, what) in [
            (50, "seconds until half of the backlog was settled"),
            (99, "seconds until 99 % of the backlog were settled"),
        ] {
            let is_done = left as u64 * 100 <= backlog * (100 - hundredths);
            if is_done && world.stats.get(what) == 0 {
                world.stats.add(what, seconds);
            }
        }
    }
    if left == 0 {
        world.stats.add("seconds until the backlog was settled", seconds);
        return;
    }
    world.agenda.after(SECOND, watch);
}

fn must_be_settled(world: &mut World, until: Micros) {
    let late = waiting(world, until).next();
    if let Some(entity) = late {
        let what = "still waits, long after the vendor came back";
        world.violate(Rule::Converges, 0, Some(entity), what.to_owned());
    }
}

/// Counts the documents that were booked after a later one of the same customer.
pub(crate) fn count_order(world: &mut World) {
    let family = world.profile.family;
    let mut booked = vec![Vec::new(); world.keys.len().div_ceil(family)];
    let (mut documents, mut behind, mut farthest) = (0, 0, 0);
    let mut payments = 0;
    for charge in world.units[0].desk.books.all() {
        let (Role::Document { customer, pays }, false) = (role(charge.entity, family), charge.is_reversal)
        else {
            continue;
        };
        let announced = world.source.get(charge.entity).announced_at;
        let before: &mut Vec<Option<Micros>> = &mut booked[customer / family];
        let later = before.iter().filter(|other| **other > announced).count();
        before.push(announced);
        documents += 1;
        behind += usize::from(later > 0);
        payments += usize::from(later > 0 && pays.is_some());
        farthest = farthest.max(later);
    }
    world.stats.add("documents booked", documents);
    world.stats.add("documents booked after a later one", behind);
    world
        .stats
        .add("payments booked after a later document", payments);
    world.stats.add("most later ones before a document", farthest);
}

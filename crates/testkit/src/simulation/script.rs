//! Plays a [scenario](crate::scenario) in the simulation: the same file runs end to end, so the models here are held against a
//! queue and a table that nobody here wrote.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use fastrand::Rng;
use vendorbridge::ledger::Status;

use super::agenda::{Command, HOUR, MILLI, Micros};
use super::profile::Profile;
use super::run::{Outcome, finish};
use super::source::{self, Content};
use super::vendor::Kind;
use super::verdict::Rule;
use super::world::World;
use super::{judge, waker};
use crate::scenario::{End, Fault, Scenario, Step};

/// The vendors that scenarios know, and what stands for them here.
const VENDORS: [(&str, Kind); 2] = [("webhook", Kind::Webhook), ("mailchimp", Kind::Natural)];
/// Steps are looked at this often.
const PACE: Micros = 50 * MILLI;
/// No step waits longer than this.
const WITHIN: Micros = 6 * HOUR;

/// A script in progress.
pub(crate) struct Script {
    steps: std::vec::IntoIter<Step>,
    waiting: Option<Step>,
    since: Micros,
    customers: BTreeMap<String, usize>,
    end: End,
    troubles: [Trouble; 2],
}

/// How a vendor misbehaves, and how often it was called.
#[derive(Default)]
pub(crate) struct Trouble {
    calls: u64,
    all: Option<Fault>,
    customers: BTreeMap<usize, Fault>,
    requests: BTreeMap<u64, Fault>,
    slow: Micros,
}

/// Plays a scenario; a rule is broken if it does not end as it must.
#[must_use]
pub fn play(scenario: &Scenario, seed: u64, is_recording: bool) -> Outcome {
    let mut rng = Rng::with_seed(seed);
    let named: BTreeSet<_> = scenario.steps.iter().flat_map(customers).collect();
    let customers = named.into_iter().zip(0..).collect::<BTreeMap<_, _>>();
    let kinds = VENDORS.map(|(_, kind)| kind);
    let profile = Profile::calm(&kinds, customers.len(), scenario.duplicates);
    let profile = Arc::new(profile);
    let mut world = World::new(Arc::clone(&profile), rng.fork(), is_recording);
    for unit in 0..VENDORS.len() {
        waker::schedule(&mut world, unit);
    }
    world.script = Some(Script {
        steps: scenario.steps.clone().into_iter(),
        waiting: None,
        since: 0,
        customers,
        end: scenario.end.clone(),
        troubles: Default::default(),
    });
    advance(&mut world);
    finish(seed, profile, world)
}

fn customers(step: &Step) -> Vec<String> {
    match step {
        Step::Change { customers, .. } => customers.clone(),
        Step::Remove { customer } => vec![customer.clone()],
        _ => Vec::new(),
    }
}

fn unit(vendor: &str) -> usize {
    usize::from(vendor != VENDORS[0].0)
}

/// Does what is due of the script.
fn advance(world: &mut World) {
    let Some(mut script) = world.script.take() else {
        return;
    };
    let now = world.agenda.now();
    let step = script.waiting.take().or_else(|| {
        script.since = now;
        script.steps.next()
    });
    let Some(step) = step else {
        return end(world, &script);
    };
    if !is_done(world, &mut script, &step) {
        if now - script.since > WITHIN {
            let what = format!("waits too long: {step:?}");
            world.violate(Rule::Converges, 0, None, what);
        }
        script.waiting = Some(step);
    }
    world.script = Some(script);
    world.agenda.after(PACE, advance);
}

/// Takes a step; `false` if it waits for something that is not there yet.
fn is_done(world: &mut World, script: &mut Script, step: &Step) -> bool {
    match step {
        Step::Change { customers, times } => {
            for round in 0..*times {
                for customer in customers {
                    let entity = script.customers[customer];
                    let value = (world.source.get(entity).revision % 6) as u8;
                    let state = Content {
                        value,
                        mail: 0,
                        note: u8::try_from(round).unwrap_or(0),
                    };
                    source::set(world, entity, Some(state));
                }
            }
        }
        Step::Remove { customer } => source::set(world, script.customers[customer], None),
        Step::Fault {
            vendor,
            fault,
            request,
            customer,
        } => {
            let customer = customer.as_ref().map(|customer| script.customers[customer]);
            let trouble = &mut script.troubles[unit(vendor)];
            match (request, customer) {
                (Some(request), _) => {
                    trouble.requests.insert(trouble.calls + request, *fault);
                }
                (None, Some(customer)) => {
                    trouble.customers.insert(customer, *fault);
                }
                (None, None) => trouble.all = Some(*fault),
            }
        }
        Step::Recover { vendor } => {
            let trouble = &mut script.troubles[unit(vendor)];
            *trouble = Trouble {
                calls: trouble.calls,
                slow: trouble.slow,
                ..Trouble::default()
            };
        }
        Step::Slow { vendor, millis } => script.troubles[unit(vendor)].slow = millis * MILLI,
        Step::Kill => {
            for task in world
                .units
                .iter()
                .flat_map(|unit| unit.mapping.tasks())
                .collect::<Vec<_>>()
            {
                world.agenda.command(Command::Kill(task));
            }
        }
        Step::WaitForCalls { vendor, at_least } => return script.troubles[unit(vendor)].calls >= *at_least,
        Step::WaitForStatus {
            vendor,
            status,
            at_least,
        } => return having(world, unit(vendor), *status) >= *at_least,
        Step::WaitForCircuit { vendor } => {
            let vendor = &world.units[unit(vendor)];
            return vendor.records.vendor(&vendor.name).circuit.is_some();
        }
        Step::WaitUntilSettled => return judge::at_rest(world),
    }
    true
}

fn having(world: &World, unit: usize, status: Status) -> usize {
    let events = world.bus.events.iter();
    events
        .filter(|(_, event)| event.statuses[unit] == Some(status))
        .count()
}

fn end(world: &mut World, script: &Script) {
    judge::check(world);
    if let Some((unit, what)) = differs(world, script) {
        world.violate(Rule::Converges, unit, None, what);
    }
    world.end();
}

fn differs(world: &World, script: &Script) -> Option<(usize, String)> {
    for (vendor, expected) in &script.end.statuses {
        for (status, (fewest, most)) in expected {
            let found = having(world, unit(vendor), *status);
            if !(*fewest..=*most).contains(&found) {
                let what = format!("{vendor}: expected {fewest} to {most} events {status}, found {found}");
                return Some((unit(vendor), what));
            }
        }
    }
    for (vendor, most) in &script.end.calls_at_most {
        let calls = script.troubles[unit(vendor)].calls;
        if calls > *most {
            return Some((
                unit(vendor),
                format!("{vendor}: expected {most} calls at most, found {calls}"),
            ));
        }
    }
    for (vendor, expected) in &script.end.created {
        for (customer, entity) in &script.customers {
            let created = world.units[unit(vendor)].desk.created[*entity];
            if created != *expected {
                let what = format!("{vendor}: expected {expected} creations of {customer}, found {created}");
                return Some((unit(vendor), what));
            }
        }
    }
    None
}

/// The scripted fault of the next call about an entity, and how much longer the answer takes.
pub(crate) fn next(world: &mut World, unit: usize, entity: usize) -> (Option<Fault>, Micros) {
    let Some(script) = &mut world.script else {
        return (None, 0);
    };
    let trouble = &mut script.troubles[unit];
    trouble.calls += 1;
    let request = trouble.requests.remove(&trouble.calls);
    let fault = trouble
        .all
        .or(trouble.customers.get(&entity).copied())
        .or(request);
    (fault, trouble.slow)
}

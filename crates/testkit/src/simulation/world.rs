//! Everything there is in a run: the models, the clock, the dice, and what was seen.

use std::collections::HashMap;
use std::sync::Arc;

use fastrand::Rng;
use vendorbridge::EntityKey;

use super::agenda::{Agenda, Command, Micros, SECOND, TaskId};
use super::bus::Bus;
use super::history::History;
use super::mapping::Mapping;
use super::profile::Profile;
use super::queue::Queue;
use super::source::Truths;
use super::stats::Stats;
use super::table::Records;
use super::vendor::{Desk, Kind};
use super::verdict::{Rule, Violation};

/// A world in progress.
pub(crate) struct World {
    /// Time and what is to come.
    pub(crate) agenda: Agenda,
    /// The dice.
    pub(crate) rng: Rng,
    /// What kind of run this is.
    pub(crate) profile: Arc<Profile>,
    /// Faults have stopped: the run must come to rest.
    pub(crate) is_calm: bool,
    /// The keys of the entities, by their numbers.
    pub(crate) keys: Arc<[EntityKey]>,
    /// Who holds the truth.
    pub(crate) source: Truths,
    /// What was announced.
    pub(crate) bus: Bus,
    /// One per vendor.
    pub(crate) units: Vec<Unit>,
    /// Counters.
    pub(crate) stats: Stats,
    /// What happened, if anybody asked.
    pub(crate) history: History,
    violation: Option<Violation>,
    is_over: bool,
    held_up: HashMap<TaskId, (Micros, Micros)>,
}

/// One vendor and what belongs to it alone.
pub(crate) struct Unit {
    /// Its name.
    pub(crate) name: String,
    /// What kind of vendor it is.
    pub(crate) kind: Kind,
    /// Its queue.
    pub(crate) queue: Queue,
    /// Its function's invocations.
    pub(crate) mapping: Mapping,
    /// Its part of the ledger.
    pub(crate) records: Records,
    /// The vendor itself.
    pub(crate) desk: Desk,
    /// Wakers at work.
    pub(crate) wakers: usize,
}

impl World {
    /// A world at its beginning.
    pub(crate) fn new(profile: Arc<Profile>, mut rng: Rng, is_recording: bool) -> Self {
        let keys =
            (0..profile.entities).filter_map(|number| EntityKey::new("customer", &number.to_string()).ok());
        let units = profile.vendors.iter().enumerate().map(|(number, kind)| Unit {
            name: format!("v{number}"),
            kind: *kind,
            queue: Queue::new(profile.queue.max_receives),
            mapping: Mapping::default(),
            records: Records::new(profile.entities),
            desk: Desk::new(profile.entities),
            wakers: 0,
        });
        Self {
            agenda: Agenda::new(rng.fork()),
            keys: keys.collect(),
            source: Truths::new(profile.entities),
            bus: Bus::default(),
            units: units.collect(),
            stats: Stats::default(),
            history: History::new(is_recording),
            is_calm: false,
            violation: None,
            is_over: false,
            held_up: HashMap::new(),
            profile,
            rng,
        }
    }

    /// Whether something with this rate happens now. Nothing bad happens in the calm.
    pub(crate) fn chance(&mut self, rate: f64) -> bool {
        rate > 0.0 && !self.is_calm && self.rng.f64() < rate
    }

    /// At which poll the process of a new invocation dies, if it does.
    pub(crate) fn dies_at_poll(&mut self) -> Option<u32> {
        let reach = [2, 8, 30][self.rng.usize(0..3)];
        self.chance(self.profile.process.death)
            .then(|| 1 + self.rng.u32(0..reach))
    }

    /// After how long an invocation is killed. One that is held up outlives its messages' visibility timeout.
    pub(crate) fn lifetime(&mut self, task: TaskId) -> Micros {
        let timeout = self.profile.process.timeout;
        if !self.chance(self.profile.process.overrun) {
            return timeout;
        }
        let now = self.agenda.now();
        let from = now + self.rng.u64(0..SECOND);
        let until = now + self.profile.process.visibility + self.rng.u64(0..60 * SECOND);
        self.held_up.insert(task, (from, until));
        self.agenda
            .at(until, move |world| world.agenda.command(Command::Thaw(task)));
        self.stats.count("processes held up");
        until - now + timeout
    }

    /// Whether a task is held up now.
    pub(crate) fn is_held_up(&self, task: TaskId) -> bool {
        let now = self.agenda.now();
        self.held_up
            .get(&task)
            .is_some_and(|(from, until)| (*from..*until).contains(&now))
    }

    /// Notes what happened, if anybody asked.
    pub(crate) fn log(
        &mut self,
        actor: &'static str,
        unit: usize,
        entity: Option<usize>,
        text: impl FnOnce() -> String,
    ) {
        self.history.add(self.agenda.now(), actor, unit, entity, text);
    }

    /// A rule is broken: the run ends here. Of several the first stands.
    pub(crate) fn violate(&mut self, rule: Rule, unit: usize, entity: Option<usize>, what: String) {
        self.log("judge", unit, entity, || format!("{rule:?} is broken: {what}"));
        self.is_over = true;
        self.violation.get_or_insert(Violation {
            rule,
            at: self.agenda.now(),
            unit,
            entity,
            what,
        });
    }

    /// Ends the run.
    pub(crate) fn end(&mut self) {
        self.is_over = true;
    }

    /// Whether the run has ended.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over
    }

    /// The rule that was broken, if one was.
    pub(crate) fn violation(&mut self) -> Option<Violation> {
        self.violation.take()
    }
}

/// The number of an entity.
pub(crate) fn number(entity: &EntityKey) -> usize {
    entity.id().parse().unwrap_or(0)
}

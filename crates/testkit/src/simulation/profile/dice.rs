//! How the dice make a profile.

use fastrand::Rng;

use super::{
    Bus, Calls, Ledger, Operator, Outage, Pattern, Processes, Profile, Queue, Source, Trouble, Waker, Weather,
};
use crate::simulation::agenda::{MILLI, MINUTE, Micros, SECOND};
use crate::simulation::vendor::Kind;

impl Profile {
    /// The profile of a seed.
    pub(crate) fn of(rng: &mut Rng) -> Self {
        let weather = match rng.u32(0..100) {
            0..8 => Weather::Fair,
            8..20 => Weather::Poison,
            20..38 => Weather::Outage,
            38..64 => Weather::Crashes,
            64..96 => Weather::Storm,
            _ => Weather::Overrun,
        };
        let most = if rng.bool() { 5 } else { 20 };
        let entities = 1 + rng.usize(0..most);
        let most = if rng.u8(0..4) == 0 { 180 } else { 50 };
        let changes = 20 + rng.usize(0..most);
        let length = [10, 30, 60, 180][rng.usize(0..4)] * MINUTE;
        let vendors: Vec<_> = (0..=rng.usize(0..3)).map(|_| Kind::any(rng)).collect();
        let versioned = rng.bool();
        // A batch of ten is worked off in waves; every wave has its time, as in the template.
        let in_flight = [2, 5, 10][rng.usize(0..3)];
        let timeout = 10_u64.div_ceil(in_flight as u64) * 16 * SECOND + 14 * SECOND;
        let mut profile = Self {
            weather,
            entities,
            family: 5,
            changes,
            length,
            bursts: rng.bool(),
            versioned,
            pattern: Pattern::Notification,
            poison: Vec::new(),
            refusals: rng.bool(),
            bus: Bus {
                delay: [200 * MILLI, 3 * SECOND, 20 * SECOND][rng.usize(0..3)],
                straggling: some(rng, 0.1),
                duplicates: some(rng, 0.2),
                direct: some(rng, 0.5),
                malformed: some(rng, 0.02),
            },
            queue: Queue {
                max_receives: 100,
                poll: 60 * MILLI,
                thin: 0.5,
                ..Queue::default()
            },
            process: Processes {
                concurrency: 2 + rng.usize(0..4),
                in_flight,
                timeout,
                visibility: 6 * timeout,
                ..Processes::default()
            },
            ledger: Ledger {
                index_lag: some_time(rng, 10 * SECOND),
                ..Ledger::default()
            },
            source: Source {
                deletions: some(rng, 0.2),
                touches: some(rng, 0.3),
                ..Source::default()
            },
            calls: Calls::default(),
            outages: Vec::new(),
            waker: Waker::default(),
            operator: Operator {
                forced: some(rng, 0.5),
                meddled: some(rng, 0.5),
                repeated: some(rng, 0.3),
            },
            vendors,
        };
        profile.pattern = match rng.u8(0..8) {
            0 => Pattern::Carried,
            1 => Pattern::Mixed,
            _ => Pattern::Notification,
        };
        // Without a version nobody could tell whether a carried state is older than one that was read.
        profile.versioned |= profile.pattern != Pattern::Notification;
        profile.worsen(rng);
        profile
    }

    /// A long run with modest faults: one vendor that creates once, versions, a modest rate of everything that fails.
    pub(crate) fn day(rng: &mut Rng, entities: usize, length: Micros) -> Self {
        let mut profile = Self::of(rng);
        profile.weather = Weather::Storm;
        profile.entities = entities;
        profile.length = length;
        profile.vendors = vec![Kind::Once];
        profile.versioned = true;
        profile.pattern = Pattern::Notification;
        profile.refusals = false;
        profile.poison = Vec::new();
        profile.outages = Vec::new();
        profile.bus = Bus {
            delay: 500 * MILLI,
            straggling: 0.001,
            duplicates: 0.01,
            direct: 0.0,
            malformed: 0.0,
        };
        profile.queue = Queue {
            // After the SDK's own retries.
            refusal: 0.000_001,
            lost_answer: 0.000_001,
            max_receives: 100,
            poll: 10 * MILLI,
            thin: 0.0,
        };
        profile.process = Processes {
            concurrency: 20,
            in_flight: 10,
            timeout: 30 * SECOND,
            visibility: 180 * SECOND,
            death: 0.000_01,
            lost_answer: 0.000_01,
            overrun: 0.0,
        };
        profile.ledger = Ledger {
            throttled: 0.001,
            unknown: 0.000_5,
            unread: 0.000_5,
            unrecorded: 0.000_5,
            index_lag: SECOND,
        };
        profile.source = Source {
            errors: 0.002,
            lagging: 0.01,
            lag: 2 * SECOND,
            unwritten: 0.002,
            deletions: 0.01,
            touches: 0.1,
        };
        let rate = 0.001;
        profile.calls = Calls {
            rate_limited: rate,
            failed: rate,
            unavailable: rate,
            refused: rate,
            timeout: rate / 2.0,
            cut: rate,
            slow: rate,
        };
        profile.waker = Waker {
            death: 0.01,
            twice: 0.01,
            late: 0,
        };
        profile.operator = Operator::default();
        profile
    }

    /// A world in which nothing fails but what a script says.
    pub(crate) fn calm(vendors: &[Kind], entities: usize, duplicates: f64) -> Self {
        let mut profile = Self::day(&mut Rng::with_seed(0), entities, 0);
        profile.vendors = vendors.to_vec();
        profile.bus = Bus {
            delay: 50 * MILLI,
            duplicates,
            ..Bus::default()
        };
        profile.queue.refusal = 0.0;
        profile.queue.lost_answer = 0.0;
        profile.process.death = 0.0;
        profile.process.lost_answer = 0.0;
        profile.ledger = Ledger::default();
        profile.source = Source::default();
        profile.calls = Calls::default();
        profile.waker = Waker::default();
        profile
    }

    fn worsen(&mut self, rng: &mut Rng) {
        match self.weather {
            Weather::Fair => {}
            Weather::Poison => self.poison = entities(rng, self.entities),
            Weather::Outage => self.trouble(rng),
            Weather::Crashes => {
                self.process.death = 0.05 + 0.45 * rng.f64();
                self.process.lost_answer = some(rng, 0.1);
                self.waker.death = some(rng, 0.3);
                self.calls(rng, 0.05);
                self.platform(rng, 0.02);
                self.lag(rng);
            }
            Weather::Storm => {
                self.process.death = some(rng, 0.1);
                self.process.lost_answer = some(rng, 0.05);
                self.calls(rng, 0.3);
                self.platform(rng, 0.15);
                self.lag(rng);
                if rng.u8(0..3) == 0 {
                    self.trouble(rng);
                }
                if rng.u8(0..3) == 0 {
                    self.poison = entities(rng, self.entities);
                }
            }
            Weather::Overrun => {
                self.process.overrun = 0.2;
                self.process.concurrency = 5;
                self.bus.delay = 200 * MILLI;
                self.source.touches = 0.0;
            }
        }
    }

    fn calls(&mut self, rng: &mut Rng, most: f64) {
        self.calls = Calls {
            rate_limited: some(rng, most),
            failed: some(rng, most),
            unavailable: some(rng, most),
            refused: some(rng, most),
            timeout: some(rng, most),
            cut: some(rng, most),
            slow: some(rng, most),
        };
    }

    fn platform(&mut self, rng: &mut Rng, most: f64) {
        self.queue.refusal = some(rng, most);
        self.queue.lost_answer = some(rng, most);
        self.ledger.throttled = some(rng, most);
        self.ledger.unknown = some(rng, most);
        self.ledger.unread = some(rng, most);
        self.ledger.unrecorded = some(rng, most);
        self.source.errors = some(rng, most);
        self.source.unwritten = some(rng, 3.0 * most);
        self.waker.twice = some(rng, 0.3);
        self.waker.late = some_time(rng, 5 * MINUTE);
    }

    fn lag(&mut self, rng: &mut Rng) {
        if self.versioned {
            self.source.lagging = some(rng, 0.5);
            self.source.lag = some_time(rng, 5 * SECOND);
        }
    }

    fn trouble(&mut self, rng: &mut Rng) {
        let afflicted = 1 + rng.usize(0..self.vendors.len());
        for vendor in 0..afflicted {
            for _ in 0..=rng.usize(0..2) {
                let from = rng.u64(0..self.length);
                let kind = [
                    Trouble::Down,
                    Trouble::Deauthorized,
                    Trouble::Limiting,
                    Trouble::Paused,
                ][rng.usize(0..4)];
                let lasts = match kind {
                    Trouble::Deauthorized => 60 * MINUTE,
                    _ => rng.u64(SECOND..20 * MINUTE),
                };
                self.outages.push(Outage {
                    vendor,
                    from,
                    until: (from + lasts).min(self.length),
                    kind,
                });
            }
        }
    }
}

fn entities(rng: &mut Rng, of: usize) -> Vec<usize> {
    let share = 0.1 + 0.3 * rng.f64();
    let poison: Vec<_> = (0..of).filter(|_| rng.f64() < share).collect();
    if poison.is_empty() { vec![0] } else { poison }
}

/// Nothing, or some rate up to the highest.
fn some(rng: &mut Rng, most: f64) -> f64 {
    if rng.bool() { most * rng.f64() } else { 0.0 }
}

fn some_time(rng: &mut Rng, most: Micros) -> Micros {
    if rng.bool() { rng.u64(0..most) } else { 0 }
}

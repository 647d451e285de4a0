//! What kind of run a seed stands for: which faults, and how hard.
//!
//! Some promises only hold in some weather: that nobody waits for somebody else cannot be asked for while the ledger is out of
//! reach. So the weather is chosen first, and then everything within it.

use fastrand::Rng;
use serde::Serialize;

use super::agenda::{MILLI, MINUTE, Micros, SECOND};
use super::vendor::Kind;

/// What a run is mainly about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Weather {
    /// Nothing fails: what an event costs is checked exactly.
    Fair,
    /// Some entities always fail, nothing else does: nobody may wait for them.
    Poison,
    /// Some vendors are down, deauthorized or paused: no other may notice.
    Outage,
    /// Processes die often, at any point.
    Crashes,
    /// Everything fails now and then.
    Storm,
    /// A process may outlive the visibility timeout, which Lambda rules out: the lanes are no lock then, and only the ledger
    /// must stay consistent.
    Overrun,
}

/// Everything that is decided about a run before it begins.
#[derive(Debug, Clone, Serialize)]
pub struct Profile {
    /// What it is mainly about.
    pub weather: Weather,
    /// How many entities there are.
    pub entities: usize,
    /// How many changes the source sees.
    pub changes: usize,
    /// How long changes and faults go on, in virtual microseconds.
    pub length: Micros,
    /// Changes come in bursts instead of evenly.
    pub bursts: bool,
    /// The vendors.
    pub vendors: Vec<Kind>,
    /// The source counts versions, and events announce them.
    pub versioned: bool,
    /// Entities that some vendor never accepts before the calm.
    pub poison: Vec<usize>,
    /// Some states are refused for good.
    pub refusals: bool,
    /// The bus.
    pub bus: Bus,
    /// The queues.
    pub queue: Queue,
    /// The processes.
    pub process: Processes,
    /// The ledger.
    pub ledger: Ledger,
    /// The source.
    pub source: Source,
    /// The vendors' answers: rates per call.
    pub calls: Calls,
    /// Times in which a vendor as a whole does not serve.
    pub outages: Vec<Outage>,
    /// The wakers.
    pub waker: Waker,
}

/// How the bus delivers.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Bus {
    /// The longest ordinary delay.
    pub delay: Micros,
    /// The rate of deliveries that take up to two minutes.
    pub straggling: f64,
    /// The rate of events that are delivered twice.
    pub duplicates: f64,
    /// The rate of events that a producer sends straight into the entity's lane.
    pub direct: f64,
    /// The rate of changes after which a message arrives that cannot be understood.
    pub malformed: f64,
}

/// How the queues serve.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Queue {
    /// The rate of sends and deletes that are refused.
    pub refusal: f64,
    /// The rate of requests that are served and not answered.
    pub lost_answer: f64,
    /// How often a message is handed out before it is set aside.
    pub max_receives: u32,
}

/// How processes run and die.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Processes {
    /// At most this many at once, per vendor.
    pub concurrency: usize,
    /// Entities side by side in one process.
    pub in_flight: usize,
    /// After this long an invocation is killed.
    pub timeout: Micros,
    /// After this long a message in flight becomes visible again.
    pub visibility: Micros,
    /// The rate of invocations that die on the way.
    pub death: f64,
    /// The rate of answers that get lost.
    pub lost_answer: f64,
    /// The rate of processes that are held up beyond the visibility timeout.
    pub overrun: f64,
}

/// How the ledger serves.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Ledger {
    /// The rate of requests that are throttled: nothing is done.
    pub throttled: f64,
    /// The rate of writes that happen and are answered with an error, or not at all.
    pub unknown: f64,
    /// The rate of entities that a batch leaves unread.
    pub unread: f64,
    /// The rate of event records that are not written.
    pub unrecorded: f64,
    /// How long the index may lag.
    pub index_lag: Micros,
}

/// How the source serves.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Source {
    /// The rate of reads that fail.
    pub errors: f64,
    /// The rate of reads that answer with an older state.
    pub lagging: f64,
    /// How old at most.
    pub lag: Micros,
    /// The rate of changes that are deletions.
    pub deletions: f64,
    /// The rate of changes of which a vendor sees nothing.
    pub touches: f64,
}

/// How vendors answer: rates per call.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Calls {
    /// 429.
    pub rate_limited: f64,
    /// 500; it may have happened.
    pub failed: f64,
    /// 502, 503, 504.
    pub unavailable: f64,
    /// The connection is refused.
    pub refused: f64,
    /// No answer in time; half of these were carried out.
    pub timeout: f64,
    /// The connection breaks; half of these were carried out.
    pub cut: f64,
    /// Takes seconds.
    pub slow: f64,
}

/// A time in which a vendor as a whole does not serve.
#[derive(Debug, Clone, Serialize)]
pub struct Outage {
    /// Which vendor.
    pub vendor: usize,
    /// From when.
    pub from: Micros,
    /// Until when.
    pub until: Micros,
    /// What happens.
    pub kind: Trouble,
}

/// What is wrong with a vendor as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trouble {
    /// Answers 503, or not at all.
    Down,
    /// Answers 401.
    Deauthorized,
    /// Answers 429 to most calls.
    Limiting,
    /// A person paused it.
    Paused,
}

/// How wakers run.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Waker {
    /// The rate of runs that die on the way.
    pub death: f64,
    /// The rate of runs that come twice at once.
    pub twice: f64,
    /// How late a run may come.
    pub late: Micros,
}

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
        let vendors: Vec<_> = (0..1 + rng.usize(0..3)).map(|_| Kind::any(rng)).collect();
        let versioned = rng.bool();
        // A batch of ten is worked off in waves; every wave has its time, as in the template.
        let in_flight = [2, 5, 10][rng.usize(0..3)];
        let timeout = 10_u64.div_ceil(in_flight as u64) * 16 * SECOND + 14 * SECOND;
        let mut profile = Self {
            weather,
            entities,
            changes,
            length,
            bursts: rng.bool(),
            versioned,
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
            vendors,
        };
        profile.worsen(rng);
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

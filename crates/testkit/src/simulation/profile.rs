//! What kind of run a seed stands for: which faults, and how hard.
//!
//! Some promises only hold in some weather: that nobody waits for somebody else cannot be asked for while the ledger is out of
//! reach. So the weather is chosen first, and then everything within it.

mod dice;

use serde::Serialize;

use super::agenda::Micros;
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

/// What events bring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pattern {
    /// Which entity changed; the source is asked.
    Notification,
    /// The state; there is no source to ask.
    Carried,
    /// Some the state, some not; the source can be asked.
    Mixed,
}

/// Everything that is decided about a run before it begins.
#[derive(Debug, Clone, Serialize)]
pub struct Profile {
    /// What it is mainly about.
    pub weather: Weather,
    /// How many entities there are.
    pub entities: usize,
    /// To a billing system a customer and its documents are this many entities.
    pub family: usize,
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
    /// What events bring.
    pub pattern: Pattern,
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
    /// What people ask for.
    pub operator: Operator,
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
    /// How long a message may wait for the next look into the queue.
    pub poll: Micros,
    /// The rate of batches that take fewer messages of a group than there are.
    pub thin: f64,
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
    /// The rate of write-backs that fail; half of them were carried out.
    pub unwritten: f64,
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

/// What people at the command line ask for, besides their pauses.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Operator {
    /// How many syncs they force, as a share of the changes.
    pub forced: f64,
    /// The rate of these whose record somebody changed or removed at the vendor by hand.
    pub meddled: f64,
    /// The rate of these that are asked for again later, by the same id: a command that was stopped goes on.
    pub repeated: f64,
}

//! One run, and what it must keep.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use fastrand::Rng;
use jiff::Timestamp;
use serde_json::Value;

use super::Handler;
use super::mapping::Shard;
use super::profile::Profile;
use super::record::{Kind, Record, number};
use super::world::{StreamWorld, sequence_of};

/// More invocations than this: it never ends.
const ENDLESS: usize = 100_000;

/// What must hold of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StreamRule {
    /// Every record is on the bus, in the failure queue, or told to the on-failure destination.
    NothingLost,
    /// The first publications of a key's changes are in their order.
    InOrder,
    /// The last event of a key is its newest change, unless that was set aside.
    LastWord,
    /// The answer names records of the batch.
    Answer,
    /// A record that cannot be published costs the others a bounded number of invocations.
    NoBlocking,
    /// What nobody asked to be told is not told.
    Nothing,
}

/// A rule that was broken, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub rule: StreamRule,
    /// How.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.rule, self.what)
    }
}

/// What came of a run.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The seed.
    pub seed: u64,
    /// The first rule that was broken.
    pub violation: Option<Violation>,
    /// How many invocations there were.
    pub invocations: usize,
    /// How many events were published, and how many of them again.
    pub published: usize,
    /// Events that were on the bus before.
    pub repeated: usize,
    /// Records in the failure queue.
    pub kept: usize,
    /// Records told to the on-failure destination.
    pub discarded: usize,
    /// Invocations that the process did not survive, or that gave something back.
    pub again: usize,
}

/// Plays a seed with the handler that `make` builds in its world.
pub fn run(seed: u64, make: &dyn Fn(Arc<StreamWorld>) -> Box<dyn Handler>) -> Outcome {
    let mut rng = Rng::with_seed(seed);
    let profile = Profile::of(&mut rng);
    let shards = profile.shards(&mut rng);
    let all: Vec<Record> = shards.iter().flatten().cloned().collect();
    let kinds = all.iter().map(|record| (record.number, record.kind)).collect();
    let now = Timestamp::from_second(1_769_697_400).unwrap_or(Timestamp::UNIX_EPOCH);
    let world = Arc::new(StreamWorld::new(now).with_dice(rng.fork(), &profile, kinds));
    let handler = make(Arc::clone(&world));
    let batches: usize = shards
        .iter()
        .map(|shard| shard.len().div_ceil(profile.mapping.batch_size))
        .sum();

    let mut shards: Vec<_> = shards.into_iter().map(Shard::new).collect();
    let mut violation = None;
    let mut invocations = 0;
    while violation.is_none() {
        let open: Vec<_> = (0..shards.len()).filter(|at| !shards[*at].is_done()).collect();
        if open.is_empty() {
            break;
        }
        let at = open[rng.usize(..open.len())];
        invocations += 1;
        let step = shards[at].step(profile.mapping, &world, &*handler);
        violation = step.err().map(|what| broken(StreamRule::Answer, what));
        if invocations > ENDLESS {
            violation = Some(broken(
                StreamRule::NoBlocking,
                "the stream does not come to its end".to_owned(),
            ));
        }
    }
    let discarded: HashSet<u64> = shards.iter().flat_map(|shard| shard.discarded.clone()).collect();
    let judged = Judged::new(&world, &all, &discarded);
    Outcome {
        seed,
        violation: violation
            .or_else(|| judged.violation())
            .or_else(|| blocked(&profile, &all, batches, invocations)),
        invocations,
        published: judged.published.len(),
        repeated: judged.published.len() - judged.first_order().len(),
        kept: judged.kept.len(),
        discarded: discarded.len(),
        again: invocations - batches.min(invocations),
    }
}

fn broken(rule: StreamRule, what: String) -> Violation {
    Violation { rule, what }
}

/// In calm weather only records that kill the function cost more than one invocation for each batch: the way to them by
/// halves, and their retries.
fn blocked(profile: &Profile, all: &[Record], batches: usize, invocations: usize) -> Option<Violation> {
    if !profile.is_calm() {
        return None;
    }
    let killers = all.iter().filter(|record| record.kind == Kind::Killer).count();
    let halvings = profile.mapping.batch_size.next_power_of_two().ilog2() as usize;
    let each = 2 * halvings + profile.mapping.max_retries as usize + 1;
    let most = batches + killers * each;
    (invocations > most).then(|| {
        broken(
            StreamRule::NoBlocking,
            format!("expected {most} invocations at most, found {invocations}"),
        )
    })
}

/// What stands where in the end.
struct Judged<'a> {
    all: &'a [Record],
    discarded: &'a HashSet<u64>,
    published: Vec<u64>,
    kept: HashSet<u64>,
}

impl<'a> Judged<'a> {
    fn new(world: &StreamWorld, all: &'a [Record], discarded: &'a HashSet<u64>) -> Self {
        let told = |sequence: Option<&str>| sequence.and_then(number);
        let published = world.published();
        let kept = world.kept();
        Self {
            all,
            discarded,
            published: published
                .iter()
                .filter_map(|event| told(sequence_of(event).as_deref()))
                .collect(),
            kept: kept
                .iter()
                .filter_map(|body| {
                    told(
                        body.pointer("/record/dynamodb/SequenceNumber")
                            .and_then(Value::as_str),
                    )
                })
                .collect(),
        }
    }

    fn violation(&self) -> Option<Violation> {
        self.lost()
            .or_else(|| self.unordered())
            .or_else(|| self.last_word())
    }

    fn lost(&self) -> Option<Violation> {
        let published: HashSet<_> = self.published.iter().copied().collect();
        for Record { number, kind, .. } in self.all {
            if *kind == Kind::Expired {
                if published.contains(number) || self.kept.contains(number) {
                    return Some(broken(StreamRule::Nothing, format!("record {number} was told")));
                }
                continue;
            }
            if !published.contains(number) && !self.kept.contains(number) && !self.discarded.contains(number)
            {
                let what = format!("record {number} ({kind:?}) is nowhere");
                return Some(broken(StreamRule::NothingLost, what));
            }
        }
        None
    }

    /// The publications without those of what was on the bus before.
    fn first_order(&self) -> Vec<u64> {
        let mut seen = HashSet::new();
        self.published
            .iter()
            .copied()
            .filter(|number| seen.insert(*number))
            .collect()
    }

    fn unordered(&self) -> Option<Violation> {
        let keys = self.keys();
        let mut newest: HashMap<usize, u64> = HashMap::new();
        for number in self.first_order() {
            let newest = newest
                .entry(keys.get(&number).copied().unwrap_or(usize::MAX))
                .or_default();
            if number < *newest {
                let what = format!("record {number} came first when {newest} of its key was there");
                return Some(broken(StreamRule::InOrder, what));
            }
            *newest = number;
        }
        None
    }

    fn last_word(&self) -> Option<Violation> {
        let keys = self.keys();
        let mut last: HashMap<usize, u64> = HashMap::new();
        for number in &self.published {
            last.insert(keys.get(number).copied().unwrap_or(usize::MAX), *number);
        }
        for (number, key) in &keys {
            let is_set_aside = self.kept.contains(number) || self.discarded.contains(number);
            let is_told = self.published.contains(number);
            if let Some(last) = last.get(key).filter(|last| **last < *number)
                && is_told
                && !is_set_aside
            {
                let what = format!("the last word is record {last}, not {number}");
                return Some(broken(StreamRule::LastWord, what));
            }
        }
        None
    }

    fn keys(&self) -> HashMap<u64, usize> {
        self.all
            .iter()
            .map(|record| (record.number, record.key))
            .collect()
    }
}

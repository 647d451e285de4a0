//! Many seeds, on as many threads as there are processors, one world per thread.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use vendorbridge::sabotage::Sabotage;

use super::run::{Options, Outcome, run};
use super::stats::Stats;

/// The faults that can be put into the engine.
pub const SABOTAGES: [Sabotage; 15] = [
    Sabotage::AckBeforeSettle,
    Sabotage::HashShortcutOnRedelivery,
    Sabotage::NoReservation,
    Sabotage::ForgetEffects,
    Sabotage::CoveredWithoutMargin,
    Sabotage::SettleWithoutCondition,
    Sabotage::CoalesceAwayNewest,
    Sabotage::WakeTwice,
    Sabotage::RetryPermanent,
    Sabotage::UnknownAsFailed,
    Sabotage::EmptyItemIdentifier,
    Sabotage::BlockGroupOnPark,
    Sabotage::LoseProbe,
    Sabotage::CarriedInAnyOrder,
    Sabotage::ForceLikeAnyOther,
];

/// What came of many runs.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Summary {
    /// How many seeds were run.
    pub seeds: u64,
    /// How many of each weather.
    pub weathers: BTreeMap<String, u64>,
    /// Counters.
    pub stats: Stats,
    /// Virtual seconds in all.
    pub virtual_seconds: u64,
    /// The runs in which a rule was broken, by seed.
    pub broken: Vec<Outcome>,
}

/// Runs seeds until all are run, or `most` have broken a rule. `progress` is told after each how many are done.
pub fn search(seeds: Range<u64>, options: Options, most: usize, progress: impl Fn(u64) + Sync) -> Summary {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicU64::new(seeds.start);
    let done = AtomicU64::new(0);
    let enough = AtomicBool::new(false);
    let total = Mutex::new(Summary::default());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut mine = Summary::default();
                while !enough.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        break;
                    }
                    mine.add(run(seed, options));
                    if mine.broken.len() >= most {
                        enough.store(true, Ordering::Relaxed);
                    }
                    progress(done.fetch_add(1, Ordering::Relaxed) + 1);
                }
                total.lock().unwrap_or_else(PoisonError::into_inner).merge(mine);
            });
        }
    });
    let mut total = total.into_inner().unwrap_or_else(PoisonError::into_inner);
    total.broken.sort_by_key(|outcome| outcome.seed);
    total
}

impl Summary {
    fn add(&mut self, outcome: Outcome) {
        self.seeds += 1;
        self.virtual_seconds += outcome.lasted / 1_000_000;
        self.stats.merge(&outcome.stats);
        *self
            .weathers
            .entry(format!("{:?}", outcome.profile.weather))
            .or_default() += 1;
        if outcome.violation.is_some() {
            self.broken.push(outcome);
        }
    }

    fn merge(&mut self, other: Self) {
        self.seeds += other.seeds;
        self.virtual_seconds += other.virtual_seconds;
        self.stats.merge(&other.stats);
        for (weather, many) in other.weathers {
            *self.weathers.entry(weather).or_default() += many;
        }
        self.broken.extend(other.broken);
    }
}

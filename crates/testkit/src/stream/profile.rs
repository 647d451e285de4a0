//! What kind of run a seed stands for.

use fastrand::Rng;

use super::mapping::Mapping;
use super::record::{Kind, Record};

/// The dice of a run.
#[derive(Debug, Clone)]
pub struct Profile {
    /// How the mapping is set.
    pub mapping: Mapping,
    /// How many requests meet faults before it is calm.
    pub stormy: u64,
    /// The share of requests with a fault while it is not.
    pub fault: f64,
    /// The share of entries refused for now.
    pub refusal: f64,
    shards: usize,
    records: usize,
    keys: usize,
    special: f64,
    specials: Vec<Kind>,
}

impl Profile {
    /// The profile of a seed.
    #[must_use]
    pub fn of(rng: &mut Rng) -> Self {
        let is_calm = rng.u8(..4) == 0;
        let mut specials = vec![Kind::Expired];
        for kind in [Kind::Unreadable, Kind::Refused, Kind::RequestRefused] {
            if rng.bool() {
                specials.push(kind);
            }
        }
        if rng.u8(..4) == 0 {
            specials.push(Kind::Killer);
        }
        Self {
            mapping: Mapping {
                batch_size: *pick(rng, &[1, 3, 10, 25, 100]),
                // The template's, and so few that they are used up.
                max_retries: *pick(rng, &[1, 3, 100]),
            },
            stormy: if is_calm { 0 } else { rng.u64(5..120) },
            fault: rng.f64() * 0.5,
            refusal: rng.f64() * 0.4,
            shards: rng.usize(1..=3),
            records: rng.usize(1..=80),
            keys: rng.usize(1..=12),
            special: if rng.bool() { 0.0 } else { rng.f64() * 0.2 },
            specials,
        }
    }

    /// Whether nothing but the records themselves can fail.
    #[must_use]
    pub fn is_calm(&self) -> bool {
        self.stormy == 0
    }

    /// The records of each shard. A key belongs to one shard.
    pub(super) fn shards(&self, rng: &mut Rng) -> Vec<Vec<Record>> {
        let mut shards = vec![Vec::new(); self.shards];
        for number in 1..=self.records as u64 {
            let key = rng.usize(..self.keys);
            let is_special = rng.f64() < self.special;
            let kind = if is_special {
                *pick(rng, &self.specials)
            } else {
                Kind::Plain
            };
            shards[key % self.shards].push(Record { number, key, kind });
        }
        shards
    }
}

fn pick<'a, T>(rng: &mut Rng, choices: &'a [T]) -> &'a T {
    &choices[rng.usize(..choices.len())]
}

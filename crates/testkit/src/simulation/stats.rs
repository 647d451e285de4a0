//! Counters of a run, and of many.

use std::collections::BTreeMap;

use serde::Serialize;

/// What was counted, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Stats(BTreeMap<&'static str, u64>);

impl Stats {
    /// One more.
    pub(crate) fn count(&mut self, what: &'static str) {
        self.add(what, 1);
    }

    /// Some more.
    pub(crate) fn add(&mut self, what: &'static str, many: usize) {
        if many > 0 {
            *self.0.entry(what).or_default() += many as u64;
        }
    }

    /// How many there were.
    #[must_use]
    pub fn get(&self, what: &str) -> u64 {
        self.0.get(what).copied().unwrap_or(0)
    }

    /// Adds those of another run.
    pub fn merge(&mut self, other: &Self) {
        for (what, many) in &other.0 {
            *self.0.entry(what).or_default() += many;
        }
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.0.iter().map(|(what, many)| (*what, *many))
    }
}

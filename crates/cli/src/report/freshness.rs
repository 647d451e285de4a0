//! Percentiles of very many durations in little memory.

use std::collections::BTreeMap;

/// Between a power of two and the next stand this many buckets: a percentile is at most 1/64 too high.
const PER_POWER: u64 = 64;

/// How many events took how long. At most a few thousand buckets, however many events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Freshness {
    buckets: BTreeMap<u64, u64>,
    count: u64,
}

impl Freshness {
    /// Counts one duration, in milliseconds.
    pub(super) fn add(&mut self, ms: u64) {
        *self.buckets.entry(upper(ms)).or_default() += 1;
        self.count += 1;
    }

    /// Adds what another counted.
    pub(super) fn merge(&mut self, other: Self) {
        for (upper, count) in other.buckets {
            *self.buckets.entry(upper).or_default() += count;
        }
        self.count += other.count;
    }

    /// The nearest-rank percentile in milliseconds; `None` if nothing was counted.
    pub(super) fn percentile(&self, percent: u64) -> Option<u64> {
        let rank = (u128::from(self.count) * u128::from(percent))
            .div_ceil(100)
            .max(1);
        let mut seen = 0;
        self.buckets.iter().find_map(|(upper, count)| {
            seen += u128::from(*count);
            (seen >= rank).then_some(*upper)
        })
    }
}

/// The largest duration of the bucket that this one falls into.
fn upper(ms: u64) -> u64 {
    if ms < PER_POWER {
        return ms;
    }
    let step = (1_u64 << ms.ilog2()) / PER_POWER;
    (ms / step * step).saturating_add(step - 1)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(50, 50_000)]
    #[case(99, 99_000)]
    #[case(100, 100_000)]
    fn a_percentile_is_hardly_too_high_and_never_too_low(#[case] percent: u64, #[case] exact: u64) {
        let (mut even, mut odd) = (Freshness::default(), Freshness::default());
        for ms in 1..=100_000 {
            if ms % 2 == 0 { even.add(ms) } else { odd.add(ms) }
        }
        even.merge(odd);
        let found = even.percentile(percent).unwrap();
        assert!((exact..=exact + exact / 64).contains(&found), "{found}");
        assert!(even.buckets.len() < 800, "{}", even.buckets.len());
    }

    #[test]
    fn few_are_exact_and_none_has_no_percentile() {
        let mut few = Freshness::default();
        assert_eq!(few.percentile(50), None);
        for ms in [0, 7, 63] {
            few.add(ms);
        }
        assert_eq!(
            [50, 99].map(|percent| few.percentile(percent)),
            [Some(7), Some(63)]
        );
        few.add(u64::MAX);
        assert_eq!(few.percentile(100), Some(u64::MAX));
    }
}

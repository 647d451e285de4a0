//! What a vendor did over time, in steps of five minutes: pure numbers for small charts.

use jiff::Timestamp;
use serde::Serialize;
use vendorbridge::ledger::Status;

/// The length of a step.
const STEP: i64 = 5 * 60_000;
/// Six hours.
const STEPS: usize = 72;
/// What the figures of "the last hour" are made of.
const HOUR: i64 = 60 * 60_000;

/// What an event record tells of time: milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) sent: i64,
    pub(super) settled: i64,
    pub(super) status: Status,
}

/// The last hour in numbers, and six hours in steps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Series {
    /// Events of the last hour that brought the vendor up to date.
    reached: usize,
    /// From event to vendor, in milliseconds: half of the last hour's were faster. Null without any.
    p50_ms: Option<i64>,
    /// All but one in a hundred were faster.
    p99_ms: Option<i64>,
    /// When the first step begins.
    since: Timestamp,
    step_seconds: i64,
    steps: Vec<Step>,
}

/// What was settled in one step.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(super) struct Step {
    /// Brought the vendor up to date.
    reached: u32,
    /// Had no work of their own: covered, coalesced, excluded.
    spared: u32,
    parked: u32,
    /// Rejected or dead.
    failed: u32,
    /// Sent, and not settled when the step ended.
    under_way: u32,
    p50_ms: Option<i64>,
    p99_ms: Option<i64>,
}

impl Moment {
    /// From event to vendor, if it got there. Clocks differ: it is never less than nothing.
    fn freshness(self) -> Option<i64> {
        matches!(self.status, Status::Synced | Status::Deleted | Status::Unchanged)
            .then(|| (self.settled - self.sent).max(0))
    }
}

impl Series {
    pub(super) fn of(moments: impl Iterator<Item = Moment> + Clone, now: Timestamp) -> Self {
        let now = now.as_millisecond();
        // Steps begin at whole multiples: a chart does not shiver as time passes.
        let since = (now.div_euclid(STEP) + 1) * STEP - i64::try_from(STEPS).unwrap_or(0) * STEP;
        let mut steps = vec![Step::default(); STEPS];
        let mut times = vec![Vec::new(); STEPS];
        for moment in moments.clone() {
            let Some(at) = step_of(moment.settled, since) else {
                continue;
            };
            match moment.status {
                Status::Synced | Status::Deleted | Status::Unchanged => steps[at].reached += 1,
                Status::Covered | Status::Coalesced | Status::Excluded => steps[at].spared += 1,
                Status::Parked => steps[at].parked += 1,
                Status::Rejected | Status::Dead => steps[at].failed += 1,
            }
            times[at].extend(moment.freshness());
            // Every step that ended in between saw it under way.
            let first = step_of(moment.sent.max(since), since).unwrap_or(at);
            for step in steps.iter_mut().take(at).skip(first) {
                step.under_way += 1;
            }
        }
        for (step, times) in steps.iter_mut().zip(&mut times) {
            (step.p50_ms, step.p99_ms) = percentiles(times);
        }
        let recent = moments.filter(|moment| moment.settled > now - HOUR);
        let mut recent: Vec<_> = recent.filter_map(Moment::freshness).collect();
        let (p50_ms, p99_ms) = percentiles(&mut recent);
        Self {
            reached: recent.len(),
            p50_ms,
            p99_ms,
            since: Timestamp::from_millisecond(since).unwrap_or(Timestamp::UNIX_EPOCH),
            step_seconds: STEP / 1000,
            steps,
        }
    }
}

fn step_of(time: i64, since: i64) -> Option<usize> {
    let step = usize::try_from((time - since).div_euclid(STEP)).ok()?;
    (step < STEPS).then_some(step)
}

/// The nearest ranks.
fn percentiles(times: &mut [i64]) -> (Option<i64>, Option<i64>) {
    times.sort_unstable();
    let rank = |percent: usize| {
        let rank = (times.len() * percent).div_ceil(100).max(1);
        times.get(rank - 1).copied()
    };
    (rank(50), rank(99))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const NOW: &str = "2026-01-29T14:36:26Z";

    fn at(time: &str) -> i64 {
        time.parse::<Timestamp>().unwrap().as_millisecond()
    }

    fn series(moments: &[(&str, &str, Status)]) -> Series {
        let moments: Vec<_> = moments
            .iter()
            .map(|(sent, settled, status)| Moment {
                sent: at(sent),
                settled: at(settled),
                status: *status,
            })
            .collect();
        Series::of(moments.iter().copied(), NOW.parse().unwrap())
    }

    #[test]
    fn the_last_step_holds_the_present() {
        let series = series(&[("2026-01-29T14:36:00Z", "2026-01-29T14:36:26Z", Status::Synced)]);
        assert_eq!(series.steps.len(), STEPS);
        assert_eq!(series.since.to_string(), "2026-01-29T08:40:00Z");
        assert_eq!(series.steps[STEPS - 1].reached, 1);
        assert_eq!(
            (series.reached, series.p50_ms, series.p99_ms),
            (1, Some(26_000), Some(26_000))
        );
    }

    #[test]
    fn what_is_not_settled_at_the_end_of_a_step_is_under_way() {
        let series = series(&[("2026-01-29T14:24:00Z", "2026-01-29T14:36:00Z", Status::Parked)]);
        let under_way: Vec<_> = series.steps[STEPS - 4..]
            .iter()
            .map(|step| step.under_way)
            .collect();
        assert_eq!(under_way, [1, 1, 1, 0]);
        assert_eq!(series.steps[STEPS - 1].parked, 1);
        assert_eq!(series.p50_ms, None, "it is not there yet");
    }

    #[rstest]
    #[case(1, Some(1), Some(1))]
    #[case(2, Some(1), Some(2))]
    #[case(100, Some(50), Some(99))]
    #[case(0, None, None)]
    fn percentiles_are_nearest_ranks(#[case] count: i64, #[case] p50: Option<i64>, #[case] p99: Option<i64>) {
        let mut times: Vec<_> = (1..=count).rev().collect();
        assert_eq!(percentiles(&mut times), (p50, p99));
    }

    #[test]
    fn times_outside_are_left_out() {
        let series = series(&[
            ("2026-01-29T02:00:00Z", "2026-01-29T02:00:01Z", Status::Synced),
            ("2026-01-29T14:36:30Z", "2026-01-29T15:00:01Z", Status::Synced),
        ]);
        assert!(series.steps.iter().all(|step| *step == Step::default()));
    }
}

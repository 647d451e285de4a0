//! When a failed entity is tried again: pure arithmetic over the clock and a random number.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::{Error, ErrorKind, Verdict};

/// How long a failed entity waits, and for how long at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The shortest wait.
    pub base: Duration,
    /// The longest wait that we choose; a vendor's Retry-After may be longer.
    pub cap: Duration,
    /// After this long without success the entity is dead.
    pub horizon: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            base: Duration::from_secs(15),
            cap: Duration::from_hours(1),
            horizon: Duration::from_hours(72),
        }
    }
}

impl Backoff {
    /// When to try again after the `attempt`-th failure (from 1); `None` once the horizon is reached.
    ///
    /// A Retry-After is honoured in full as long as it ends before the horizon, with up to `base` on top so that a crowd does not return at once. Otherwise
    /// the wait is spread evenly between `base` and `base × 2^attempt`, at most `cap`. `random` is uniform in `0..1`.
    #[must_use]
    pub fn wake_at(
        &self,
        verdict: Verdict,
        attempt: u32,
        since: Timestamp,
        now: Timestamp,
        random: f64,
    ) -> Option<Timestamp> {
        let waited = now.duration_since(since);
        if waited >= signed(self.horizon) {
            return None;
        }
        let wait = if let Verdict::Retry { after: Some(after) } = verdict {
            let left = Duration::try_from(signed(self.horizon).saturating_sub(waited)).unwrap_or_default();
            after.min(left).saturating_add(self.base.mul_f64(random))
        } else {
            let factor = 2_u32.saturating_pow(attempt.max(1));
            let upper = self.base.saturating_mul(factor).min(self.cap).max(self.base);
            self.base + upper.saturating_sub(self.base).mul_f64(random)
        };
        Some(now.saturating_add(signed(wait)).unwrap_or(Timestamp::MAX))
    }
}

/// A longer Retry-After is no quick retry.
pub(crate) const MAX_QUICK: Duration = Duration::from_secs(2);
/// Tries on top of the first.
const QUICK_RETRIES: u32 = 2;
/// The longest wait before the first quick retry; it doubles.
const QUICK_PAUSE: Duration = Duration::from_millis(200);

/// How long to wait before trying again at once, where that is nearly free ([`Error::is_brief`]); `None` otherwise.
/// `tries`: quick retries so far. `random` is uniform in `0..1`.
#[must_use]
pub fn quick_retry(error: &Error, tries: u32, random: f64) -> Option<Duration> {
    if !error.is_brief() || tries >= QUICK_RETRIES {
        return None;
    }
    if error.verdict() == Verdict::Permanent {
        return None;
    }
    match error.retry_after() {
        Some(after) => (after <= MAX_QUICK).then_some(after),
        None => Some(QUICK_PAUSE.saturating_mul(1 << tries).mul_f64(random)),
    }
}

/// A longer Retry-After is the business of whoever asked for a page.
const MAX_PAGE_PAUSE: Duration = Duration::from_secs(5);
/// Tries on top of the first.
const PAGE_RETRIES: u32 = 3;
/// The longest wait before the first of them; it doubles.
const PAGE_PAUSE: Duration = Duration::from_millis(500);

/// How long to wait before asking for a page again that somebody waits for; `None` where that would not help, or not soon.
/// `tries`: repeats so far. `random` is uniform in `0..1`.
#[must_use]
pub(crate) fn page_retry(error: &Error, tries: u32, random: f64) -> Option<Duration> {
    let may_pass = matches!(
        error.kind(),
        ErrorKind::RateLimited | ErrorKind::Unavailable | ErrorKind::Timeout
    );
    if !may_pass || tries >= PAGE_RETRIES || error.verdict() == Verdict::Permanent {
        return None;
    }
    match error.retry_after() {
        Some(after) => (after <= MAX_PAGE_PAUSE).then_some(after),
        // Never at once: what was too much a moment ago still is.
        None => Some(PAGE_PAUSE.saturating_mul(1 << tries).mul_f64(0.5 + random / 2.0)),
    }
}

/// Reads a Retry-After header: seconds, or an HTTP date in any of its three forms (RFC 9110, sections 5.6.7 and 10.2.3).
/// `None` if it is neither.
#[must_use]
pub fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More than fit are a long wait all the same.
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let date = Timestamp::try_from(httpdate::parse_http_date(value).ok()?).ok()?;
    // A date in the past means: now.
    Some(date.duration_since(now).try_into().unwrap_or(Duration::ZERO))
}

fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}

#[cfg(test)]
mod tests {
    mod properties;

    use rstest::rstest;

    use super::*;
    use crate::Stage;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + second).unwrap()
    }

    const LATER: Verdict = Verdict::Retry { after: None };

    #[rstest]
    #[case(1, 0.0, 15)]
    #[case(1, 1.0, 30)]
    #[case(2, 1.0, 60)]
    #[case(30, 1.0, 3600)]
    #[case(u32::MAX, 0.0, 15)]
    fn waits(#[case] attempt: u32, #[case] random: f64, #[case] seconds: i64) {
        assert_eq!(
            Backoff::default().wake_at(LATER, attempt, at(0), at(0), random),
            Some(at(seconds))
        );
    }

    #[test]
    fn a_retry_after_is_honoured_in_full() {
        let verdict = Verdict::Retry {
            after: Some(Duration::from_hours(2)),
        };
        assert_eq!(
            Backoff::default().wake_at(verdict, 1, at(0), at(0), 0.0),
            Some(at(7200))
        );
    }

    #[test]
    fn no_retry_after_reaches_past_the_horizon() {
        let verdict = Verdict::Retry {
            after: Some(Duration::MAX),
        };
        assert_eq!(
            Backoff::default().wake_at(verdict, 1, at(0), at(3600), 0.0),
            Some(at(72 * 3600))
        );
    }

    #[test]
    fn the_horizon_ends_it() {
        let end = 72 * 3600;
        assert!(
            Backoff::default()
                .wake_at(LATER, 9, at(0), at(end - 1), 0.5)
                .is_some()
        );
        assert_eq!(Backoff::default().wake_at(LATER, 9, at(0), at(end), 0.5), None);
    }

    #[rstest]
    #[case::at_first(ErrorKind::RateLimited, None, 0, Some(500))]
    #[case::longer_each_time(ErrorKind::Timeout, None, 2, Some(2000))]
    #[case::no_more_than_three(ErrorKind::Unavailable, None, 3, None)]
    #[case::as_long_as_told(ErrorKind::RateLimited, Some(5), 0, Some(5000))]
    #[case::not_as_long_as_that(ErrorKind::RateLimited, Some(6), 0, None)]
    #[case::what_does_not_pass(ErrorKind::Deauthorized, None, 0, None)]
    fn a_page_is_asked_for_again(
        #[case] kind: ErrorKind,
        #[case] after: Option<u64>,
        #[case] tries: u32,
        #[case] expected: Option<u64>,
    ) {
        let after = after.map(Duration::from_secs);
        let error = Error::new(kind, Verdict::Retry { after }, Stage::Source, "not now");
        assert_eq!(
            page_retry(&error, tries, 1.0),
            expected.map(Duration::from_millis)
        );
    }

    #[rstest]
    #[case("120", Some(120))]
    #[case(" 0 ", Some(0))]
    #[case("Thu, 29 Jan 2026 14:36:56 GMT", Some(30))]
    #[case("Thu, 29 Jan 2026 14:30:00 GMT", Some(0))]
    #[case("soon", None)]
    #[case("-5", None)]
    fn reads_retry_after(#[case] value: &str, #[case] seconds: Option<u64>) {
        let now = "2026-01-29T14:36:26Z".parse().unwrap();
        assert_eq!(retry_after(value, now), seconds.map(Duration::from_secs));
    }
}

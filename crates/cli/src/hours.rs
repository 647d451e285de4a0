//! The hours of a time span: event records are kept by vendor and hour, so a report asks for each of them.

use jiff::{SignedDuration, Timestamp};
use vendorbridge::ledger::hour;

/// The longest span that is looked at: event records expire after 90 days, unless the template says otherwise.
const MAX_DAYS: i64 = 400;
/// Queries side by side.
pub(crate) const AT_ONCE: usize = 24;

/// A time span: `since` belongs to it, `until` does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Its start.
    pub since: Timestamp,
    /// Its end.
    pub until: Timestamp,
}

impl Span {
    /// The span between two times; in the wrong order or over 400 days long there is none.
    ///
    /// # Errors
    /// What was expected, and what was found.
    pub fn new(since: Timestamp, until: Timestamp) -> Result<Self, String> {
        let long = until.duration_since(since);
        if long <= SignedDuration::ZERO {
            return Err(format!(
                "expected --since to be before --until, found {since} and {until}"
            ));
        }
        if long > SignedDuration::from_hours(24 * MAX_DAYS) {
            return Err(format!(
                "expected at most {MAX_DAYS} days, found {} days",
                long.as_hours() / 24
            ));
        }
        Ok(Self { since, until })
    }

    /// The hours that have a part in it, oldest first.
    #[must_use]
    pub fn hours(&self) -> Vec<String> {
        let last = hour(
            self.until
                .saturating_sub(SignedDuration::from_nanos(1))
                .unwrap_or(self.until),
        );
        let mut hours = Vec::new();
        let mut time = self.since;
        loop {
            let this = hour(time);
            if this > last {
                return hours;
            }
            hours.push(this);
            time = match time.checked_add(SignedDuration::from_hours(1)) {
                Ok(time) => time,
                Err(_) => return hours,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn span(since: &str, until: &str) -> Result<Span, String> {
        Span::new(since.parse().unwrap(), until.parse().unwrap())
    }

    #[rstest]
    #[case("2026-01-29T14:10:00Z", "2026-01-29T14:20:00Z", 1)]
    #[case("2026-01-29T14:50:00Z", "2026-01-29T15:10:00Z", 2)]
    #[case("2026-01-29T14:00:00Z", "2026-01-29T15:00:00Z", 1)]
    #[case("2026-01-29T14:50:00Z", "2026-01-29T16:10:00Z", 3)]
    #[case("2026-01-01T00:00:00Z", "2026-04-01T00:00:00Z", 2160)]
    fn every_hour_once(#[case] since: &str, #[case] until: &str, #[case] count: usize) {
        let hours = span(since, until).unwrap().hours();
        assert_eq!(hours.len(), count);
        assert!(hours.is_sorted() && hours[0] == since[..13]);
    }

    #[rstest]
    #[case("2026-01-29T14:00:00Z", "2026-01-29T14:00:00Z", "before --until")]
    #[case("2024-01-29T14:00:00Z", "2026-01-29T14:00:00Z", "at most 400 days")]
    fn what_is_no_span(#[case] since: &str, #[case] until: &str, #[case] expected: &str) {
        let error = span(since, until).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
}

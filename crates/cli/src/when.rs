//! Times on the command line: `2026-12-01T04:00:00Z`, or a duration such as `90d`, `24h`, `1h 30m`.

use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};
use vendorbridge::clock::{Clock, SystemClock};

/// A time to come, or a duration from now.
///
/// # Errors
/// What was expected, for clap.
pub fn ahead(text: &str) -> Result<Timestamp, String> {
    let now = SystemClock.now();
    let time = match text.parse::<Timestamp>() {
        Ok(time) => time,
        Err(_) => span(text)
            .and_then(|duration| now.checked_add(duration).ok())
            .ok_or("expected a time with its zone such as 2026-12-01T04:00:00Z, or a duration such as 8h")?,
    };
    if time > now {
        Ok(time)
    } else {
        Err("expected a time to come, found one that is over".to_owned())
    }
}

/// A time that is over, or a duration before now.
///
/// # Errors
/// What was expected, for clap.
pub fn ago(text: &str) -> Result<Timestamp, String> {
    let now = SystemClock.now();
    let time = match text.parse::<Timestamp>() {
        Ok(time) => time,
        Err(_) => span(text)
            .and_then(|duration| now.checked_sub(duration).ok())
            .ok_or("expected a time with its zone such as 2026-12-01T04:00:00Z, or a duration such as 24h or 90d")?,
    };
    if time <= now {
        Ok(time)
    } else {
        Err("expected a time that is over, found one to come".to_owned())
    }
}

/// A duration above zero.
///
/// # Errors
/// What was expected, for clap.
pub fn duration(text: &str) -> Result<SignedDuration, String> {
    let expected = || "expected a duration such as 30s, 5m, 24h or 90d".to_owned();
    span(text)
        .filter(SignedDuration::is_positive)
        .ok_or_else(expected)
}

/// A day has 24 hours here: times are UTC. Months and years have no fixed length and are refused.
fn span(text: &str) -> Option<SignedDuration> {
    let span: Span = text.trim().parse().ok()?;
    if span.get_months() != 0 || span.get_years() != 0 {
        return None;
    }
    span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("30s", 30)]
    #[case("1h 30m", 5_400)]
    #[case("24h", 86_400)]
    #[case("90d", 7_776_000)]
    #[case("1w 1d", 691_200)]
    #[case("PT5M", 300)]
    fn durations(#[case] text: &str, #[case] seconds: i64) {
        assert_eq!(duration(text), Ok(SignedDuration::from_secs(seconds)));
        let ago = SystemClock.now().duration_since(ago(text).unwrap()).as_secs();
        assert!((seconds..seconds + 5).contains(&ago), "{ago}");
    }

    #[rstest]
    fn what_is_no_duration(#[values("", "90", "0s", "-1h", "1 month", "2y", "soon")] text: &str) {
        assert!(duration(text).unwrap_err().contains("such as"));
    }

    #[rstest]
    #[case("2126-12-01T04:00:00Z", "to come")]
    #[case("-1h", "to come")]
    #[case("16:00", "with its zone")]
    #[case("2026-12-01", "with its zone")]
    fn what_is_not_over(#[case] text: &str, #[case] expected: &str) {
        let error = ago(text).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
}

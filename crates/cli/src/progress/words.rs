//! Position, rate and time left, in words. Pure.

use std::time::Duration;

use crate::output;

/// `120 of 480, 24.0 a second, 15 s left`; of what is not known nothing is said. Time left is what the rest takes at this rate.
pub(super) fn words(done: u64, total: Option<u64>, per_second: f64) -> String {
    let rate = if per_second.is_finite() {
        per_second.max(0.0)
    } else {
        0.0
    };
    match total {
        Some(total) => {
            let left = left(total.saturating_sub(done), rate);
            let left = left.map_or_else(String::new, |left| format!(", {left} left"));
            format!("{done} of {total}, {rate:.1} a second{left}")
        }
        None => format!("{done}, {rate:.1} a second"),
    }
}

/// How long so many take, in whole seconds; `None` if nothing moves.
fn left(pieces: u64, per_second: f64) -> Option<String> {
    if pieces == 0 {
        return Some("0 s".to_owned());
    }
    #[expect(clippy::cast_precision_loss, reason = "it is a guess in any case")]
    let seconds = (pieces as f64 / per_second).ceil();
    // Nothing moves where the rate is zero, or so slow that no time can be told.
    let left = Duration::try_from_secs_f64(seconds).ok()?;
    Some(match left.as_secs() {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds => output::duration(seconds.checked_mul(1_000)?),
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::begun(0, Some(480), 0.0, "0 of 480, 0.0 a second")]
    #[case::under_way(120, Some(480), 24.0, "120 of 480, 24.0 a second, 15 s left")]
    #[case::rounded_up(120, Some(480), 23.9, "120 of 480, 23.9 a second, 16 s left")]
    #[case::nearly_done(479, Some(480), 24.0, "479 of 480, 24.0 a second, 1 s left")]
    #[case::done(480, Some(480), 24.0, "480 of 480, 24.0 a second, 0 s left")]
    #[case::done_at_once(480, Some(480), 0.0, "480 of 480, 0.0 a second, 0 s left")]
    #[case::minutes(0, Some(4_000), 20.0, "0 of 4000, 20.0 a second, 3m 20s left")]
    #[case::hours(0, Some(150_000), 20.0, "0 of 150000, 20.0 a second, 2h 5m left")]
    #[case::days(0, Some(3_000_000), 10.0, "0 of 3000000, 10.0 a second, 3d 11h left")]
    #[case::stands_still(120, Some(480), 0.0, "120 of 480, 0.0 a second")]
    #[case::nearly_so(120, Some(u64::MAX), 1e-9, "120 of 18446744073709551615, 0.0 a second")]
    #[case::no_rate(120, Some(480), f64::NAN, "120 of 480, 0.0 a second")]
    #[case::endless_rate(120, Some(480), f64::INFINITY, "120 of 480, 0.0 a second")]
    #[case::below_zero(120, Some(480), -1.0, "120 of 480, 0.0 a second")]
    #[case::passed(500, Some(480), 24.0, "500 of 480, 24.0 a second, 0 s left")]
    #[case::total_unknown(120, None, 24.0, "120, 24.0 a second")]
    #[case::nothing_known(0, None, f64::NAN, "0, 0.0 a second")]
    fn what_is_known_is_said(
        #[case] done: u64,
        #[case] total: Option<u64>,
        #[case] per_second: f64,
        #[case] expected: &str,
    ) {
        assert_eq!(words(done, total, per_second), expected);
    }
}

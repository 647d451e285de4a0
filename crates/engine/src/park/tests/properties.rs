//! What holds for any clock, any setting and any answer.

use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::{ErrorKind, Stage};

const LATER: Verdict = Verdict::Retry { after: None };
/// Long past any horizon that can be configured.
const YEAR: u64 = 365 * 24 * 3600;
/// From 1970 to the end of 9999: `httpdate` reads no earlier ones, and a server that sends one is no guide.
const DATES: std::ops::RangeInclusive<i64> = 0..=253_402_207_200;
/// A `f64` holds a wait of a year to a hundredth of a microsecond.
const ROUNDING: Duration = Duration::from_micros(1);

fn seconds(most: u64) -> impl Strategy<Value = Duration> {
    (0..=most, 0..1_000_u32).prop_map(|(seconds, millis)| Duration::new(seconds, millis * 1_000_000))
}

fn backoff() -> impl Strategy<Value = Backoff> {
    (seconds(3600), seconds(86_400), seconds(YEAR)).prop_map(|(base, cap, horizon)| Backoff {
        base,
        cap,
        horizon,
    })
}

fn verdict() -> impl Strategy<Value = Verdict> {
    prop_oneof![
        Just(LATER),
        Just(Verdict::Unknown),
        seconds(2 * YEAR).prop_map(|after| Verdict::Retry { after: Some(after) }),
    ]
}

/// When it first failed, and how long ago that was; below zero where the clocks of two functions differ.
fn since() -> impl Strategy<Value = (Timestamp, SignedDuration)> {
    (0..4_000_000_000_i64, -3600..31_536_000_i64).prop_map(|(second, waited)| {
        (
            Timestamp::from_second(second).unwrap(),
            SignedDuration::from_secs(waited),
        )
    })
}

fn wait(
    backoff: &Backoff,
    verdict: Verdict,
    attempt: u32,
    since: Timestamp,
    now: Timestamp,
    random: f64,
) -> Option<Duration> {
    let wake = backoff.wake_at(verdict, attempt, since, now, random)?;
    Some(Duration::try_from(wake.duration_since(now)).expect("a wake in the past"))
}

proptest! {
    #[test]
    fn the_wait_is_what_was_asked_for_or_stays_in_its_bounds(
        backoff in backoff(), verdict in verdict(), attempt in any::<u32>(), (since, waited) in since(), random in 0.0..1.0_f64,
    ) {
        let now = since + waited;
        let Some(wait) = wait(&backoff, verdict, attempt, since, now, random) else {
            prop_assert!(waited >= signed(backoff.horizon));
            return Ok(());
        };
        prop_assert!(waited < signed(backoff.horizon));
        let (least, most) = if let Verdict::Retry { after: Some(after) } = verdict {
            let left = Duration::try_from(signed(backoff.horizon) - waited).unwrap();
            let asked = after.min(left);
            (asked, asked + backoff.base)
        } else {
            let doubled = backoff.base.saturating_mul(2_u32.saturating_pow(attempt.max(1)));
            (backoff.base, doubled.min(backoff.cap).max(backoff.base))
        };
        prop_assert!(least <= wait && wait <= most + ROUNDING, "{:?} in {:?}..={:?}", wait, least, most);
    }

    #[test]
    fn a_later_attempt_never_waits_less(backoff in backoff(), attempt in 0..u32::MAX, random in 0.0..1.0_f64) {
        prop_assume!(backoff.horizon > Duration::ZERO);
        let now = Timestamp::UNIX_EPOCH;
        let at = |attempt| wait(&backoff, LATER, attempt, now, now, random).unwrap();
        prop_assert!(at(attempt) <= at(attempt + 1));
        prop_assert!(at(attempt + 1) <= at(u32::MAX));
    }

    /// All of the range is used: a crowd that failed together does not come back together.
    #[test]
    fn jitter_is_full(attempt in 1..12_u32) {
        let backoff = Backoff::default();
        let now = Timestamp::UNIX_EPOCH;
        let at = |random| wait(&backoff, LATER, attempt, now, now, random).unwrap();
        let upper = backoff.base.saturating_mul(2_u32.pow(attempt)).min(backoff.cap);
        prop_assert_eq!(at(0.0), backoff.base);
        prop_assert_eq!(at(0.5), (backoff.base + upper) / 2);
        prop_assert!(upper <= at(1.0_f64.next_down()) + ROUNDING);
    }

    #[test]
    fn no_clock_and_no_answer_panics(
        since in any_time(), now in any_time(), after in any::<Option<Duration>>(), attempt in any::<u32>(), random in 0.0..1.0_f64,
    ) {
        let backoff = Backoff::default();
        let wake = backoff.wake_at(Verdict::Retry { after }, attempt, since, now, random);
        prop_assert!(wake.is_none_or(|wake| wake >= now));
    }

    #[test]
    fn a_quick_retry_is_brief_and_rare(
        is_brief in any::<bool>(), verdict in prop_oneof![verdict(), Just(Verdict::Permanent), brief_after()],
        tries in any::<u32>(), random in 0.0..1.0_f64,
    ) {
        let error = Error::new(ErrorKind::Unavailable, verdict, Stage::Push, "down");
        let error = if is_brief { error.brief() } else { error };
        for tries in [0, 1, 2, 3, tries] {
            let pause = quick_retry(&error, tries, random);
            let allowed = is_brief && tries < 2 && verdict != Verdict::Permanent;
            if let Verdict::Retry { after: Some(after) } = verdict {
                prop_assert_eq!(pause, (allowed && after <= Duration::from_secs(2)).then_some(after));
            } else {
                prop_assert_eq!(pause.is_some(), allowed);
                prop_assert!(pause.is_none_or(|pause| pause <= Duration::from_millis(200 << tries)));
            }
        }
    }

    #[test]
    fn seconds_are_read_as_they_stand(seconds in any::<u64>(), before in " {0,2}", behind in "[ \t]{0,2}") {
        let text = format!("{before}{seconds}{behind}");
        prop_assert_eq!(retry_after(&text, Timestamp::UNIX_EPOCH), Some(Duration::from_secs(seconds)));
    }

    #[test]
    fn a_date_is_waited_for_and_a_past_one_is_now(date in DATES, now in any_time()) {
        let date = Timestamp::from_second(date).unwrap();
        let expected = Duration::try_from(date.duration_since(now)).unwrap_or_default();
        prop_assert_eq!(retry_after(&fixdate(date), now), Some(expected));
    }

    #[test]
    fn no_header_panics(text in prop_oneof![".{0,60}", "[A-Za-z0-9:,+ -]{0,40}"], now in any_time()) {
        let _ = retry_after(&text, now);
    }

    /// One character more or less, and it is another date or none: never a panic.
    #[test]
    fn no_spoiled_date_panics(date in DATES, at in 0..29_usize, instead in any::<char>(), now in any_time()) {
        let text = fixdate(Timestamp::from_second(date).unwrap());
        let _ = retry_after(&format!("{}{instead}{}", &text[..at], &text[at + 1..]), now);
        let _ = retry_after(&text[..at], now);
    }
}

fn any_time() -> impl Strategy<Value = Timestamp> {
    let ends = prop_oneof![
        Just(Timestamp::MIN),
        Just(Timestamp::MAX),
        Just(Timestamp::UNIX_EPOCH)
    ];
    let between =
        (-377_705_023_201..=253_402_207_200_i64).prop_map(|second| Timestamp::from_second(second).unwrap());
    prop_oneof![1 => ends, 4 => between]
}

fn brief_after() -> impl Strategy<Value = Verdict> {
    (0..4_000_u64).prop_map(|millis| Verdict::Retry {
        after: Some(Duration::from_millis(millis)),
    })
}

/// The preferred form of RFC 9110, section 5.6.7.
fn fixdate(date: Timestamp) -> String {
    date.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// RFC 9110, section 5.6.7: a recipient that reads dates must read all three forms.
#[rstest]
#[case::imf_fixdate("Sun, 06 Nov 1994 08:49:37 GMT")]
#[case::rfc_850("Sunday, 06-Nov-94 08:49:37 GMT")]
#[case::asctime("Sun Nov  6 08:49:37 1994")]
fn all_forms_of_a_date_are_read(#[case] date: &str) {
    let now = "1994-11-06T08:49:07Z".parse().unwrap();
    assert_eq!(retry_after(date, now), Some(Duration::from_secs(30)));
}

/// RFC 9110, section 10.2.3: digits and nothing else.
#[rstest]
#[case::signed("+5")]
#[case("5.0")]
#[case("5 5")]
#[case("٥")]
#[case("")]
fn what_is_no_number_of_seconds_is_no_wait(#[case] text: &str) {
    assert_eq!(retry_after(text, Timestamp::UNIX_EPOCH), None);
}

/// More seconds than a number holds ask for a long wait, not for none.
#[test]
fn more_seconds_than_fit_are_a_long_wait() {
    let wait = retry_after("99999999999999999999", Timestamp::UNIX_EPOCH);
    assert!(
        wait.is_some_and(|wait| wait >= Duration::from_hours(72)),
        "{wait:?}"
    );
}

/// No setting is so large that arithmetic on it ends the function.
#[test]
fn the_largest_settings_do_not_overflow() {
    let largest = Backoff {
        base: Duration::MAX,
        cap: Duration::MAX,
        horizon: Duration::MAX,
    };
    let (early, late) = (Timestamp::UNIX_EPOCH, Timestamp::from_second(60).unwrap());
    for (since, now) in [(early, late), (late, early), (early, early)] {
        for verdict in [
            LATER,
            Verdict::Retry {
                after: Some(Duration::MAX),
            },
        ] {
            let wake = largest.wake_at(verdict, u32::MAX, since, now, 1.0_f64.next_down());
            assert!(wake.is_some_and(|wake| wake >= now));
        }
    }
}

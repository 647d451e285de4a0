//! The circuit's transitions, one by one.

mod properties;

use rstest::rstest;

use super::*;
use crate::Verdict;

const POLICY: Policy = Policy {
    window: Duration::from_mins(1),
    min_calls: 10,
    share: 0.5,
    open: Duration::from_secs(30),
    max_open: Duration::from_mins(10),
    probes: 3,
    probe_lease: Duration::from_mins(2),
};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_000_000 + second).unwrap()
}

fn tally(calls: u32, failures: u32) -> Tally {
    Tally {
        calls,
        failures,
        kind: (failures > 0).then_some(ErrorKind::Timeout),
        alone: 0,
        deauthorized: None,
    }
}

fn refused() -> Tally {
    Tally {
        calls: 1,
        deauthorized: Some("the key was revoked".into()),
        ..Tally::default()
    }
}

/// A record with these calls in a window that began at 0.
fn closed(calls: u32, failures: u32) -> VendorRecord {
    let mut record = VendorRecord::new("names");
    record.window = Window {
        since: at(0),
        calls,
        failures,
    };
    record
}

/// Opened at 0 for the `times`-th time; probes from 30 on.
fn open(times: u32, probing_until: Option<i64>) -> VendorRecord {
    let mut record = closed(20, 12);
    record.circuit = Some(Circuit {
        since: at(0),
        retry_at: at(30),
        times,
        kind: ErrorKind::Timeout,
        reason: "12 of 20 calls failed within 60 s".into(),
        probing_until: probing_until.map(at),
    });
    record
}

fn circuit(record: &VendorRecord) -> &Circuit {
    record.circuit.as_ref().expect("an open circuit")
}

#[rstest]
#[case::asked_for_fewer(ErrorKind::RateLimited, Stage::Push, (1, false))]
#[case::away(ErrorKind::Unavailable, Stage::Push, (1, false))]
#[case::silent(ErrorKind::Timeout, Stage::Push, (1, false))]
#[case::refuses_the_credential(ErrorKind::Deauthorized, Stage::Push, (0, true))]
#[case::refuses_the_record(ErrorKind::Refused, Stage::Push, (0, false))]
#[case::too_large(ErrorKind::TooLarge, Stage::Push, (0, false))]
#[case::our_own_mapping(ErrorKind::Invalid, Stage::Map, (0, false))]
#[case::a_source_that_is_away(ErrorKind::Unavailable, Stage::Source, (0, false))]
#[case::a_source_that_refuses_us(ErrorKind::Deauthorized, Stage::Source, (0, false))]
fn counts(#[case] kind: ErrorKind, #[case] stage: Stage, #[case] expected: (u32, bool)) {
    let mut tally = Tally::default();
    tally.count(Ok(()), false);
    tally.count(
        Err(&Error::new(kind, Verdict::Unknown, stage, "told to fail")),
        false,
    );
    assert_eq!(tally.calls, 2);
    assert_eq!((tally.failures, tally.deauthorized.is_some()), expected);
}

#[rstest]
#[case::closed(closed(0, 0), 0, Gate::Closed)]
#[case::open(open(1, None), 29, Gate::Open { retry_at: at(30) })]
#[case::half_open(open(1, None), 30, Gate::Probe)]
#[case::somebody_probes(open(1, Some(150)), 149, Gate::Open { retry_at: at(150) })]
#[case::the_probe_was_lost(open(1, Some(150)), 150, Gate::Probe)]
#[case::a_lease_from_before(open(1, Some(10)), 20, Gate::Open { retry_at: at(30) })]
fn gates(#[case] record: VendorRecord, #[case] now: i64, #[case] expected: Gate) {
    assert_eq!(record.gate(at(now)), expected);
    let paused = record.paused(None, at(now)).unwrap();
    assert_eq!(paused.gate(at(now)), Gate::Paused);
    assert_eq!((&paused.circuit, paused.window), (&record.circuit, record.window));
    assert_eq!(paused.resumed().unwrap().gate(at(now)), expected);
}

#[rstest]
#[case::healthy(closed(0, 0), tally(10, 0), None)]
#[case::healthy_after_failures(closed(9, 5), tally(10, 0), None)]
#[case::nothing_called(closed(9, 5), tally(0, 0), None)]
#[case::too_few(closed(0, 0), tally(9, 9), Some((9, 9, false)))]
#[case::enough(closed(0, 0), tally(10, 10), Some((10, 10, true)))]
#[case::exactly_the_share(closed(8, 4), tally(2, 1), Some((10, 5, true)))]
#[case::below_the_share(closed(18, 4), tally(2, 1), Some((20, 5, false)))]
#[case::no_overflow(closed(u32::MAX, 3), tally(10, 10), Some((u32::MAX, 13, false)))]
fn a_window_fills(
    #[case] record: VendorRecord,
    #[case] tally: Tally,
    #[case] expected: Option<(u32, u32, bool)>,
) {
    let next = record.after(&tally, false, at(59), &POLICY);
    let found = next
        .as_ref()
        .map(|next| (next.window.calls, next.window.failures, next.circuit.is_some()));
    assert_eq!(found, expected);
    assert!(next.is_none_or(|next| next.revision == record.revision + 1));
}

#[rstest]
#[case::within(59, 19)]
#[case::after(60, 10)]
#[case::a_clock_behind(-59, 19)]
#[case::a_clock_far_behind(-60, 10)]
fn a_window_tumbles(#[case] now: i64, #[case] calls: u32) {
    let next = closed(9, 0)
        .after(&tally(10, 1), false, at(now), &POLICY)
        .unwrap();
    assert_eq!(next.window.calls, calls);
    assert_eq!(next.window.since, if calls == 10 { at(now) } else { at(0) });
}

#[test]
fn it_opens_with_a_reason() {
    let opened = closed(8, 4).after(&tally(12, 8), false, at(40), &POLICY).unwrap();
    let found = circuit(&opened);
    assert_eq!(found.reason, "12 of 20 calls failed within 60 s");
    assert_eq!((found.kind, found.times), (ErrorKind::Timeout, 1));
    assert_eq!((found.since, found.retry_at), (at(40), at(70)));
}

#[test]
fn a_refused_credential_opens_it_at_once() {
    let opened = closed(0, 0).after(&refused(), false, at(40), &POLICY).unwrap();
    let found = circuit(&opened);
    assert_eq!(
        (found.kind, found.reason.as_str()),
        (ErrorKind::Deauthorized, "deauthorized")
    );
    assert_eq!(found.retry_at, at(70));
}

#[rstest]
#[case(1, 60)]
#[case(2, 120)]
#[case(5, 600)]
#[case(u32::MAX, 600)]
fn a_failed_probe_opens_it_for_twice_as_long(#[case] times: u32, #[case] seconds: i64) {
    for tally in [tally(3, 3), tally(2, 1), refused()] {
        let again = open(times, Some(150))
            .after(&tally, true, at(40), &POLICY)
            .unwrap();
        let found = circuit(&again);
        assert_eq!(found.retry_at, at(40 + seconds));
        assert_eq!(
            (found.since, found.times),
            (at(0), times.saturating_add(1)),
            "{tally:?}"
        );
        assert_eq!(found.probing_until, None);
    }
}

#[test]
fn good_probes_close_it_with_a_fresh_window() {
    for tally in [tally(1, 0), tally(3, 1)] {
        let next = open(4, Some(150)).after(&tally, true, at(40), &POLICY).unwrap();
        assert_eq!(next.circuit, None);
        assert_eq!(next.window, Window::fresh(at(40)));
    }
}

#[test]
fn probes_without_a_call_give_the_lease_back() {
    let next = open(4, Some(150))
        .after(&tally(0, 0), true, at(40), &POLICY)
        .unwrap();
    let mut expected = open(4, None);
    expected.revision = 1;
    assert_eq!(next, expected);
}

#[test]
fn probes_that_failed_alone_decide_nothing_but_are_not_made_all_the_time() {
    let alone = Tally {
        alone: 3,
        ..tally(0, 0)
    };
    let next = open(4, Some(150)).after(&alone, true, at(40), &POLICY).unwrap();
    let found = circuit(&next);
    assert_eq!((found.times, found.probing_until), (4, None));
    assert_eq!(found.retry_at, at(40 + 240));
    assert_eq!(closed(9, 5).after(&alone, false, at(40), &POLICY), None);
    let with_another = Tally {
        alone: 2,
        ..tally(1, 0)
    };
    let next = open(4, Some(150)).after(&with_another, true, at(40), &POLICY);
    assert_eq!(next.unwrap().circuit, None);
}

#[test]
fn calls_that_began_before_it_opened_change_nothing() {
    for tally in [tally(10, 0), tally(10, 10), refused()] {
        for probing in [None, Some(150)] {
            assert_eq!(open(1, probing).after(&tally, false, at(31), &POLICY), None);
        }
        assert_eq!(
            open(2, None).after(&tally, true, at(31), &POLICY),
            None,
            "somebody else concluded"
        );
    }
}

#[test]
fn pausing_twice_keeps_the_beginning() {
    let paused = closed(0, 0).paused(Some("their release"), at(1)).unwrap();
    assert_eq!(paused.paused(Some("their release"), at(9)), None);
    assert_eq!(paused.paused(None, at(9)), None);
    let other = paused.paused(Some("still"), at(9)).unwrap().pause.unwrap();
    assert_eq!((other.since, other.reason.as_deref()), (at(1), Some("still")));
    assert_eq!(closed(0, 0).resumed(), None);
}

#[test]
fn a_resume_with_probes_is_one_write() {
    let paused = open(1, None).paused(None, at(5)).unwrap();
    let next = paused.resumed_with_probes(at(20)).unwrap();
    assert_eq!(
        (next.revision, next.gate(at(20))),
        (paused.revision + 1, Gate::Probe)
    );
    assert_eq!(next.resumed_with_probes(at(20)), None);
    let closed = closed(0, 0).paused(None, at(5)).unwrap();
    assert_eq!(closed.resumed_with_probes(at(20)), closed.resumed());
}

#[rstest]
#[case::open(open(1, None), 20, true)]
#[case::somebody_probes(open(1, Some(150)), 40, true)]
#[case::due_anyway(open(1, None), 30, false)]
#[case::closed(closed(0, 0), 30, false)]
fn probes_can_be_had_at_once(#[case] record: VendorRecord, #[case] now: i64, #[case] written: bool) {
    let next = record.probed_at_once(at(now));
    assert_eq!(next.is_some(), written);
    if let Some(next) = next {
        assert_eq!(next.gate(at(now)), Gate::Probe);
        assert_eq!(circuit(&next).times, 1);
    }
}

#[test]
fn an_entity_that_fails_alone_says_nothing_about_the_vendor() {
    let failed = |kind| Error::new(kind, Verdict::Unknown, Stage::Push, "told to fail");
    let mut tally = Tally::default();
    tally.count(Err(&failed(ErrorKind::Unavailable)), true);
    assert_eq!((tally.calls, tally.failures), (0, 0));
    tally.count(Ok(()), true);
    assert_eq!((tally.calls, tally.failures), (1, 0));
    tally.count(Err(&failed(ErrorKind::Deauthorized)), true);
    assert!(tally.deauthorized.is_some());
}

#[test]
fn an_announced_pause_ends_by_itself() {
    let paused = closed(0, 0)
        .paused_until(Some(at(60)), Some("their release"), at(1))
        .unwrap();
    assert_eq!(
        (paused.gate(at(59)), paused.gate(at(60))),
        (Gate::Paused, Gate::Closed)
    );
    assert_eq!(paused.paused_until(Some(at(60)), None, at(9)), None, "the same");
    let open_ended = paused.paused(None, at(9)).unwrap();
    assert_eq!(
        open_ended.gate(at(1000)),
        Gate::Paused,
        "nobody said when it ends"
    );
    let longer = paused.paused_until(Some(at(90)), None, at(9)).unwrap();
    let pause = longer.pause_at(at(89)).unwrap();
    assert_eq!(
        (pause.since, pause.reason.as_deref()),
        (at(1), Some("their release"))
    );
    // What is over is no pause to add to.
    let again = longer.paused(None, at(100)).unwrap();
    let pause = again.pause_at(at(100)).unwrap();
    assert_eq!(
        (pause.since, pause.until, pause.reason.as_deref()),
        (at(100), None, None)
    );
    let open = open(1, None).paused_until(Some(at(60)), None, at(5)).unwrap();
    assert_eq!(open.gate(at(60)), Gate::Probe, "the circuit stands below it");
}

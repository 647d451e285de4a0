//! What holds after any history of a vendor.

use proptest::prelude::*;

use super::*;

/// Something that happens to a vendor.
#[derive(Debug, Clone)]
enum Happens {
    Calls(Tally),
    /// A batch that finds probes due claims them; what came of it, or nothing if its process died.
    Probes(Option<Tally>),
    Pause,
    Resume,
    ProbeAtOnce,
}

fn any_tally() -> impl Strategy<Value = Tally> {
    (0..30_u32, 0..30_u32, proptest::bool::weighted(0.1)).prop_map(|(calls, failures, deauthorized)| Tally {
        deauthorized: (deauthorized && calls > 0).then(|| "revoked".to_owned()),
        ..tally(calls, failures.min(calls))
    })
}

fn anything() -> impl Strategy<Value = Happens> {
    prop_oneof![
        4 => any_tally().prop_map(Happens::Calls),
        4 => proptest::option::of(any_tally()).prop_map(Happens::Probes),
        1 => Just(Happens::Pause),
        1 => Just(Happens::Resume),
        1 => Just(Happens::ProbeAtOnce),
    ]
}

fn apply(record: &VendorRecord, happens: &Happens, now: Timestamp) -> Option<VendorRecord> {
    match happens {
        Happens::Calls(tally) => record.after(tally, false, now, &POLICY),
        Happens::Probes(tally) => {
            let claimed = (record.gate(now) == Gate::Probe).then(|| record.probing(now, &POLICY))?;
            match tally {
                Some(tally) => claimed.after(tally, true, now, &POLICY),
                None => Some(claimed),
            }
        }
        Happens::Pause => record.paused(None, now),
        Happens::Resume => record.resumed(),
        Happens::ProbeAtOnce => record.probed_at_once(now),
    }
}

/// The records that a history leaves, each with the time at which it was written.
fn history() -> impl Strategy<Value = Vec<(Timestamp, VendorRecord)>> {
    proptest::collection::vec((0..200_i64, anything()), 1..40).prop_map(|happenings| {
        let mut now = at(0);
        let mut records = vec![(now, closed(0, 0))];
        for (seconds, happens) in happenings {
            now = later(now, Duration::from_secs(seconds.unsigned_abs()));
            let next = records
                .last()
                .and_then(|(_, record)| apply(record, &happens, now));
            records.extend(next.map(|next| (now, next)));
        }
        records
    })
}

proptest! {
    #[test]
    fn a_gate_is_one_thing_at_a_time(records in history(), wait in 0..2000_i64) {
        for (written, record) in records {
            let gate = record.gate(written + SignedDuration::from_secs(wait));
            prop_assert_eq!(gate == Gate::Paused, record.pause.is_some());
            if record.pause.is_none() {
                prop_assert_eq!(gate == Gate::Closed, record.circuit.is_none());
            }
        }
    }

    #[test]
    fn every_write_raises_the_revision_by_at_least_one(records in history()) {
        prop_assert!(records.windows(2).all(|pair| pair[0].1.revision < pair[1].1.revision));
    }

    #[test]
    fn once_probes_are_due_they_stay_due(records in history(), first in 0..2000_i64, more in 0..2000_i64) {
        for (written, record) in records {
            let early = record.gate(written + SignedDuration::from_secs(first));
            let late = record.gate(written + SignedDuration::from_secs(first + more));
            match early {
                Gate::Open { .. } => {
                    let is_open = matches!(late, Gate::Open { .. } | Gate::Probe);
                    prop_assert!(is_open);
                }
                gate => prop_assert_eq!(late, gate),
            }
        }
    }

    #[test]
    fn a_lost_probe_holds_nobody_up_for_ever(records in history()) {
        for (written, record) in records {
            let longest = POLICY.max_open.max(POLICY.probe_lease);
            let gate = record.gate(later(written, longest));
            prop_assert!(matches!(gate, Gate::Closed | Gate::Probe | Gate::Paused));
        }
    }

    #[test]
    fn no_time_is_too_late(record in (any::<u32>(), 0..=253_402_207_200_i64).prop_map(|(times, second)| {
        let mut record = open(times, None);
        let now = Timestamp::from_second(second).unwrap();
        record.circuit.as_mut().unwrap().retry_at = now;
        (now, record)
    })) {
        let (now, record) = record;
        let huge = Policy { open: Duration::MAX, max_open: Duration::MAX, probe_lease: Duration::MAX, ..POLICY };
        let claimed = record.probing(now, &huge);
        let reopened = claimed.after(&refused(), true, now, &huge);
        let expected = Gate::Open { retry_at: Timestamp::MAX };
        prop_assert_eq!(reopened.map(|next| next.gate(now)), Some(expected));
    }
}

//! Seeds without a fault in the engine.

use std::fmt::Write;
use std::time::Instant;

use vendorbridge_testkit::simulation::{Options, run, search};

/// `make simulate SEEDS=…` runs more.
const SEEDS: u64 = 20_000;

#[test]
fn every_seed_keeps_every_promise() {
    let started = Instant::now();
    let summary = search(0..SEEDS, Options::default(), 5, |done| {
        if done % 2_000 == 0 {
            eprintln!("{done} of {SEEDS} seeds after {} s", started.elapsed().as_secs());
        }
    });
    let mut broken = String::new();
    for outcome in &summary.broken {
        if let Some(violation) = &outcome.violation {
            let _ = write!(broken, "\n  make simulate SEED={}: {violation}", outcome.seed);
        }
    }
    assert!(summary.broken.is_empty(), "broken promises:{broken}");
    // Faults that no run has show nothing.
    for fault in [
        "processes killed",
        "answers of a function lost",
        "processes held up",
        "duplicates",
        "sends refused",
        "answers of the queue lost",
        "ledger requests throttled",
        "ledger answers lost",
        "settles that lost a race",
        "lagging reads",
        "source errors",
        "wakers killed",
        "wakers twice at once",
        "pauses and resumptions",
        "fault: 401",
        "fault: 429",
        "fault: 500, though done",
        "fault: 502, 503, 504",
        "fault: connection refused",
        "fault: cut connection, though done",
        "fault: timeout, though done",
        "customers refused as there already",
        "links not written back, or without an answer",
        "reversals",
        "status EXCLUDED",
        "forced syncs",
        "forced syncs asked for again",
        "records changed or removed by hand",
    ] {
        assert!(summary.stats.get(fault) > 0, "no run had any: {fault}");
    }
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let options = Options {
        is_recording: true,
        ..Options::default()
    };
    for seed in 0..40 {
        let (one, two) = (run(seed, options), run(seed, options));
        assert_eq!(one.history, two.history, "seed {seed}");
        assert_eq!(one.fingerprint, two.fingerprint, "seed {seed}");
    }
}

#[test]
fn a_history_changes_nothing() {
    for seed in 0..40 {
        let recorded = Options {
            is_recording: true,
            ..Options::default()
        };
        let (with, without) = (run(seed, recorded), run(seed, Options::default()));
        assert_eq!(with.fingerprint, without.fingerprint, "seed {seed}");
        assert!(without.history.is_empty());
    }
}

//! The scenario files, which also run end to end.

use vendorbridge_testkit::scenario::Scenario;
use vendorbridge_testkit::simulation::play;

/// Each is played under this many seeds: times and orders differ.
const SEEDS: u64 = 50;

#[test]
fn every_scenario_ends_as_it_must() {
    for (name, text) in Scenario::all() {
        let scenario = Scenario::parse(text).unwrap();
        for seed in 0..SEEDS {
            let outcome = play(&scenario, seed, false);
            if let Some(violation) = outcome.violation {
                for line in play(&scenario, seed, true).history {
                    println!("{line}");
                }
                panic!("{name}, seed {seed}: {violation}");
            }
        }
    }
}

#[test]
fn a_wrong_end_is_seen() {
    let wrong = r#"{
        "says": "One change needs no call.",
        "steps": [{ "change": { "customers": ["c-1"] } }, "wait_until_settled"],
        "end": { "calls_at_most": { "webhook": 0 } }
    }"#;
    let violation = play(&Scenario::parse(wrong).unwrap(), 0, false)
        .violation
        .unwrap();
    assert_eq!(violation.what, "webhook: expected 0 calls at most, found 1");
}

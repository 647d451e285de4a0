//! What is printed.

use std::process::ExitCode;
use std::time::Duration;

use serde_json::json;
use vendorbridge_testkit::simulation::{self, Options, Outcome, Summary};

/// Runs a seed twice and prints what happened; both runs must be the same.
pub(crate) fn replay(seed: u64, options: Options, all: bool) -> ExitCode {
    let outcome = simulation::run(seed, options);
    let again = simulation::run(seed, options);
    println!("{:#?}", outcome.profile);
    let broken = outcome.violation.as_ref();
    for line in &outcome.history {
        let concerns = broken.is_none_or(|broken| {
            let is_everyones = line.entity.is_none() || broken.entity.is_none();
            let is_theirs = line.unit == broken.unit || line.is_shared();
            is_theirs && (is_everyones || line.entity == broken.entity)
        });
        if all || concerns {
            println!("{line}");
        }
    }
    if outcome.fingerprint != again.fingerprint || outcome.history != again.history {
        println!("seed {seed}: the second run was another one; the simulation is not deterministic");
        return ExitCode::FAILURE;
    }
    verdict(&outcome)
}

fn verdict(outcome: &Outcome) -> ExitCode {
    let Some(violation) = &outcome.violation else {
        return ExitCode::SUCCESS;
    };
    let Outcome { seed, profile, .. } = outcome;
    println!("seed {seed} ({:?}): {violation}", profile.weather);
    ExitCode::FAILURE
}

/// Prints what came of many seeds.
pub(crate) fn summary(summary: &Summary, options: Options, took: Duration, as_json: bool) -> ExitCode {
    let seconds = took.as_secs_f64();
    if as_json {
        println!("{}", json!({"seconds": seconds, "summary": summary}));
    } else {
        for (what, many) in summary.stats.iter() {
            println!("{many:>14} {what}");
        }
        let Summary {
            seeds,
            virtual_seconds,
            broken,
            ..
        } = summary;
        println!(
            "{seeds} seeds, {} virtual hours in {seconds:.1} s; {} broken",
            virtual_seconds / 3600,
            broken.len()
        );
        for outcome in broken {
            verdict(outcome);
            let kind = options
                .kind
                .map_or_else(String::new, |kind| format!(" KIND={kind:?}"));
            println!("    make simulate SEED={}{kind}", outcome.seed);
        }
    }
    if summary.broken.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Prints what came of a long run.
pub(crate) fn day(outcome: &Outcome, took: Duration, as_json: bool) -> ExitCode {
    let seconds = took.as_secs_f64();
    if as_json {
        println!("{}", json!({"seconds": seconds, "outcome": outcome}));
    } else {
        for (what, many) in outcome.stats.iter() {
            println!("{many:>14} {what}");
        }
        println!(
            "{} events, {:.1} virtual hours in {seconds:.1} s",
            outcome.stats.get("events"),
            Duration::from_micros(outcome.lasted).as_secs_f64() / 3600.0
        );
    }
    verdict(outcome)
}

//! `simulate`: runs seeds of the simulation, replays one, or plays a whole day.

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use vendorbridge_testkit::simulation::{self, Options, Outcome};

use vendorbridge::sabotage::Sabotage::{self, *};
const SABOTAGE: [Sabotage; 12] = [AckBeforeSettle, HashShortcutOnRedelivery, NoReservation, CoveredWithoutMargin, SettleWithoutCondition, CoalesceAwayNewest, WakeTwice, RetryPermanent, UnknownAsFailed, EmptyItemIdentifier, BlockGroupOnPark, LoseProbe];

/// Runs the real engine among models of everything around it.
#[derive(Debug, Parser)]
struct Args {
    /// Runs this seed, twice, and shows what happened.
    #[arg(long)]
    seed: Option<u64>,
    /// Runs this many seeds.
    #[arg(long, default_value_t = 1000)]
    seeds: u64,
    /// The first of them.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Ends after this many broken runs.
    #[arg(long, default_value_t = 10)]
    most: usize,
    /// Sets messages aside after this many deliveries.
    #[arg(long)]
    max_receives: Option<u32>,
    /// Puts a fault into the engine, by its number.
    #[arg(long)]
    sabotage: Option<usize>,
    /// Shows all lines of a replay, not only those of the entity concerned.
    #[arg(long)]
    all: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let started = Instant::now();
    let options = Options {
        is_recording: args.seed.is_some(),
        max_receives: args.max_receives,
        sabotage: args.sabotage.and_then(|number| SABOTAGE.get(number).copied()),
    };
    if let Some(seed) = args.seed {
        return replay(seed, options, args.all);
    }
    let summary = simulation::search(args.from..args.from + args.seeds, options, args.most, |_| {});
    let seconds = started.elapsed().as_secs_f64();
    for outcome in &summary.broken {
        if let Some(violation) = &outcome.violation {
            println!("seed {} ({:?}): {violation}", outcome.seed, outcome.profile.weather);
        }
    }
    for (what, many) in summary.stats.iter() {
        println!("{many:>12} {what}");
    }
    println!("{:?}", summary.weathers);
    println!(
        "{} seeds in {seconds:.1} s: {:.0} a second; {} broken",
        summary.seeds,
        summary.seeds as f64 / seconds,
        summary.broken.len()
    );
    if summary.broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn replay(seed: u64, options: Options, all: bool) -> ExitCode {
    let outcome = simulation::run(seed, options);
    let again = simulation::run(seed, options);
    let entity = outcome.violation.as_ref().and_then(|violation| violation.entity);
    let unit = outcome.violation.as_ref().map(|violation| violation.unit);
    println!("{:#?}", outcome.profile);
    let shows = |outcome: &Outcome| {
        for line in &outcome.history {
            let concerns = (entity.is_none() || line.entity == entity || line.entity.is_none())
                && (unit.is_none_or(|unit| unit == line.unit) || line.actor == "source");
            if all || concerns {
                println!("{line}");
            }
        }
    };
    shows(&outcome);
    assert_eq!(outcome.fingerprint, again.fingerprint, "the same seed gave another run");
    assert_eq!(outcome.history, again.history, "the same seed gave another history");
    match outcome.violation {
        Some(violation) => {
            println!("seed {seed}: {violation}");
            ExitCode::FAILURE
        }
        None => ExitCode::SUCCESS,
    }
}

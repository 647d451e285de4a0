//! `simulate`: runs seeds of the simulation, replays one, or plays a long day.

mod args;
mod progress;
mod report;

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use vendorbridge_testkit::simulation::{self, Day};

use args::Args;
use progress::Progress;

fn main() -> ExitCode {
    let args = Args::parse();
    let started = Instant::now();
    if let Some(seed) = args.seed {
        return report::replay(seed, args.options(), args.all);
    }
    if args.day {
        let minutes = args.hours * 60;
        let progress = Progress::new("virtual minutes", minutes);
        let day = Day {
            seed: args.from,
            rate: args.rate,
            hours: args.hours,
            entities: args.entities,
        };
        let outcome = simulation::day(day, move |minutes| progress.show(minutes));
        return report::day(&outcome, started.elapsed(), args.json);
    }
    let progress = Progress::new("seeds", args.seeds);
    let seeds = args.from..args.from.saturating_add(args.seeds);
    let summary = simulation::search(seeds, args.options(), args.most, |done| progress.show(done));
    report::summary(&summary, args.options(), started.elapsed(), args.json)
}

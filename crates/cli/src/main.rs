//! The `vendorbridge` command: reads the command line, runs one command, says how it went.
//!
//! The exit codes are those of [`Exit`](vendorbridge_cli::Exit).

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use vendorbridge_cli::args::{Args, Command};
use vendorbridge_cli::{
    CliError, Outcome, backfill, completions, console, doctor, output, reconcile, redrive, replay, report,
    send, status, tail, timeline, vendor, why,
};

fn main() -> ExitCode {
    let args = Args::parse();
    let code = match run(&args) {
        Ok(outcome) => output::print(&outcome.text).map(|()| outcome.code),
        Err(error) => Err(error),
    };
    let code = code.unwrap_or_else(|error| {
        // Nobody may be listening on stderr either.
        _ = writeln!(
            std::io::stderr(),
            "error: {}",
            output::harmless(&error.to_string())
        );
        error.exit()
    });
    code.into()
}

fn run(args: &Args) -> Result<Outcome, CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(CliError::Runtime)?;
    runtime.block_on(async {
        match &args.command {
            Command::Send(options) => send::run(&args.global, options).await.map(Outcome::from),
            Command::Status(options) => status::run(&args.global, options).await,
            Command::Vendor(options) => vendor::run(&args.global, options).await,
            Command::Console(options) => console::run(&args.global, options).await,
            Command::Why(options) => why::run(&args.global, options).await,
            Command::Replay(options) => replay::run(&args.global, options).await,
            Command::Timeline(options) => timeline::run(&args.global, options).await,
            Command::Report(options) => report::run(&args.global, options).await,
            Command::Tail(options) => tail::run(&args.global, options).await,
            Command::Doctor(options) => doctor::run(&args.global, options).await,
            Command::Redrive(options) => redrive::run(&args.global, options).await,
            Command::Backfill(options) => backfill::run(&args.global, options).await,
            Command::Reconcile(options) => reconcile::run(&args.global, options).await,
            Command::Completions(options) => Ok(completions::run(options)),
        }
    })
}

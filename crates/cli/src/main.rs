//! The `vendorbridge` command: reads the command line, runs one command, says how it went.
//!
//! Exit codes: 0 it is done, 1 it failed (one line on stderr says why), 2 the command line is wrong.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use vendorbridge_cli::args::{Args, Command};
use vendorbridge_cli::{CliError, output, send, status, vendor};

fn main() -> ExitCode {
    let args = Args::parse();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody may be listening on stderr either.
            _ = writeln!(std::io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<(), CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(CliError::Runtime)?;
    let text = runtime.block_on(async {
        match &args.command {
            Command::Send(options) => send::run(&args.global, options).await,
            Command::Status(options) => status::run(&args.global, options).await,
            Command::Vendor(options) => vendor::run(&args.global, options).await,
        }
    })?;
    output::print(&text)
}

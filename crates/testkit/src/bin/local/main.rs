//! `make demo` and `make up`: the whole system on this machine, without an AWS account.

mod billing;
mod demo;
mod expectation;
mod products;
mod progress;
mod up;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use vendorbridge_testkit::cloud::{ALL_VENDORS, WorldOptions};

/// Runs the whole system on this machine.
#[derive(Debug, Parser)]
#[command(name = "local")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// Use an emulator that already runs, such as <http://localhost:4566>, or `aws` for the account of your credentials.
    #[arg(long, global = true)]
    endpoint: Option<String>,
    /// The host under which the functions reach the sandbox, if not on this machine's loopback, such as
    /// `host.docker.internal`. The sandbox then listens on all interfaces.
    #[arg(long, global = true)]
    sandbox_host: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Deploys, publishes the sample events, shows what became of them, and ends.
    Demo {
        /// Print the outcomes as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Deploys, publishes the sample events, and stays until Ctrl-C.
    Up,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let options = WorldOptions {
        endpoint: arguments.endpoint,
        sandbox_host: arguments.sandbox_host,
        stack: "vendorbridge-demo".to_owned(),
        vendors: ALL_VENDORS.map(str::to_owned).to_vec(),
        ingest: true,
        park_base_seconds: 2,
        ..WorldOptions::new(&format!("demo-{}", std::process::id()))
    };
    let result = match arguments.command {
        Command::Demo { json } => demo::run(options, json).await,
        Command::Up => Box::pin(up::run(options)).await,
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

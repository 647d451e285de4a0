//! The local cloud: the emulator as a process of ours, the stack that `template.yaml` makes in it, and the sandbox
//! that its functions talk to.

mod aws;
mod console;
mod emulator;
mod gate;
mod ingest;
mod inventory;
mod lines;
mod stack;
mod tap;
mod waiting;
mod wiring;
mod world;

use std::path::PathBuf;

pub use aws::Aws;
pub use console::Console;
pub use emulator::{Emulator, EmulatorOptions};
pub use gate::LineGate;
pub use inventory::Inventory;
pub use lines::{EXEC_LINE, LINE, LINE_ROLE, LineAnswer, LineCaller};
pub use stack::{Stack, without_vendor};
pub use tap::Tap;
pub use waiting::until;
pub use wiring::{ALL_VENDORS, AUTH0_LOG_SOURCE, AUTH0_SOURCE, COMPANY, INDEX, INGEST_TOKEN};
pub use world::{World, WorldOptions};

/// Why the local cloud does not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum CloudError {
    /// A program could not be started or spoken to.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// The error behind it.
        #[source]
        source: std::io::Error,
    },
    /// A program ended with an error.
    #[error("{what} failed:\n{output}")]
    Failed {
        /// What was run.
        what: String,
        /// What it printed.
        output: String,
    },
    /// An AWS call failed.
    #[error("{what}: {reason}")]
    Aws {
        /// What was called.
        what: &'static str,
        /// Why it failed.
        reason: String,
    },
    /// What was waited for did not come.
    #[error("waited {seconds} s for {what}")]
    Late {
        /// What was waited for.
        what: String,
        /// For how long.
        seconds: u64,
    },
    /// The command-line library refused something.
    #[error(transparent)]
    Cli(#[from] vendorbridge_cli::CliError),
    /// The ledger could not be read.
    #[error("the ledger cannot be read: {0}")]
    Ledger(#[from] vendorbridge::Error),
    /// The ledger holds event records that are not ours.
    #[error("expected event records that can be read, found {} others: {}", .0.count, .0.keys.join(", "))]
    Unreadable(vendorbridge::ledger::Unreadable),
}

impl CloudError {
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }
}

/// The project's folder: the tools, the template and the built functions are found from here.
#[must_use]
pub fn project() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
        .canonicalize()
        .unwrap_or_else(|_| PathBuf::from("."))
}

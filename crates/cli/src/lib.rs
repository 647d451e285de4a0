//! The `vendorbridge` command, as a library: what it does, without the process around it.

pub mod args;
pub mod ask;
mod aws;
pub mod backfill;
pub mod completions;
pub mod console;
pub mod deployment;
pub mod doctor;
mod error;
mod failure;
pub mod hours;
pub mod lanes;
mod next;
mod outcome;
pub mod output;
pub mod progress;
pub mod publish;
pub mod reconcile;
pub mod redrive;
pub mod replay;
pub mod report;
pub mod send;
pub mod session;
pub mod status;
pub mod tail;
pub mod timeline;
pub mod vendor;
pub mod when;
pub mod why;
mod work;

pub use aws::{ready, sdk};
pub use error::CliError;
pub use failure::Failure;
pub use next::Next;
pub use outcome::{Exit, Outcome};

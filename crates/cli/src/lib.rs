//! The `vendorbridge` command, as a library: what it does, without the process around it.

pub mod args;
mod aws;
pub mod deployment;
mod error;
pub mod output;
pub mod publish;
pub mod send;
pub mod status;
pub mod vendor;

pub use aws::{ready, sdk};
pub use error::CliError;

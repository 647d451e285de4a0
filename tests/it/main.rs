//! End-to-end: the real `bootstrap` binaries, deployed by `sam deploy` into the local cloud, against the sandbox.
//!
//! Needs `make setup build`. Every test has an emulator, a sandbox and a folder of its own.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod announced;
mod bad_input;
mod billing;
mod browser;
mod budget;
mod coalescing;
mod command;
mod console;
mod contract;
mod convergence;
mod cost;
mod damage;
mod flood;
mod ingest;
mod isolation;
mod killed;
mod least_privilege;
mod lines;
mod looks;
mod meter;
mod partitions;
mod patterns;
mod processes;
mod removal;
mod repairs;
mod scenarios;
mod signals;
mod stage;

//! The engine with a vendor, a source, a ledger and a queue in memory.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod asked;
mod auth;
mod bench;
mod budget;
mod carried;
mod changes;
mod circuit;
mod create_once;
mod failure;
mod intake;
mod odata;
mod once;
mod partitions;
mod parts;
mod plans;
mod probing;
mod properties;
mod rules;
mod sync;
mod traces;
mod vendors;
mod waking;

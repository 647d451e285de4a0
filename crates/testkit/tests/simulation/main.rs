//! The simulation: many seeds keep every promise, and a fault in the engine does not go unseen.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod downtime;
mod faults;
mod scenarios;
mod seeds;
mod streams;

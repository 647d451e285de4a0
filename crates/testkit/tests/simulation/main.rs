//! The simulation: many seeds keep every promise, and a fault in the engine does not go unseen.

mod faults;
mod scenarios;
mod seeds;
mod streams;

//! The engine with a vendor, a source, a ledger and a queue in memory.

mod bench;
mod budget;
mod failure;
mod intake;
mod sync;
mod waking;

//! The engine's surroundings in memory: a clock that is set by hand, tables of items, a ledger and a queue
//! that can be told to fail.

mod clock;
mod items;
mod lanes;
mod ledger;

pub use clock::ManualClock;
pub use items::MemoryItems;
pub use lanes::MemoryLanes;
pub use ledger::{Counts, Fault, MemoryLedger};

pub(crate) fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

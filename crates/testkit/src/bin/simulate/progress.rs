//! How far a long run is: a line on standard error every five seconds.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// Seconds between two lines.
const EVERY: u64 = 5;

/// Shows how far a run is.
pub(crate) struct Progress {
    what: &'static str,
    total: u64,
    started: Instant,
    shown: AtomicU64,
}

impl Progress {
    /// Of `total` steps, which are called `what`.
    pub(crate) fn new(what: &'static str, total: u64) -> Self {
        Self {
            what,
            total,
            started: Instant::now(),
            shown: AtomicU64::new(0),
        }
    }

    /// `done` steps are done.
    pub(crate) fn show(&self, done: u64) {
        let seconds = self.started.elapsed().as_secs();
        let shown = self.shown.load(Ordering::Relaxed);
        let is_due = seconds >= shown + EVERY;
        if is_due
            && self
                .shown
                .compare_exchange(shown, seconds, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
        {
            let left = seconds * self.total.saturating_sub(done) / done.max(1);
            eprintln!(
                "{done} of {} {} after {seconds} s, {left} s to go",
                self.total, self.what
            );
        }
    }
}

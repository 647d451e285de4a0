//! A vendor's circuit: whether it may be called, and what its answers do to that. Pure.

use std::time::Duration;

use jiff::Timestamp;

use crate::Error;
use crate::ledger::VendorRecord;

/// When a circuit opens and closes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Policy {
    /// Calls are counted over this long.
    pub window: Duration,
    /// Fewer calls than this say nothing.
    pub min_calls: u32,
    /// The circuit opens when this share of the calls failed.
    pub share: f64,
    /// How long the circuit stays open the first time. It doubles each time it opens again.
    pub open: Duration,
    /// The longest it stays open before the next probes.
    pub max_open: Duration,
    /// How many entities probe at once.
    pub probes: usize,
    /// How long probes may take: after this, others may probe. Longer than an invocation lasts.
    pub probe_lease: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            window: Duration::from_secs(60),
            min_calls: 10,
            share: 0.5,
            open: Duration::from_secs(30),
            max_open: Duration::from_secs(600),
            probes: 3,
            probe_lease: Duration::from_secs(120),
        }
    }
}

/// Whether the vendor may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// It may.
    Closed,
    /// A few calls may find out whether it may: for whoever can write [`VendorRecord::probing`] first.
    Probe,
    /// It may not; the circuit lets probes through at `retry_at`.
    Open {
        /// From when on.
        retry_at: Timestamp,
    },
    /// A person paused it.
    Paused,
}

/// What the calls of one batch came to.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Calls that ended.
    pub calls: u32,
    /// Those that failed through the vendor's fault.
    pub failures: u32,
    /// Why the credential was refused, if it was.
    pub deauthorized: Option<String>,
}

impl Tally {
    /// Counts one call to the vendor.
    pub fn count(&mut self, _result: Result<(), &Error>) {
        self.calls += 1;
    }
}

impl VendorRecord {
    /// Whether the vendor may be called at `now`.
    #[must_use]
    pub fn gate(&self, _now: Timestamp) -> Gate {
        Gate::Closed
    }

    /// The next record: probes have begun.
    #[must_use]
    pub fn probing(&self, _now: Timestamp, _policy: &Policy) -> Self {
        self.clone()
    }

    /// The next record after the calls of a batch; `None` if there is nothing to write. `probed`: the batch's calls were
    /// probes.
    #[must_use]
    pub fn after(&self, _tally: &Tally, _probed: bool, _now: Timestamp, _policy: &Policy) -> Option<Self> {
        None
    }
}

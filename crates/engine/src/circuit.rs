//! A vendor's circuit: whether it may be called, and what its answers do to that. Pure.
//!
//! Closed → open: too many calls of a window failed, or the credential was refused. Open → probing, from `retry_at` on: one
//! batch at a time claims the right by writing a lease, and a few of its entities call the vendor. Probing → closed if that
//! goes well, → open for twice as long if not. A lease that is never given back ends by itself, so a probe that dies with
//! its process holds nobody up (docs/adr/0008-the-circuit-lives-in-the-vendor-record.md).
//!
//! A pause is a person's word and stands above all this. It leaves circuit and window as they are.

mod hand;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::ledger::{Circuit, VendorRecord, Window};
use crate::{Error, ErrorKind, Stage};

/// The reason of a circuit that a refused credential opened.
const DEAUTHORIZED: &str = "deauthorized";

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
            window: Duration::from_mins(1),
            min_calls: 10,
            share: 0.5,
            open: Duration::from_secs(30),
            max_open: Duration::from_mins(10),
            probes: 3,
            probe_lease: Duration::from_mins(2),
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
    /// Entities for which it was called.
    pub calls: u32,
    /// Those for which that failed through the vendor's fault.
    pub failures: u32,
    /// How the latest of them failed.
    pub kind: Option<ErrorKind>,
    /// Entities besides that failed as they did before, alone: they say nothing either way.
    pub alone: u32,
    /// Why the credential was refused, if it was.
    pub deauthorized: Option<String>,
}

impl Tally {
    /// Counts what came of the calls for one entity.
    ///
    /// A vendor that asks for fewer calls, cannot serve, or does not answer has failed. One that refuses a record has
    /// answered: the next entity may fare better. An entity that `fails_alone` has failed before while others did not: that
    /// it fails again says nothing about the vendor, and must not shut it for the others.
    pub fn count(&mut self, result: Result<(), &Error>, fails_alone: bool) {
        let failed = match result {
            // Nobody was called.
            Err(error) if matches!(error.kind(), ErrorKind::Waiting | ErrorKind::Excluded) => return,
            Err(error) if error.stage() == Stage::Push => Some(error),
            _ => None,
        };
        if fails_alone && failed.is_some_and(|error| error.kind() != ErrorKind::Deauthorized) {
            self.alone = self.alone.saturating_add(1);
            return;
        }
        self.calls = self.calls.saturating_add(1);
        let Some(error) = failed else { return };
        match error.kind() {
            ErrorKind::Deauthorized => {
                self.deauthorized
                    .get_or_insert_with(|| error.message().to_owned());
            }
            kind @ (ErrorKind::RateLimited | ErrorKind::Unavailable | ErrorKind::Timeout) => {
                self.failures = self.failures.saturating_add(1);
                self.kind = Some(kind);
            }
            _ => {}
        }
    }

    /// Whether something happened that opens a circuit, or counts towards it.
    fn is_healthy(&self) -> bool {
        self.failures == 0 && self.deauthorized.is_none()
    }
}

impl Policy {
    /// Until when a circuit stays open that opens at `now` for the `times`-th time in a row.
    fn retry_at(&self, times: u32, now: Timestamp) -> Timestamp {
        let factor = 2_u32.saturating_pow(times.saturating_sub(1));
        later(now, self.open.saturating_mul(factor).min(self.max_open))
    }

    /// Whether a window says that the vendor is in trouble.
    fn opens(&self, window: &Window) -> bool {
        window.calls >= self.min_calls
            && f64::from(window.failures) >= self.share * f64::from(window.calls)
            && window.failures > 0
    }
}

impl VendorRecord {
    /// Whether the vendor may be called at `now`.
    ///
    /// For a record that nobody writes the answer goes one way only: from [`Gate::Paused`] to whatever stands below it, and from
    /// [`Gate::Open`] to [`Gate::Probe`].
    #[must_use]
    pub fn gate(&self, now: Timestamp) -> Gate {
        if self.pause_at(now).is_some() {
            return Gate::Paused;
        }
        let Some(circuit) = &self.circuit else {
            return Gate::Closed;
        };
        let lease = circuit.probing_until.unwrap_or(circuit.retry_at);
        let retry_at = lease.max(circuit.retry_at);
        if now < retry_at {
            Gate::Open { retry_at }
        } else {
            Gate::Probe
        }
    }

    /// The next record: probes have begun.
    #[must_use]
    pub fn probing(&self, now: Timestamp, policy: &Policy) -> Self {
        let mut next = self.next();
        if let Some(circuit) = &mut next.circuit {
            circuit.probing_until = Some(later(now, policy.probe_lease));
        }
        next
    }

    /// The next record after the calls of a batch; `None` if there is nothing to write. `probed`: the batch's calls were
    /// probes.
    ///
    /// A closed circuit is written only when a call failed: the healthy path costs nothing. An open one is written by
    /// probes alone: calls that began before it opened say nothing that is not known.
    #[must_use]
    pub fn after(&self, tally: &Tally, probed: bool, now: Timestamp, policy: &Policy) -> Option<Self> {
        match &self.circuit {
            None => self.after_calls(tally, now, policy),
            Some(circuit) if probed => self.after_probes(circuit, tally, now, policy),
            Some(_) => None,
        }
    }

    fn after_calls(&self, tally: &Tally, now: Timestamp, policy: &Policy) -> Option<Self> {
        if tally.is_healthy() {
            return None;
        }
        let mut next = self.next();
        if !self.window.covers(now, policy.window) {
            next.window = Window::fresh(now);
        }
        let window = &mut next.window;
        window.calls = window.calls.saturating_add(tally.calls);
        window.failures = window.failures.saturating_add(tally.failures);
        let (kind, reason) = if tally.deauthorized.is_some() {
            (ErrorKind::Deauthorized, DEAUTHORIZED.to_owned())
        } else if policy.opens(window) {
            let seconds = policy.window.as_secs();
            let reason = format!(
                "{} of {} calls failed within {seconds} s",
                window.failures, window.calls
            );
            (tally.kind.unwrap_or(ErrorKind::Unavailable), reason)
        } else {
            return Some(next);
        };
        next.circuit = Some(Circuit {
            since: now,
            retry_at: policy.retry_at(1, now),
            times: 1,
            kind,
            reason,
            probing_until: None,
        });
        Some(next)
    }

    fn after_probes(
        &self,
        circuit: &Circuit,
        tally: &Tally,
        now: Timestamp,
        policy: &Policy,
    ) -> Option<Self> {
        // Without a lease somebody has concluded since, on calls that began later than these.
        circuit.probing_until?;
        let mut next = self.next();
        let mut circuit = Circuit {
            probing_until: None,
            ..circuit.clone()
        };
        let (kind, reason) = if tally.deauthorized.is_some() {
            (ErrorKind::Deauthorized, DEAUTHORIZED.to_owned())
        } else if tally.calls == 0 {
            // Nothing was found out: whoever comes next may try. But calls that failed are not to be had all the time, even
            // if they count for nothing.
            if tally.alone > 0 {
                circuit.retry_at = policy.retry_at(circuit.times, now);
            }
            next.circuit = Some(circuit);
            return Some(next);
        } else if tally.failures.saturating_mul(2) < tally.calls {
            next.circuit = None;
            next.window = Window::fresh(now);
            return Some(next);
        } else {
            let reason = format!("{} of {} probing calls failed", tally.failures, tally.calls);
            (tally.kind.unwrap_or(circuit.kind), reason)
        };
        circuit.times = circuit.times.saturating_add(1);
        circuit.retry_at = policy.retry_at(circuit.times, now);
        circuit.kind = kind;
        circuit.reason = reason;
        next.circuit = Some(circuit);
        Some(next)
    }

    fn next(&self) -> Self {
        let mut next = self.clone();
        next.revision = next.revision.saturating_add(1);
        next
    }
}

impl Window {
    fn fresh(now: Timestamp) -> Self {
        Self {
            since: now,
            calls: 0,
            failures: 0,
        }
    }

    /// Whether `now` falls into this window of `length`. Clocks differ: a start somewhat ahead is no other window.
    fn covers(&self, now: Timestamp, length: Duration) -> bool {
        now < later(self.since, length) && self.since < later(now, length)
    }
}

fn later(time: Timestamp, by: Duration) -> Timestamp {
    let by = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
    time.saturating_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;

//! What a person does to a vendor by hand. Each answers with the record to write, or `None` if it says so already.

use jiff::Timestamp;

use crate::ledger::{Circuit, Pause, VendorRecord};

impl VendorRecord {
    /// The pause that holds at `now`: one that is over is none.
    #[must_use]
    pub fn pause_at(&self, now: Timestamp) -> Option<&Pause> {
        let pause = self.pause.as_ref()?;
        pause.until.is_none_or(|until| now < until).then_some(pause)
    }

    /// The next record: a person paused the vendor until it is lifted. `None` as in [`paused_until`](Self::paused_until).
    #[must_use]
    pub fn paused(&self, reason: Option<&str>, now: Timestamp) -> Option<Self> {
        self.paused_until(None, reason, now)
    }

    /// The next record: a person paused the vendor, and said when that ends by itself. `None` if that is written already, with
    /// the same end, and the same reason or none given.
    ///
    /// A vendor that is paused already keeps its `since`, and its reason if no other is given. The end is always the one that is
    /// given: none means that a person ends it.
    #[must_use]
    pub fn paused_until(
        &self,
        until: Option<Timestamp>,
        reason: Option<&str>,
        now: Timestamp,
    ) -> Option<Self> {
        let before = self.pause_at(now);
        let reason = reason.map(str::to_owned);
        let pause = Pause {
            since: before.map_or(now, |pause| pause.since),
            until,
            reason: reason.or_else(|| before?.reason.clone()),
        };
        if before == Some(&pause) {
            return None;
        }
        let mut next = self.next();
        next.pause = Some(pause);
        Some(next)
    }

    /// The next record: a person lifted the pause. `None` if there is none.
    #[must_use]
    pub fn resumed(&self) -> Option<Self> {
        self.pause.as_ref()?;
        let mut next = self.next();
        next.pause = None;
        Some(next)
    }

    /// The next record: a person lifted the pause, and lets probes go at once. `None` if there is nothing to change.
    #[must_use]
    pub fn resumed_with_probes(&self, now: Timestamp) -> Option<Self> {
        let lifted = self.resumed();
        let probed = lifted.as_ref().unwrap_or(self).probed_at_once(now);
        let mut next = probed.or(lifted)?;
        // Both are one write.
        next.revision = self.next().revision;
        Some(next)
    }

    /// The next record: an open circuit lets probes through at once, whoever else may be probing. `None` if it does already,
    /// or is closed.
    #[must_use]
    pub fn probed_at_once(&self, now: Timestamp) -> Option<Self> {
        let circuit = self.circuit.as_ref()?;
        if circuit.retry_at.max(circuit.probing_until.unwrap_or(now)) <= now {
            return None;
        }
        let mut next = self.next();
        next.circuit = Some(Circuit {
            retry_at: circuit.retry_at.min(now),
            probing_until: None,
            ..circuit.clone()
        });
        Some(next)
    }
}

//! What a person does to a vendor by hand. Each answers with the record to write, or `None` if it says so already.

use jiff::Timestamp;

use crate::ledger::{Circuit, Pause, VendorRecord};

impl VendorRecord {
    /// The next record: a person paused the vendor. `None` if that is written already, with the same reason or none given.
    ///
    /// A vendor that is paused already keeps its `since`; another reason takes the place of the old one.
    #[must_use]
    pub fn paused(&self, reason: Option<&str>, now: Timestamp) -> Option<Self> {
        let pause = match &self.pause {
            Some(pause) if reason.is_none() || reason == pause.reason.as_deref() => return None,
            Some(pause) => Pause {
                since: pause.since,
                reason: reason.map(str::to_owned),
            },
            None => Pause {
                since: now,
                reason: reason.map(str::to_owned),
            },
        };
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

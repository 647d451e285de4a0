//! Whether a batch may call the vendor, and what its calls came to.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use super::Engine;
use crate::circuit::{Gate, Tally};
use crate::ledger::VendorRecord;
use crate::sabotage::{self, Sabotage};
use crate::{Error, ErrorKind, Stage, Verdict, telemetry};

/// How often the vendor's record is read again when somebody else wrote it first.
const ROUNDS: u32 = 3;

/// How the vendor stands, for one batch.
pub(super) struct Admission {
    record: VendorRecord,
    gate: Gate,
    /// How many entities may still probe.
    slots: AtomicUsize,
    /// This batch has the right to probe, and must say what came of it.
    probes: bool,
    tally: Mutex<Tally>,
}

/// The calls that went well since the vendor's record was last written. Counting them there would cost a write for each.
#[derive(Debug, Default)]
pub(super) struct Unwritten {
    since: Timestamp,
    calls: u32,
}

impl Admission {
    pub(super) fn new(record: VendorRecord, gate: Gate, slots: usize) -> Self {
        Self {
            record,
            gate,
            slots: AtomicUsize::new(slots),
            probes: slots > 0,
            tally: Mutex::default(),
        }
    }

    pub(super) fn gate(&self) -> Gate {
        self.gate
    }

    /// Lets one entity call the vendor, or says why not and until when.
    pub(super) fn admit(&self) -> Result<(), Shut> {
        match self.gate {
            Gate::Paused => return Err(Shut::paused(&self.record)),
            Gate::Open { retry_at } => return Err(Shut::open(&self.record, retry_at)),
            Gate::Closed => {}
            Gate::Probe => {
                let taken = self
                    .slots
                    .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |slots| slots.checked_sub(1));
                if taken.is_err() {
                    let retry_at = self.record.circuit.as_ref().map(|circuit| circuit.retry_at);
                    return Err(Shut::open(&self.record, retry_at.unwrap_or_default()));
                }
            }
        }
        match &self.tally().deauthorized {
            Some(reason) => Err(Shut::refused(reason)),
            None => Ok(()),
        }
    }

    /// Counts what came of the calls for one entity.
    pub(super) fn count(&self, result: Result<(), &Error>, fails_alone: bool) {
        self.tally().count(result, fails_alone);
    }

    fn tally(&self) -> std::sync::MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why the vendor is not called.
pub(super) struct Shut {
    pub(super) error: Error,
    /// Not before this time; a paused vendor has none.
    pub(super) until: Option<Timestamp>,
}

impl Shut {
    fn paused(record: &VendorRecord) -> Self {
        let reason = record.pause.as_ref().and_then(|pause| pause.reason.as_deref());
        let message = format!("not called: paused ({})", reason.unwrap_or("no reason given"));
        Self {
            error: Error::retry(ErrorKind::Paused, Stage::Push, message),
            until: None,
        }
    }

    fn open(record: &VendorRecord, retry_at: Timestamp) -> Self {
        let reason = record
            .circuit
            .as_ref()
            .map_or("", |circuit| circuit.reason.as_str());
        let message = format!("not called: the vendor's circuit is open ({reason})");
        Self {
            error: Error::retry(ErrorKind::CircuitOpen, Stage::Push, message),
            until: Some(retry_at),
        }
    }

    fn refused(reason: &str) -> Self {
        let message = format!("not called: the vendor just refused the credential ({reason})");
        Self {
            error: Error::retry(ErrorKind::CircuitOpen, Stage::Push, message),
            until: None,
        }
    }
}

impl Engine {
    /// How the vendor stands. Where probes are due, this batch claims them if it has work: only one batch at a time does.
    pub(super) async fn admission(&self, record: VendorRecord, has_work: bool) -> Admission {
        let now = self.now();
        let gate = record.gate(now);
        if gate != Gate::Probe || !has_work {
            return Admission::new(record, gate, 0);
        }
        let policy = &self.parts.circuit;
        let claimed = record.probing(now, policy);
        match self.parts.ledger.settle_vendor(&claimed).await {
            Ok(()) => Admission::new(claimed, gate, policy.probes.max(1)),
            // Somebody else probes, or the ledger cannot say: no call.
            Err(_) => Admission::new(record, gate, 0),
        }
    }

    /// Writes what the calls of a batch mean for the vendor's circuit. A batch without failures writes nothing, unless it
    /// probed.
    pub(super) async fn conclude(&self, admission: Admission) {
        let probed = admission.probes;
        let tally = admission.tally().clone();
        // Probes speak for themselves.
        let tally = if probed { tally } else { self.with_unwritten(tally) };
        let mut record = admission.record;
        if sabotage::is(Sabotage::LoseProbe) && probed {
            return;
        }
        let mut failure = None;
        for _ in 0..ROUNDS {
            let Some(next) = record.after(&tally, probed, self.now(), &self.parts.circuit) else {
                return;
            };
            match self.parts.ledger.settle_vendor(&next).await {
                Ok(()) => {
                    telemetry::circuit(&record, &next);
                    return self.written();
                }
                Err(error) => failure = Some(error),
            }
            if failure
                .as_ref()
                .is_some_and(|error| error.kind() != ErrorKind::Conflict)
            {
                break;
            }
            match self.parts.ledger.read(&[]).await {
                Ok(snapshot) => record = snapshot.vendor,
                Err(error) => {
                    failure = Some(error);
                    break;
                }
            }
        }
        if let Some(error) = failure {
            telemetry::vendor_unwritten(self.vendor(), &error);
        }
    }

    /// Adds the calls that went well and are not written yet.
    fn with_unwritten(&self, mut tally: Tally) -> Tally {
        let now = self.now();
        let mut unwritten = self.unwritten.lock().unwrap_or_else(PoisonError::into_inner);
        let age = now.duration_since(unwritten.since);
        if age > jiff::SignedDuration::try_from(self.parts.circuit.window).unwrap_or_default() {
            *unwritten = Unwritten { since: now, calls: 0 };
        }
        let healthy = tally.calls.saturating_sub(tally.failures);
        tally.calls = tally.calls.saturating_add(unwritten.calls);
        unwritten.calls = unwritten.calls.saturating_add(healthy);
        tally
    }

    fn written(&self) {
        self.unwritten
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .calls = 0;
    }
}

/// Whether a failure leaves open if the call was made.
pub(super) fn is_unknown(error: &Error) -> bool {
    error.verdict() == Verdict::Unknown && !sabotage::is(Sabotage::UnknownAsFailed)
}

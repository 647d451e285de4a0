//! How a vendor stands, in words and for programs.

use jiff::Timestamp;
use serde::Serialize;
use vendorbridge::circuit::Gate;
use vendorbridge::ledger::{self, VendorRecord};

use crate::output;

/// Whether a vendor is called, and why not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Standing {
    pub(crate) state: State,
    pub(crate) pause: Option<Pause>,
    pub(crate) circuit: Option<Circuit>,
}

/// The state in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum State {
    Running,
    Paused,
    CircuitOpen,
    HalfOpen,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Pause {
    since: Timestamp,
    until: Option<Timestamp>,
    reason: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Circuit {
    since: Timestamp,
    probes_from: Timestamp,
    times: u32,
    error: &'static str,
    reason: String,
}

impl State {
    /// The state as programs see it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::CircuitOpen => "circuit-open",
            Self::HalfOpen => "half-open",
        }
    }
}

impl Standing {
    pub(crate) fn of(record: &VendorRecord, now: Timestamp) -> Self {
        Self {
            state: match record.gate(now) {
                Gate::Paused => State::Paused,
                Gate::Closed => State::Running,
                Gate::Open { .. } => State::CircuitOpen,
                Gate::Probe => State::HalfOpen,
            },
            pause: record.pause_at(now).cloned().map(Pause::from),
            circuit: record.circuit.clone().map(Circuit::from),
        }
    }

    pub(crate) fn is_running(&self) -> bool {
        self.state == State::Running
    }

    /// One phrase, as after `mailchimp: `.
    pub(crate) fn words(&self) -> String {
        match (self.state, &self.pause, &self.circuit) {
            (State::Paused, Some(pause), _) => pause.words(),
            (State::CircuitOpen | State::HalfOpen, _, Some(circuit)) => circuit.words(self.state),
            _ => "running".to_owned(),
        }
    }

    /// The circuit alone, also of a paused vendor.
    pub(crate) fn circuit_words(&self) -> String {
        let open = self.circuit.as_ref();
        open.map_or("closed".to_owned(), |circuit| circuit.words(self.state))
    }
}

impl Pause {
    fn words(&self) -> String {
        let mut times = format!("paused since {}", output::time(self.since));
        if let Some(until) = self.until {
            times = format!("{times} until {}", output::time(until));
        }
        match &self.reason {
            Some(reason) => format!("{times} because: {reason}"),
            None => format!("{times}, no reason given"),
        }
    }
}

impl Circuit {
    fn words(&self, state: State) -> String {
        let since = output::time(self.since);
        let next = match state {
            State::HalfOpen => "probes are due".to_owned(),
            _ => format!("probes from {}", output::time(self.probes_from)),
        };
        format!("circuit open since {since} because: {}; {next}", self.reason)
    }
}

impl From<ledger::Pause> for Pause {
    fn from(pause: ledger::Pause) -> Self {
        Self {
            since: pause.since,
            until: pause.until,
            reason: pause.reason,
        }
    }
}

impl From<ledger::Circuit> for Circuit {
    fn from(circuit: ledger::Circuit) -> Self {
        let lease = circuit.probing_until.unwrap_or(circuit.retry_at);
        Self {
            since: circuit.since,
            probes_from: circuit.retry_at.max(lease),
            times: circuit.times,
            error: circuit.kind.name(),
            reason: circuit.reason,
        }
    }
}

//! Scripts that run both in the simulation and end to end: the models are checked against a queue and a table that nobody
//! here wrote.
//!
//! A script has no times. Its steps follow one another at once; where one must wait it says for what.

use std::collections::BTreeMap;

use serde::Deserialize;
use vendorbridge::ledger::Status;

/// A script and how it must end.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What it shows, in a sentence.
    pub says: String,
    /// The share of events that the bus delivers twice.
    #[serde(default)]
    pub duplicates: f64,
    /// What happens, in this order.
    pub steps: Vec<Step>,
    /// What must hold at the end.
    pub end: End,
}

/// One thing that happens, or is waited for.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Step {
    /// The source changes customers, and announces each change.
    Change {
        /// The customers' ids.
        customers: Vec<String>,
        /// How often each changes; every change is announced on its own.
        #[serde(default = "once")]
        times: u32,
    },
    /// The source deletes a customer, and announces it.
    Remove {
        /// The customer's id.
        customer: String,
    },
    /// A vendor misbehaves.
    Fault {
        /// The vendor.
        vendor: String,
        /// How.
        fault: Fault,
        /// Only the request with this number from now, from 1; else all until it recovers.
        #[serde(default)]
        request: Option<u64>,
        /// Only requests about this customer, until the vendor recovers.
        #[serde(default)]
        customer: Option<String>,
    },
    /// A vendor behaves again.
    Recover {
        /// The vendor.
        vendor: String,
    },
    /// A vendor takes this long for an answer.
    Slow {
        /// The vendor.
        vendor: String,
        /// Milliseconds; 0 ends it.
        millis: u64,
    },
    /// All processes of the functions die at once.
    Kill,
    /// Waits until a vendor was called this often.
    WaitForCalls {
        /// The vendor.
        vendor: String,
        /// Calls since the start.
        at_least: u64,
    },
    /// Waits until this many events have a status at a vendor.
    WaitForStatus {
        /// The vendor.
        vendor: String,
        /// The status.
        status: Status,
        /// Events.
        at_least: usize,
    },
    /// Waits until a vendor's circuit is open.
    WaitForCircuit {
        /// The vendor.
        vendor: String,
    },
    /// Waits until every event has a final status at every vendor.
    WaitUntilSettled,
}

/// How a vendor misbehaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// 503 at once.
    Unavailable,
    /// 500 at once: it may have happened; it did not.
    Failing,
    /// 429.
    TooManyRequests,
    /// 401.
    Deauthorized,
    /// 400: the record is refused as it is.
    Refused,
    /// It happens, and the connection is cut before the answer.
    AcceptThenCut,
    /// It does not happen, and the connection is cut.
    Cut,
}

/// What must hold once everything is settled.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct End {
    /// Per vendor and status: the fewest and the most events. A status that is not named may have any number.
    #[serde(default)]
    pub statuses: BTreeMap<String, BTreeMap<Status, (usize, usize)>>,
    /// Per vendor: the most calls.
    #[serde(default)]
    pub calls_at_most: BTreeMap<String, u64>,
    /// Per vendor: effective creations of each customer, repeats under the same key not counted.
    #[serde(default)]
    pub created: BTreeMap<String, u64>,
}

const fn once() -> u32 {
    1
}

impl Scenario {
    /// Reads a script.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// All scripts, by name. Every vendor must hold the source's state at the end of each.
    #[must_use]
    pub fn all() -> [(&'static str, &'static str); 6] {
        [
            ("burst", include_str!("../scenarios/burst.json")),
            ("duplicates", include_str!("../scenarios/duplicates.json")),
            ("killed", include_str!("../scenarios/killed.json")),
            ("outage", include_str!("../scenarios/outage.json")),
            ("refused", include_str!("../scenarios/refused.json")),
            ("unknown", include_str!("../scenarios/unknown.json")),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_scripts_can_be_read() {
        for (name, text) in Scenario::all() {
            let scenario = Scenario::parse(text).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(!scenario.steps.is_empty());
        }
    }
}

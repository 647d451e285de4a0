//! The vendor record: pause, circuit and the counters of the current window.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ErrorKind;

/// How a vendor stands as a whole. [`circuit`](crate::circuit) decides on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VendorRecord {
    /// The vendor's name.
    pub vendor: String,
    /// Counts the writes.
    pub revision: u64,
    /// Set by a person: nothing is sent until it is lifted or over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause: Option<Pause>,
    /// Open, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub circuit: Option<Circuit>,
    /// The calls of late.
    pub window: Window,
}

/// A vendor that a person paused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Since when.
    pub since: Timestamp,
    /// It ends by itself then; without it, a person ends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Why, in the person's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// An open circuit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Circuit {
    /// When it opened first.
    pub since: Timestamp,
    /// From when on probes are let through.
    pub retry_at: Timestamp,
    /// How often in a row it opened.
    pub times: u32,
    /// What the vendor answered.
    pub kind: ErrorKind,
    /// Why, in words: `deauthorized`, or the share of calls that failed.
    pub reason: String,
    /// Somebody probes; if nothing is heard of it by then, somebody else may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probing_until: Option<Timestamp>,
}

/// What is counted towards opening the circuit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Its start.
    pub since: Timestamp,
    /// Calls that ended in it.
    pub calls: u32,
    /// Those of them that failed through the vendor's fault.
    pub failures: u32,
}

impl VendorRecord {
    /// The record of a vendor that the ledger does not know yet; its first write creates it.
    #[must_use]
    pub fn new(vendor: &str) -> Self {
        Self {
            vendor: vendor.to_owned(),
            revision: 0,
            pause: None,
            circuit: None,
            window: Window {
                since: Timestamp::UNIX_EPOCH,
                calls: 0,
                failures: 0,
            },
        }
    }
}

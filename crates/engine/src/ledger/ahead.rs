//! What an entity record says ahead of a call (docs/adr/0007-written-ahead.md).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ErrorRecord;

/// A push that was tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tried {
    /// The canonical hash of the payload.
    pub hash: String,
    /// The record's revision when it was tried first; part of its idempotency key.
    pub revision: u64,
}

/// A create at a vendor without a natural key, written before the call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    /// The idempotency key of the create.
    pub key: String,
    /// No create is sent after this: the process that reserved it is killed by then.
    pub until: Timestamp,
}

/// How far an ordered plan has got: what is completed for a payload is not done again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Steps {
    /// The canonical hash of the payload.
    pub plan: String,
    /// The completed steps, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub done: Vec<StepRecord>,
    /// Steps that were begun, for whatever payload, and may have happened.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub begun: Vec<String>,
    /// What completed steps of an earlier plan answered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<StepRecord>,
    /// The plan failed for good for this reason; what it did is being undone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoing: Option<ErrorRecord>,
}

/// A call that may happen only once in an entity's life, such as a booking. It outlives the plan and the settle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effect {
    /// Its name.
    pub name: String,
    /// It did not happen before this.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub since: Timestamp,
    /// Where its outcome is not known: no call is sent after this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// What it answered, once that is known; until then what it is about.
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    pub output: serde_json::Value,
    /// How long the call took whose answer this is, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took_ms: Option<u64>,
    /// When its answer was known.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "jiff::fmt::serde::timestamp::millisecond::optional"
    )]
    pub at: Option<Timestamp>,
}

/// A completed step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepRecord {
    /// Its name.
    pub name: String,
    /// What it answered.
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    pub output: serde_json::Value,
    /// When it was completed.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "jiff::fmt::serde::timestamp::millisecond::optional"
    )]
    pub at: Option<Timestamp>,
    /// How long it took, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took_ms: Option<u64>,
}

impl Steps {
    pub(crate) fn new(plan: &str) -> Self {
        Self {
            plan: plan.to_owned(),
            done: Vec::new(),
            begun: Vec::new(),
            earlier: Vec::new(),
            undoing: None,
        }
    }

    /// The plan of another payload. A step that was begun stays begun: it may have happened.
    pub(crate) fn replan(&self, plan: &str) -> Self {
        let mut earlier = self.done.clone();
        let is_done = |step: &StepRecord| self.done.iter().any(|done| done.name == step.name);
        earlier.extend(self.earlier.iter().filter(|step| !is_done(step)).cloned());
        Self {
            plan: plan.to_owned(),
            done: Vec::new(),
            begun: self.begun.clone(),
            earlier,
            undoing: None,
        }
    }
}

//! Why something failed, as it is shown.

use serde::Serialize;
use vendorbridge::ledger::ErrorRecord;

/// A failure. The reason is as long as the ledger has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// At which station: `intake`, `source`, `map`, `push`, `settle`.
    pub stage: &'static str,
    /// In which step of an ordered plan, or null.
    pub step: Option<String>,
    /// The field at fault, as a JSON Pointer, or null.
    pub field: Option<String>,
    /// The other side's code, or null.
    pub code: Option<String>,
    /// What was found and what was expected.
    pub reason: String,
    /// What happened: `invalid`, `refused`, `rate-limited`, ….
    pub kind: &'static str,
    /// What it means: `retry`, `permanent`, `unknown`.
    pub verdict: String,
}

impl Failure {
    /// Where it failed and in whose words: `push, step price, field /email, code 400: expected …`.
    pub(crate) fn words(&self) -> String {
        let mut words = self.stage.to_owned();
        for (name, value) in [("step", &self.step), ("field", &self.field), ("code", &self.code)] {
            if let Some(value) = value {
                words = format!("{words}, {name} {value}");
            }
        }
        format!("{words}: {}", self.reason)
    }
}

impl From<ErrorRecord> for Failure {
    fn from(error: ErrorRecord) -> Self {
        Self {
            stage: error.stage.name(),
            step: error.step,
            field: error.pointer,
            code: error.code,
            reason: error.message,
            kind: error.kind.name(),
            verdict: error.verdict,
        }
    }
}

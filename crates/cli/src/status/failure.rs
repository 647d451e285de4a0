//! Why something failed, as it is shown.

use serde::Serialize;
use vendorbridge::ledger::ErrorRecord;

/// A failure. The reason is as long as the ledger has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Failure {
    /// At which station: `intake`, `source`, `map`, `push`, `settle`.
    pub(super) stage: &'static str,
    /// In which step of an ordered plan, or null.
    pub(super) step: Option<String>,
    /// The field at fault, as a JSON Pointer, or null.
    pub(super) field: Option<String>,
    /// The other side's code, or null.
    pub(super) code: Option<String>,
    /// What was found and what was expected.
    pub(super) reason: String,
    /// What happened: `invalid`, `refused`, `rate-limited`, ….
    pub(super) kind: &'static str,
    /// What it means: `retry`, `permanent`, `unknown`.
    pub(super) verdict: String,
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

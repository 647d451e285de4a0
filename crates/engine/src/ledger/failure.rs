//! A failure as the ledger keeps it: it becomes an error again where a plan goes on.

use serde::{Deserialize, Serialize};

use crate::{Error, ErrorKind, Stage, Verdict};

/// A failure as the ledger keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorRecord {
    /// What happened.
    pub kind: ErrorKind,
    /// `retry`, `permanent` or `unknown`.
    pub verdict: String,
    /// At which station.
    pub stage: Stage,
    /// In which step of a plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// The field at fault, as a JSON Pointer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// The vendor's code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The HTTP status of its answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// What was found and what was expected; the vendor's words where it spoke. E-mail addresses are taken out.
    pub message: String,
}

impl From<&Error> for ErrorRecord {
    fn from(error: &Error) -> Self {
        Self {
            kind: error.kind(),
            verdict: error.verdict().name().to_owned(),
            stage: error.stage(),
            step: error.step().map(str::to_owned),
            pointer: error.pointer().map(str::to_owned),
            code: error.vendor_code().map(str::to_owned),
            status: error.status(),
            message: error.message().to_owned(),
        }
    }
}

impl ErrorRecord {
    /// Whether another try makes sense.
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        self.verdict == Verdict::Permanent.name()
    }
}

impl From<&ErrorRecord> for Error {
    fn from(record: &ErrorRecord) -> Self {
        let verdict = match record.verdict.as_str() {
            "permanent" => Verdict::Permanent,
            "unknown" => Verdict::Unknown,
            _ => Verdict::Retry { after: None },
        };
        let mut error = Self::new(record.kind, verdict, record.stage, &record.message);
        if let Some(step) = &record.step {
            error = error.in_step(step);
        }
        if let Some(pointer) = &record.pointer {
            error = error.at(pointer);
        }
        if let Some(code) = &record.code {
            error = error.code(code);
        }
        if let Some(status) = record.status {
            error = error.with_status(status);
        }
        error
    }
}

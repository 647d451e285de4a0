//! The one error type: what happened, what to do about it, and where.

mod kind;

use std::fmt;
use std::time::Duration;

pub use kind::{ErrorKind, Stage, Verdict};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A failure: kind, verdict, place and, where there is one, the error behind it.
///
/// Safe to store in the ledger: e-mail addresses are taken out of message, pointer and code, and long ones are cut. Logs
/// carry kind, stage, pointer and code, never the message.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    verdict: Verdict,
    stage: Stage,
    step: Option<String>,
    brief: bool,
    not_before: Option<Duration>,
    pointer: Option<String>,
    code: Option<String>,
    status: Option<u16>,
    turned_away: bool,
    message: String,
    source: Option<BoxError>,
}

/// Longer vendor messages are cut, so that an entity record stays within one write unit.
const MAX_MESSAGE_CHARS: usize = 240;

impl Error {
    /// A failure of `kind` at `stage`, and what to do about it.
    pub fn new(kind: ErrorKind, verdict: Verdict, stage: Stage, message: impl AsRef<str>) -> Self {
        Self(Box::new(Inner {
            kind,
            verdict,
            stage,
            step: None,
            brief: false,
            not_before: None,
            pointer: None,
            code: None,
            status: None,
            turned_away: false,
            message: without_addresses(message.as_ref()),
            source: None,
        }))
    }

    /// A failure that goes away by itself: try again later.
    pub fn retry(kind: ErrorKind, stage: Stage, message: impl AsRef<str>) -> Self {
        Self::new(kind, Verdict::Retry { after: None }, stage, message)
    }

    /// A failure that stays until the data changes.
    pub fn permanent(kind: ErrorKind, stage: Stage, message: impl AsRef<str>) -> Self {
        Self::new(kind, Verdict::Permanent, stage, message)
    }

    /// Names the field by JSON Pointer (RFC 6901).
    #[must_use]
    pub fn at(mut self, pointer: impl Into<String>) -> Self {
        self.0.pointer = Some(without_addresses(&pointer.into()));
        self
    }

    /// Adds the code by which the other side names the failure.
    #[must_use]
    pub fn code(mut self, code: impl Into<String>) -> Self {
        self.0.code = Some(without_addresses(&code.into()));
        self
    }

    /// Adds the HTTP status of the other side's answer.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.0.status = Some(status);
        self
    }

    /// Names the step of a plan.
    #[must_use]
    pub fn in_step(mut self, step: impl Into<String>) -> Self {
        self.0.step = Some(step.into());
        self
    }

    /// Adds the wait that the other side asked for, where the verdict does not hold it: an unknown outcome, too, is looked
    /// into no sooner.
    #[must_use]
    pub fn not_before(mut self, after: Duration) -> Self {
        self.0.not_before = Some(after);
        self
    }

    /// Marks a failure that is nearly free to retry at once: a refused connection, a 502, 503 or 504, a Retry-After of
    /// two seconds at most.
    #[must_use]
    pub fn brief(mut self) -> Self {
        self.0.brief = true;
        self
    }

    /// Adds the error behind this one.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<BoxError>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The same failure in other words, with another code.
    #[must_use]
    pub fn reworded(mut self, message: impl AsRef<str>, code: impl Into<String>) -> Self {
        self.0.message = without_addresses(message.as_ref());
        self.code(code)
    }

    /// The same failure, seen at another stage.
    #[must_use]
    pub fn at_stage(mut self, stage: Stage) -> Self {
        self.0.stage = stage;
        self
    }

    /// The same failure for another entity that was in the same call; without the error behind it.
    #[must_use]
    pub fn copied(&self) -> Self {
        let Inner {
            kind,
            verdict,
            stage,
            brief,
            not_before,
            status,
            turned_away,
            ..
        } = *self.0;
        Self(Box::new(Inner {
            kind,
            verdict,
            stage,
            step: self.0.step.clone(),
            brief,
            not_before,
            pointer: self.0.pointer.clone(),
            code: self.0.code.clone(),
            status,
            turned_away,
            message: self.0.message.clone(),
            source: None,
        }))
    }

    /// The same failure where an earlier try of the same call may have been carried out: its outcome is unknown.
    #[must_use]
    pub fn in_doubt(mut self) -> Self {
        self.0.not_before = self.retry_after();
        self.0.verdict = Verdict::Unknown;
        self
    }

    /// What happened.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What to do about it.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        self.0.verdict
    }

    /// Where it happened.
    #[must_use]
    pub fn stage(&self) -> Stage {
        self.0.stage
    }

    /// In which step of a plan it happened.
    #[must_use]
    pub fn step(&self) -> Option<&str> {
        self.0.step.as_deref()
    }

    /// The wait that the other side asked for.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self.0.verdict {
            Verdict::Retry { after: Some(after) } => Some(after),
            _ => self.0.not_before,
        }
    }

    /// Whether a retry at once is nearly free.
    #[must_use]
    pub fn is_brief(&self) -> bool {
        self.0.brief
    }

    /// The field at fault, as a JSON Pointer.
    #[must_use]
    pub fn pointer(&self) -> Option<&str> {
        self.0.pointer.as_deref()
    }

    /// Says that the call was certainly not carried out, not even in part: it was turned away for what it says.
    #[must_use]
    pub fn turned_away(mut self) -> Self {
        self.0.turned_away = true;
        self
    }

    /// Whether the call was certainly not carried out, although its failure is permanent.
    pub(crate) fn is_turned_away(&self) -> bool {
        self.0.turned_away
    }

    /// The HTTP status of the other side's answer, where there was one.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// The other side's code.
    #[must_use]
    pub fn vendor_code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// The message alone, without place and code.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.stage.name())?;
        if let Some(step) = &self.0.step {
            write!(f, " in step `{step}`")?;
        }
        if let Some(pointer) = &self.0.pointer {
            write!(f, " at {pointer}")?;
        }
        write!(f, ": {}", self.0.message)?;
        if let Some(code) = &self.0.code {
            write!(f, " [{code}]")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {:?} {self}", self.0.kind, self.0.verdict)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

/// Vendors quote the address they refuse; the ledger and its readers need the reason only.
fn without_addresses(message: &str) -> String {
    let mut words = Vec::new();
    for word in message.split_whitespace() {
        let is_address = word.find('@').is_some_and(|at| at > 0 && at + 1 < word.len());
        words.push(if is_address { "<address>" } else { word });
    }
    let message = words.join(" ");
    match message.char_indices().nth(MAX_MESSAGE_CHARS) {
        Some((end, _)) => format!("{}…", &message[..end]),
        None => message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_never_reach_the_message() {
        let error = Error::permanent(
            ErrorKind::Refused,
            Stage::Push,
            "ada@lovelace.example looks fake or invalid",
        );
        assert_eq!(error.message(), "<address> looks fake or invalid");
        assert!(!format!("{error} {error:?}").contains("lovelace"));
    }

    #[test]
    fn long_messages_are_cut_at_a_character() {
        let error = Error::retry(ErrorKind::Unavailable, Stage::Push, "ö".repeat(1000));
        assert_eq!(error.message().chars().count(), MAX_MESSAGE_CHARS + 1);
    }

    #[test]
    fn display_names_place_field_and_code() {
        let error = Error::permanent(
            ErrorKind::Invalid,
            Stage::Map,
            "expected an e-mail address, found null",
        )
        .at("/email")
        .code("E1");
        assert_eq!(
            error.to_string(),
            "map at /email: expected an e-mail address, found null [E1]"
        );
    }
}

//! What happened, what to do about it, and where.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorKind {
    /// What we were given, or would have sent, does not have the required shape.
    Invalid,
    /// The credential was refused.
    Deauthorized,
    /// The thing addressed does not exist.
    NotFound,
    /// The other side refuses the record as it is.
    Refused,
    /// The other side asks for fewer calls.
    RateLimited,
    /// The other side cannot serve now, or cannot be reached.
    Unavailable,
    /// No answer in time.
    Timeout,
    /// The source answered with an older version than the one announced.
    Lagging,
    /// A size limit was exceeded.
    TooLarge,
    /// A conditional write lost against another one.
    Conflict,
    /// Work on the entity panicked.
    Panicked,
    /// Another entity of the same vendor must come first. It is no failed try, so no wait is longer than the one before: say
    /// after which time it is to be asked again.
    Waiting,
    /// The vendor's plan keeps the entity out; the code is the rule's name. What was done for it before stays in the ledger.
    Excluded,
    /// The vendor was not called: a person paused it.
    Paused,
    /// The vendor was not called: its circuit is open.
    CircuitOpen,
    /// Anything else.
    Unexpected,
}

/// What a failure means for the entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It did not happen; try again, not before `after` if the other side named a time.
    Retry {
        /// The wait that the other side asked for (Retry-After).
        after: Option<Duration>,
    },
    /// Trying the same again cannot help.
    Permanent,
    /// It may have happened: look, or repeat only what is idempotent.
    Unknown,
}

impl Verdict {
    /// The name used in the ledger and in logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Retry { .. } => "retry",
            Self::Permanent => "permanent",
            Self::Unknown => "unknown",
        }
    }
}

/// The station of a message at which something failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Parsing the message and handing it to its lane.
    Intake,
    /// Asking the source.
    Source,
    /// Mapping to the vendor's payload.
    Map,
    /// Calling the vendor.
    Push,
    /// Writing the vendor's id back to the source.
    Link,
    /// Writing the ledger.
    Settle,
}

impl Stage {
    /// Whether what failed there may have left something at the vendor.
    #[must_use]
    pub(crate) const fn is_at_vendor(self) -> bool {
        matches!(self, Self::Push | Self::Link)
    }

    /// The name used in the ledger and in logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Intake => "intake",
            Self::Source => "source",
            Self::Map => "map",
            Self::Push => "push",
            Self::Link => "link",
            Self::Settle => "settle",
        }
    }
}

impl ErrorKind {
    /// The name used in the ledger and in logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Deauthorized => "deauthorized",
            Self::NotFound => "not-found",
            Self::Refused => "refused",
            Self::RateLimited => "rate-limited",
            Self::Unavailable => "unavailable",
            Self::Timeout => "timeout",
            Self::Lagging => "lagging",
            Self::TooLarge => "too-large",
            Self::Conflict => "conflict",
            Self::Panicked => "panicked",
            Self::Waiting => "waiting",
            Self::Excluded => "excluded",
            Self::Paused => "paused",
            Self::CircuitOpen => "circuit-open",
            Self::Unexpected => "unexpected",
        }
    }
}

//! Why a command failed: one line that says what was found, what was expected and what to do.

mod aws;
mod words;

use vendorbridge::EntityKey;

use crate::Exit;

pub(crate) use aws::is_busy;
pub(crate) use words::{Unsent, chain, one_line};
use words::{coded, unsent};

/// A command failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CliError {
    /// No region is configured.
    #[error("expected an AWS region, found none: set AWS_REGION, or AWS_PROFILE to a profile that has one")]
    NoRegion,
    /// There are no usable credentials.
    #[error(
        "expected AWS credentials, found {found}: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, \
         or sign in with `aws sso login`"
    )]
    NoCredentials {
        /// What there is instead.
        found: String,
    },
    /// AWS does not know the credentials, or they have expired.
    #[error(
        "expected valid AWS credentials for {action}, found that AWS refuses them ({code}): sign in again"
    )]
    Refused {
        /// What was to be done.
        action: &'static str,
        /// AWS's code.
        code: String,
    },
    /// The credentials do not allow it.
    #[error("expected permission for {action}, found none: {message} ({code})")]
    Forbidden {
        /// What was to be done.
        action: &'static str,
        /// AWS's code.
        code: String,
        /// AWS's words.
        message: String,
    },
    /// The stack does not exist, or not here.
    #[error(
        "expected a stack `{stack}` in {region}, found none ({message}): name it with --stack, or set the region"
    )]
    NoStack {
        /// The name.
        stack: String,
        /// Where it was looked for.
        region: String,
        /// AWS's words.
        message: String,
    },
    /// The stack is not one of ours, or not finished.
    #[error(
        "expected an output `{output}` of stack `{stack}`, found none: it is {state}, or not a Vendorbridge stack"
    )]
    NoOutput {
        /// The stack.
        stack: String,
        /// What it should have told.
        output: &'static str,
        /// The stack's status.
        state: String,
    },
    /// No vendor of this name is deployed.
    #[error("expected one of the vendors {known}, found `{found}`")]
    NoVendor {
        /// What was asked for.
        found: String,
        /// What is deployed.
        known: String,
    },
    /// AWS, or what stands in for it, cannot be reached.
    #[error(
        "expected an answer for {action}, found {found}: look at the network, and at AWS_ENDPOINT_URL if it is set"
    )]
    NoAnswer {
        /// What was to be done.
        action: &'static str,
        /// What happened instead.
        found: String,
    },
    /// A call of AWS failed in another way.
    #[error("{action} failed: {message}")]
    Call {
        /// What was to be done.
        action: &'static str,
        /// Why not.
        message: String,
    },
    /// AWS does not take the call now, even after the SDK's own retries.
    #[error("{action} failed: {message} ({code})")]
    Throttled {
        /// What was to be done.
        action: &'static str,
        /// AWS's code.
        code: String,
        /// AWS's words.
        message: String,
    },
    /// A file cannot be read.
    #[error("{file}: expected a readable file, found: {error}")]
    File {
        /// The file.
        file: String,
        /// Why not.
        error: std::io::Error,
    },
    /// A file holds something that is not an event.
    #[error("{place}: expected {expected}, found {found}")]
    Event {
        /// File, event and field.
        place: String,
        /// What it should be.
        expected: &'static str,
        /// What it is. Never quotes the event: details can be personal data.
        found: String,
    },
    /// Some events were not sent.
    #[error("{}", unsent(*.sent, .missing))]
    Unsent {
        /// How many were accepted.
        sent: usize,
        /// The others: where each stands, and why.
        missing: Vec<Unsent>,
    },
    /// The rest was not sent because a call failed.
    #[error("{cause}; {sent} of {total} events were sent before")]
    Stopped {
        /// Why.
        cause: Box<CliError>,
        /// How many were accepted.
        sent: usize,
        /// How many there are.
        total: usize,
    },
    /// Something else listens there.
    #[error(
        "expected port {port} of 127.0.0.1 to be free, found that it is taken: name another with --port, or 0 for any"
    )]
    PortTaken {
        /// The port.
        port: u16,
    },
    /// A vendor's function gave no answer to a question.
    #[error(
        "expected an answer of the function of `{vendor}`, found {found}: it is older than this command, or look at its log"
    )]
    Unanswered {
        /// The vendor.
        vendor: String,
        /// What there was instead.
        found: String,
    },
    /// A vendor's function answered that it cannot answer.
    #[error("expected the function of `{vendor}` to answer, found that it failed: {message}{}", coded(*.kind, .code.as_deref()))]
    Answered {
        /// The vendor.
        vendor: String,
        /// What happened.
        kind: vendorbridge::ErrorKind,
        /// The other side's code.
        code: Option<String>,
        /// In words.
        message: String,
        /// Whether the same question may be answered later.
        is_passing: bool,
    },
    /// The rest of some work was not done.
    #[error("{cause}; {done} before that. {go_on}")]
    Unfinished {
        /// Why.
        cause: Box<CliError>,
        /// What was done, such as `12 of 40 sent`.
        done: String,
        /// How to go on.
        go_on: String,
    },
    /// The queue did not take entities.
    #[error(
        "expected the queue to take {total} entities, found {refused} refused after retries, such as {entity} ({message})"
    )]
    Lanes {
        /// How many were sent at once.
        total: usize,
        /// How many of them were refused.
        refused: usize,
        /// One of them.
        entity: EntityKey,
        /// What the queue said of it.
        message: String,
    },
    /// Somebody is at the same work.
    #[error(
        "expected nobody at this {command}, found one under way since {since}, last heard of at {at}: let it end, or if its \
         process is gone, take it over with --take-over (without it: from {free_at} on)"
    )]
    UnderWay {
        /// The command.
        command: &'static str,
        /// When it began.
        since: String,
        /// When it wrote its checkpoint last.
        at: String,
        /// From when on it counts as dead.
        free_at: String,
    },
    /// Somebody took over the work of this process.
    #[error(
        "expected to be the only one at this {command}, found that somebody has taken it over: nothing more is sent from here"
    )]
    TakenOver {
        /// The command.
        command: &'static str,
    },
    /// What was asked for needs another command line.
    #[error("{0}")]
    Usage(String),
    /// The answer cannot be written.
    #[error("expected standard output to take the answer, found: {0}")]
    Output(std::io::Error),
    /// The answer has no JSON form.
    #[error("the answer cannot be written as JSON: {0}")]
    Json(serde_json::Error),
    /// The asynchronous runtime did not start.
    #[error("the runtime did not start: {0}")]
    Runtime(std::io::Error),
}

impl CliError {
    /// The same for entities that a vendor's queue refused.
    pub(crate) fn of_lanes(
        total: usize,
        refused: usize,
        entity: &EntityKey,
        error: &vendorbridge::Error,
    ) -> Self {
        match Self::of_ledger("sending into the vendor's queue", error) {
            Self::Call { message, .. } => Self::Lanes {
                total,
                refused,
                entity: entity.clone(),
                message,
            },
            Self::Throttled { code, message, .. } => Self::Lanes {
                total,
                refused,
                entity: entity.clone(),
                message: format!("{message} ({code})"),
            },
            told => told,
        }
    }

    /// Whether the same call may go well a little later.
    #[must_use]
    pub const fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::Throttled { .. } | Self::Answered { is_passing: true, .. }
        )
    }

    /// What the command ends with.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) => Exit::Wrong,
            _ => Exit::Failed,
        }
    }
}

#[cfg(test)]
mod tests;

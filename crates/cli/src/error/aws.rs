//! What a failure of AWS means to the person at the keyboard.

use aws_sdk_cloudformation::error::{ProvideErrorMetadata, SdkError};

use vendorbridge::ledger::UNPROCESSED_KEYS;

use super::{CliError, chain, one_line};

impl CliError {
    /// What a failed call of AWS means to the person at the keyboard.
    pub(crate) fn of_sdk<E>(action: &'static str, error: &SdkError<E>) -> Self
    where
        E: std::error::Error + ProvideErrorMetadata + 'static,
    {
        match (error.code(), error) {
            (Some(code), _) => Self::of_code(action, code, error.message().unwrap_or("AWS gives no reason")),
            (None, SdkError::DispatchFailure(_) | SdkError::TimeoutError(_)) => Self::NoAnswer {
                action,
                found: chain(error),
            },
            (None, _) => Self::Call {
                action,
                message: chain(error),
            },
        }
    }

    /// The same for an error that the ledger's reader has wrapped.
    pub(crate) fn of_ledger(action: &'static str, error: &vendorbridge::Error) -> Self {
        match error.vendor_code() {
            Some(code) => Self::of_code(action, code, error.message()),
            None => Self::Call {
                action,
                message: one_line(error.message()),
            },
        }
    }

    /// The ledger could not be read.
    #[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
    pub(crate) fn unread(error: vendorbridge::Error) -> Self {
        Self::of_ledger("reading the ledger's table", &error)
    }

    pub(super) fn of_code(action: &'static str, code: &str, message: &str) -> Self {
        let message = one_line(message);
        let code = code.to_owned();
        match code.as_str() {
            "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" => Self::Forbidden {
                action,
                code,
                message,
            },
            "ExpiredToken"
            | "ExpiredTokenException"
            | "IncompleteSignature"
            | "InvalidClientTokenId"
            | "InvalidSignatureException"
            | "MissingAuthenticationToken"
            | "SignatureDoesNotMatch"
            | "UnrecognizedClientException" => Self::Refused { action, code },
            busy if is_busy(busy) => Self::Throttled {
                action,
                code,
                message,
            },
            _ => Self::Call {
                action,
                message: format!("{message} ({code})"),
            },
        }
    }
}

/// Whether AWS says by this code that the same call may be taken a little later.
pub(crate) fn is_busy(code: &str) -> bool {
    matches!(
        code,
        "LimitExceeded"
            | "LimitExceededException"
            | "ProvisionedThroughputExceededException"
            | "RequestLimitExceeded"
            | "RequestThrottled"
            | "RequestThrottledException"
            | "ServiceUnavailableException"
            | "Throttling"
            | "ThrottlingException"
            | "TooManyRequestsException"
            | UNPROCESSED_KEYS
    )
}

//! Whether a log is asked again after a failure, and after which pause.

use std::time::Duration;

use aws_sdk_cloudwatchlogs::error::{ProvideErrorMetadata, SdkError};

use crate::error::is_busy;

/// The pauses double up to this.
const LONGEST: Duration = Duration::from_secs(30);

/// How a question failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failed<'a> {
    /// It could not even be asked.
    Unasked,
    /// Nobody answered it.
    Unanswered,
    /// AWS answered with this HTTP status and code.
    Refused { status: u16, code: Option<&'a str> },
}

impl<'a> Failed<'a> {
    pub(super) fn of<E: ProvideErrorMetadata>(error: &'a SdkError<E>) -> Self {
        match (error, error.raw_response()) {
            (_, Some(answer)) => Self::Refused {
                status: answer.status().as_u16(),
                code: error.code(),
            },
            (SdkError::DispatchFailure(_) | SdkError::TimeoutError(_), None) => Self::Unanswered,
            (_, None) => Self::Unasked,
        }
    }

    fn is_passing(self) -> bool {
        match self {
            Self::Unasked => false,
            Self::Unanswered => true,
            // 501: whatever stands in for AWS does not know the call, and will not learn it.
            Self::Refused { status, code } => {
                matches!(status, 429 | 500 | 502..) || code.is_some_and(is_busy)
            }
        }
    }
}

/// How long to wait before the same question, after so many failures in a row `before` this one; `None` if it would fail again.
pub(super) fn pause(failed: Failed<'_>, before: u32) -> Option<Duration> {
    let seconds = 1_u64.checked_shl(before).unwrap_or(u64::MAX);
    failed
        .is_passing()
        .then(|| Duration::from_secs(seconds).min(LONGEST))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const fn refused(status: u16, code: &'static str) -> Failed<'static> {
        let code = Some(code);
        Failed::Refused { status, code }
    }

    #[rstest]
    #[case::throttled(refused(400, "ThrottlingException"), true)]
    #[case::too_many(refused(400, "LimitExceededException"), true)]
    #[case::by_status(Failed::Refused { status: 429, code: None }, true)]
    #[case::their_failure(refused(500, "InternalFailure"), true)]
    #[case::a_gateway(Failed::Refused { status: 502, code: None }, true)]
    #[case::unavailable(refused(503, "ServiceUnavailableException"), true)]
    #[case::unknown_call(refused(501, "NotImplemented"), false)]
    #[case::nobody(Failed::Unanswered, true)]
    #[case::unasked(Failed::Unasked, false)]
    #[case::forbidden(refused(400, "AccessDeniedException"), false)]
    #[case::expired(refused(400, "ExpiredTokenException"), false)]
    #[case::no_log(refused(400, "ResourceNotFoundException"), false)]
    #[case::wrong(refused(400, "InvalidParameterException"), false)]
    #[case::not_understood(Failed::Refused { status: 200, code: None }, false)]
    fn only_what_passes_is_asked_again(#[case] failed: Failed<'_>, #[case] expected: bool) {
        assert_eq!(pause(failed, 0).is_some(), expected);
    }

    #[rstest]
    #[case(0, 1)]
    #[case(1, 2)]
    #[case(4, 16)]
    #[case(5, 30)]
    #[case(63, 30)]
    #[case(u32::MAX, 30)]
    fn pauses_grow_up_to_half_a_minute(#[case] before: u32, #[case] seconds: u64) {
        let expected = Some(Duration::from_secs(seconds));
        assert_eq!(pause(Failed::Unanswered, before), expected);
    }
}

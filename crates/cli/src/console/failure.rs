//! A question that cannot be answered, as the page gets it.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::CliError;

/// Why a question has no answer:
///
/// ```json
/// {"error": "expected permission for reading the ledger's table, found none: …",
///  "advice": "Ask for the policy of the stack's output LookPolicyArn, or OperatePolicyArn to act."}
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Failure {
    #[serde(skip)]
    status: StatusCode,
    /// What was expected and what was found.
    error: String,
    /// What to do; null if the error says it.
    advice: Option<&'static str>,
}

impl Failure {
    /// The page asked for something that it should not have.
    pub(super) fn bad_request(error: &impl ToString) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            error: error.to_string(),
            advice: None,
        }
    }
}

impl From<CliError> for Failure {
    fn from(error: CliError) -> Self {
        let (status, advice) = match &error {
            CliError::NoVendor { .. } => (StatusCode::NOT_FOUND, None),
            CliError::Forbidden { .. } => (
                StatusCode::FORBIDDEN,
                Some(
                    "Ask for the policy of the stack's output LookPolicyArn to look, OperatePolicyArn to act.",
                ),
            ),
            CliError::Refused { .. } => (
                StatusCode::FORBIDDEN,
                Some("The console keeps the credentials it started with: end it, sign in, start it again."),
            ),
            CliError::Throttled { .. } => (
                StatusCode::SERVICE_UNAVAILABLE,
                Some("AWS is asked too often at the moment. It is asked again by itself."),
            ),
            _ => (StatusCode::BAD_GATEWAY, None),
        };
        Self {
            status,
            error: error.to_string(),
            advice,
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        (self.status, Json(self)).into_response()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("AccessDeniedException", StatusCode::FORBIDDEN, "LookPolicyArn")]
    #[case("ExpiredTokenException", StatusCode::FORBIDDEN, "sign in")]
    #[case("ThrottlingException", StatusCode::SERVICE_UNAVAILABLE, "by itself")]
    fn aws_codes_become_what_to_do(#[case] code: &str, #[case] status: StatusCode, #[case] advice: &str) {
        let error = vendorbridge::Error::retry(
            vendorbridge::ErrorKind::Unavailable,
            vendorbridge::Stage::Settle,
            "no",
        );
        let error = CliError::of_ledger("reading the ledger's table", &error.code(code));
        let failure = Failure::from(error);
        assert_eq!(failure.status, status);
        assert!(failure.advice.unwrap().contains(advice), "{failure:?}");
    }
}

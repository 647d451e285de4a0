//! Mailchimp's errors: `application/problem+json` with five required members, and `errors` on a 400.
//!
//! Members: `default` answer of every operation in the Marketing API description
//! (mailchimp/mailchimp-marketing-cli, `cli/mailchimp/openapi0.json`). Titles and details:
//! <https://mailchimp.com/developer/marketing/docs/errors/>, and answers that client projects recorded
//! (ibericode/mailchimp-for-wordpress#798 and #771, `OperationCode/operationcode_old_site#692`).

use std::sync::atomic::{AtomicU64, Ordering};

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

/// One refusal.
#[derive(Debug, Serialize)]
pub(super) struct Problem {
    #[serde(rename = "type")]
    kind: &'static str,
    title: String,
    status: u16,
    detail: String,
    instance: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
}

/// What is wrong with one field; the name is empty for the body as a whole.
#[derive(Debug, Serialize)]
pub(super) struct FieldError {
    pub(super) field: String,
    pub(super) message: String,
}

impl Problem {
    pub(super) fn new(status: StatusCode, title: &str, detail: impl Into<String>) -> Self {
        static ANSWERS: AtomicU64 = AtomicU64::new(1);
        let answer = ANSWERS.fetch_add(1, Ordering::Relaxed);
        Self {
            kind: "https://mailchimp.com/developer/marketing/docs/errors/",
            title: title.to_owned(),
            status: status.as_u16(),
            detail: detail.into(),
            instance: format!("00000000-0000-4000-8000-{answer:012x}"),
            errors: Vec::new(),
        }
    }

    pub(super) fn invalid(errors: Vec<FieldError>) -> Self {
        let detail = "The resource submitted could not be validated. For field-specific details, see the 'errors' array.";
        Self {
            errors,
            ..Self::new(StatusCode::BAD_REQUEST, "Invalid Resource", detail)
        }
    }

    /// A 400 about the address as a whole, which comes without `errors`.
    pub(super) fn invalid_address(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "Invalid Resource", detail)
    }

    pub(super) fn unreadable() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "JSON Parse Error",
            "We encountered an unspecified JSON parsing error.",
        )
    }

    pub(super) fn key_missing() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "API Key Missing",
            "Your request did not include an API key.",
        )
    }

    pub(super) fn key_invalid() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "API Key Invalid",
            "Your API key may be invalid, or you've attempted to access the wrong datacenter.",
        )
    }

    pub(super) fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "Resource Not Found",
            "The requested resource could not be found.",
        )
    }

    pub(super) fn not_removable() -> Self {
        let detail = "This list member cannot be removed.  Please contact support.";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed", detail)
    }

    pub(super) fn member_exists(address: &str) -> Self {
        let detail = format!("{address} is already a list member. Use PUT to insert or update list members.");
        Self::new(StatusCode::BAD_REQUEST, "Member Exists", detail)
    }

    pub(super) fn compliance(address: &str) -> Self {
        let detail = format!(
            "{address} is in a compliance state due to unsubscribe, bounce, or compliance review and cannot be subscribed."
        );
        Self::new(StatusCode::BAD_REQUEST, "Member In Compliance State", detail)
    }

    pub(super) fn forgotten(address: &str) -> Self {
        let detail = format!(
            "{address} was permanently deleted and cannot be re-imported. The contact must re-subscribe to get back on \
             the list."
        );
        Self::new(StatusCode::BAD_REQUEST, "Forgotten Email Not Subscribed", detail)
    }

    /// A refusal that is not about the request's content.
    pub(super) fn of(status: StatusCode, detail: &str) -> Self {
        Self::new(status, status.canonical_reason().unwrap_or("Error"), detail)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(self)).into_response();
        let kind = HeaderValue::from_static("application/problem+json; charset=utf-8");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response
    }
}

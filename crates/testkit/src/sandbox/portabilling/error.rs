//! PortaBilling's refusals: HTTP 500, whatever the reason, with `faultcode` and `faultstring`.
//!
//! The codes about sessions are those that clients look for (portabilling/billing, `Billing.php`). The others follow their
//! form, `Server.<service>.<method>.<what>`, and are assumed: no list of them is public.

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;

/// One refusal.
#[derive(Debug, Serialize)]
pub(super) struct Refusal {
    #[serde(rename = "faultcode")]
    code: String,
    #[serde(rename = "faultstring")]
    text: String,
}

impl Refusal {
    pub(super) fn new(code: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            text: text.into(),
        }
    }

    /// Of a method of the service `Customer`.
    pub(super) fn of(method: &str, what: &str, text: impl Into<String>) -> Self {
        Self::new(format!("Server.Customer.{method}.{what}"), text)
    }

    pub(super) fn no_such_customer(method: &str) -> Self {
        Self::of(method, "customer_not_found", "The customer is not found")
    }

    pub(super) fn terminated(method: &str) -> Self {
        Self::of(method, "customer_terminated", "The customer is terminated")
    }

    pub(super) fn missing(method: &str, name: &str) -> Self {
        Self::of(
            method,
            "parameter_missed",
            format!("{name}: the parameter is mandatory"),
        )
    }

    pub(super) fn invalid(method: &str, name: &str, expected: &str) -> Self {
        Self::of(
            method,
            "parameter_invalid",
            format!("{name}: expected {expected}"),
        )
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (StatusCode::INTERNAL_SERVER_ERROR, axum::Json(self)).into_response()
    }
}

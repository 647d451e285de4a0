//! The Service Layer's errors.
//!
//! Seen by clients: 301, -2028, -2039, 100000027, and -1000 for an unknown property. The other codes are assumed; what
//! is certain is only that a request like that is refused with a 400.

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

/// Why something cannot be done in B1, by hand or over the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There is no such record.
    #[error("No matching records found (ODBC -2028)")]
    Unknown,
    /// There is one with this key.
    #[error("This entry already exists in the following tables (ODBC -2035)")]
    Exists,
    /// A partner with documents stays.
    #[error("Cannot remove business partner; it is linked to documents")]
    HasDocuments,
    /// A document is cancelled once, and a cancellation never.
    #[error("The document is already cancelled or is a cancellation")]
    Cancelled,
}

/// One refusal over HTTP.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    code: i64,
    message: String,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, code: i64, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
        }
    }

    fn bad(code: i64, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    pub(super) fn no_session() -> Self {
        let message = "Invalid session or session already timeout.";
        Self::new(StatusCode::UNAUTHORIZED, 301, message)
    }

    /// Also for an unknown company, which is assumed.
    pub(super) fn login_failed() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, 100_000_027, "Login failed")
    }

    pub(super) fn unreadable() -> Self {
        Self::bad(-1000, "Invalid JSON format")
    }

    pub(super) fn no_such_resource() -> Self {
        Self::new(StatusCode::NOT_FOUND, -1000, "Unrecognized resource path.")
    }

    pub(super) fn bad_key(collection: &str) -> Self {
        Self::bad(-1000, format!("Invalid key of '{collection}'"))
    }

    pub(super) fn unknown_option(name: &str) -> Self {
        Self::bad(-1000, format!("Query option '{name}' is invalid"))
    }

    pub(super) fn unknown_property(name: &str, entity: &str) -> Self {
        Self::bad(-1000, format!("Property '{name}' of '{entity}' is invalid"))
    }

    pub(super) fn wrong_type(name: &str) -> Self {
        Self::bad(-1000, format!("Value of property '{name}' is invalid"))
    }

    pub(super) fn not_changeable(name: &str) -> Self {
        Self::bad(-5002, format!("Field '{name}' cannot be updated (ODBC -5002)"))
    }

    pub(super) fn changed_meanwhile() -> Self {
        let message = "Another user or another operation modified data; to continue, open the window again (ODBC -2039)";
        Self::new(StatusCode::PRECONDITION_FAILED, -2039, message)
    }

    /// What is on the wire: v2 sends text, v1 sent a number and an object, and some v2 do still.
    pub(super) fn body(&self, old_shape: bool) -> Value {
        if old_shape {
            json!({"error": {"code": self.code, "message": {"lang": "en-us", "value": self.message}}})
        } else {
            json!({"error": {"code": self.code.to_string(), "message": self.message}})
        }
    }

    pub(super) fn answer(&self, old_shape: bool) -> Response {
        (self.status, axum::Json(self.body(old_shape))).into_response()
    }
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        let message = refused.to_string();
        match refused {
            Refused::Unknown => Self::new(StatusCode::NOT_FOUND, -2028, message),
            Refused::Exists => Self::bad(-2035, message),
            Refused::HasDocuments => Self::bad(-10, message),
            Refused::Cancelled => Self::bad(-5006, message),
        }
    }
}

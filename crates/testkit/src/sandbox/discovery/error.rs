//! What the application answers when it refuses: a JSON string, messages per field, `{detail}`, or a page.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use serde_json::{Map, Value, json};

/// One refusal.
#[derive(Debug)]
pub(super) enum Refusal {
    /// A JSON string: what the views say themselves.
    Text(StatusCode, String),
    /// `{field: [messages]}`: what the serializers say; always 400.
    Fields(Map<String, Value>),
    /// `{detail}`: what the framework says.
    Detail(StatusCode, String),
    /// 401, which names the scheme.
    Unauthorized(&'static str),
    /// 429 with the seconds to wait.
    Throttled(i64),
    /// A status and nothing else.
    Empty(StatusCode),
    /// 500 with a page: nobody caught it.
    Crash,
}

impl Refusal {
    pub(super) fn bad(text: impl Into<String>) -> Self {
        Self::Text(StatusCode::BAD_REQUEST, text.into())
    }

    pub(super) fn not_found() -> Self {
        Self::Detail(StatusCode::NOT_FOUND, "Not found.".to_owned())
    }

    pub(super) fn method_not_allowed(method: &str) -> Self {
        let detail = format!("Method \"{method}\" not allowed.");
        Self::Detail(StatusCode::METHOD_NOT_ALLOWED, detail)
    }

    /// The views of courses turn everything into a text, messages per field included.
    pub(super) fn of_course(self) -> Self {
        match self {
            Self::Fields(fields) => Self::bad(format!("Failed to set data: {}", Value::Object(fields))),
            other => other,
        }
    }

    /// The text that it would be inside another refusal.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Text(_, text) | Self::Detail(_, text) => text.clone(),
            Self::Fields(fields) => Value::Object(fields.clone()).to_string(),
            Self::Unauthorized(text) => (*text).to_owned(),
            Self::Throttled(_) | Self::Empty(_) | Self::Crash => String::new(),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::Text(status, text) => (status, Json(text)).into_response(),
            Self::Fields(fields) => (StatusCode::BAD_REQUEST, Json(fields)).into_response(),
            Self::Detail(status, detail) => (status, Json(json!({"detail": detail}))).into_response(),
            Self::Unauthorized(detail) => {
                let mut response =
                    (StatusCode::UNAUTHORIZED, Json(json!({"detail": detail}))).into_response();
                let scheme = HeaderValue::from_static("JWT realm=\"api\"");
                response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
                response
            }
            Self::Throttled(seconds) => {
                let detail = format!("Request was throttled. Expected available in {seconds} seconds.");
                let status = StatusCode::TOO_MANY_REQUESTS;
                let mut response = (status, Json(json!({"detail": detail}))).into_response();
                let wait = HeaderValue::from(seconds);
                response.headers_mut().insert(header::RETRY_AFTER, wait);
                response
            }
            Self::Empty(status) => status.into_response(),
            Self::Crash => {
                let page = "<!doctype html><html lang=\"en\"><head><title>Server Error (500)</title></head>\
                            <body><h1>Server Error (500)</h1></body></html>";
                (StatusCode::INTERNAL_SERVER_ERROR, Html(page)).into_response()
            }
        }
    }
}

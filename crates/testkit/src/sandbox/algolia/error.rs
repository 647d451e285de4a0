//! Algolia's errors: `{"message", "status"}`, and for a record at fault its `position` and `objectID`.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;

/// One refusal.
#[derive(Debug, Serialize)]
pub(super) struct Problem {
    message: String,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<usize>,
    #[serde(rename = "objectID", skip_serializing_if = "Option::is_none")]
    object_id: Option<String>,
}

impl Problem {
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            status: status.as_u16(),
            position: None,
            object_id: None,
        }
    }

    pub(super) fn bad(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    pub(super) fn too_big(position: usize, object_id: &str, size: usize, limit: usize) -> Self {
        let page = "https://www.algolia.com/doc/guides/sending-and-managing-data/prepare-your-data/in-depth/index-and-records-size-and-usage-limitations/#record-size-limits";
        let message = format!(
            "Record at the position {position} objectID={object_id} is too big size={size}/{limit} bytes. Please have a \
             look at {page}"
        );
        Self {
            position: Some(position),
            object_id: Some(object_id.to_owned()),
            ..Self::bad(message)
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, Json(self)).into_response()
    }
}

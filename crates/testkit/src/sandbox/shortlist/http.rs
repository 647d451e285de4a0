//! Requests, and answers with the status and media type that a caller asked for.

use async_graphql::{Request, Variables};
use axum::{
    Router,
    body::Bytes,
    extract::State as FromState,
    http::{HeaderMap, StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing::post,
};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Shortlists, lock};
use crate::sandbox::desk::attend;

const GRAPHQL: &str = "application/graphql-response+json";

/// <https://graphql.github.io/graphql-over-http/draft/#sec-Request-Parameters>.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Body {
    query: Option<String>,
    operation_name: Option<String>,
    #[serde(default)]
    variables: Value,
    #[serde(default)]
    extensions: Extensions,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Extensions {
    persisted_query: Option<PersistedQuery>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PersistedQuery {
    version: u8,
    sha256_hash: String,
}

impl Shortlists {
    pub(in crate::sandbox) fn router(&self) -> Router {
        Router::new()
            .route("/graphql", post(answer))
            .layer(middleware::from_fn_with_state(self.desk.clone(), attend))
            .with_state(self.clone())
    }

    /// The query of a request: its own, or the one that its hash stands for.
    fn query(&self, body: &Body) -> Result<String, Refusal> {
        let mut state = lock(&self.store.0);
        state.queries_in_full += u64::from(body.query.is_some());
        let Some(persisted) = &body.extensions.persisted_query else {
            return body.query.clone().ok_or(Refusal::request("no query"));
        };
        if state.refuses_hashes {
            return Err(Refusal(
                StatusCode::OK,
                "PersistedQueryNotSupported",
                "PERSISTED_QUERY_NOT_SUPPORTED",
            ));
        }
        if persisted.version != 1 {
            return Err(Refusal::request("Unsupported persisted query version"));
        }
        let hash = &persisted.sha256_hash;
        match &body.query {
            Some(query) if *hash == hex::encode(Sha256::digest(query)) => {
                state.known_queries.insert(hash.clone(), query.clone());
                Ok(query.clone())
            }
            Some(_) => Err(Refusal::request("provided sha does not match query")),
            None => state.known_queries.get(hash).cloned().ok_or(Refusal(
                StatusCode::OK,
                "PersistedQueryNotFound",
                "PERSISTED_QUERY_NOT_FOUND",
            )),
        }
    }
}

/// Status, message and code.
struct Refusal(StatusCode, &'static str, &'static str);

impl Refusal {
    fn request(message: &'static str) -> Self {
        Self(StatusCode::BAD_REQUEST, message, "BAD_REQUEST")
    }
}

async fn answer(FromState(service): FromState<Shortlists>, headers: HeaderMap, body: Bytes) -> Response {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let token = header(header::AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
    if token != Some(&*service.token) {
        return coded(StatusCode::UNAUTHORIZED, "Who are you?", "UNAUTHENTICATED");
    }
    if header(header::CONTENT_TYPE) != Some("application/json") {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response();
    }
    let body: Body = match serde_json::from_slice(&body) {
        Ok(body) => body,
        Err(error) => return coded(StatusCode::BAD_REQUEST, &error.to_string(), "BAD_REQUEST"),
    };
    let query = match service.query(&body) {
        Ok(query) => query,
        Err(Refusal(status, message, code)) => return coded(status, message, code),
    };
    let mut request = Request::new(query).variables(Variables::from_json(body.variables));
    request.operation_name = body.operation_name;
    let response = service.schema.execute(request).await;
    let is_executed = response.data != async_graphql::Value::Null
        || response.errors.iter().any(|error| !error.path.is_empty());
    let mut answer = json!({});
    if is_executed {
        answer["data"] = json!(response.data);
    }
    if !response.errors.is_empty() {
        answer["errors"] = json!(response.errors);
    }
    let accepts = header(header::ACCEPT).is_some_and(|accept| accept.contains(GRAPHQL));
    match (accepts, is_executed) {
        (true, true) => typed(StatusCode::OK, &answer),
        (true, false) => typed(StatusCode::BAD_REQUEST, &answer),
        (false, _) => (StatusCode::OK, axum::Json(answer)).into_response(),
    }
}

/// A refusal before anything is looked up.
pub(super) fn refuse(status: StatusCode, detail: &str) -> Response {
    let code = match status {
        StatusCode::UNAUTHORIZED => "UNAUTHENTICATED",
        StatusCode::FORBIDDEN => "FORBIDDEN",
        StatusCode::TOO_MANY_REQUESTS => "RATE_LIMITED",
        _ => "INTERNAL_SERVER_ERROR",
    };
    coded(status, detail, code)
}

fn coded(status: StatusCode, message: &str, code: &str) -> Response {
    typed(
        status,
        &json!({"errors": [{"message": message, "extensions": {"code": code}}]}),
    )
}

fn typed(status: StatusCode, body: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, GRAPHQL)], body.to_string()).into_response()
}

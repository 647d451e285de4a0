//! The token endpoint and the one call of the Management API that is needed here.

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, Query, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Auth0, TOKEN_LIFE, refuse};
use crate::sandbox::{desk::attend, lock};

/// Requests a second of a free tenant.
const RATE_LIMIT: u64 = 10;

/// <https://auth0.com/docs/api/authentication/client-credential-flow/get-token>.
#[derive(Deserialize)]
struct TokenRequest {
    grant_type: String,
    client_id: Option<String>,
    client_secret: Option<String>,
    audience: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Selection {
    fields: Option<String>,
    include_fields: Option<bool>,
}

impl Auth0 {
    pub(in crate::sandbox) fn router(&self) -> Router {
        Router::new()
            .route("/oauth/token", post(token))
            .route("/api/v2/users/{id}", get(read))
            .fallback(async || refuse(StatusCode::NOT_FOUND, "Not Found"))
            .layer(middleware::from_fn_with_state(self.desk.clone(), attend))
            .layer(middleware::map_response_with_state(self.clone(), with_rate))
            .with_state(self.clone())
    }

    fn is_client(&self, headers: &HeaderMap, request: &TokenRequest) -> bool {
        let basic = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok()?.strip_prefix("Basic "))
            .and_then(|pair| String::from_utf8(STANDARD.decode(pair).ok()?).ok());
        let (id, secret) = match basic.as_deref().and_then(|pair| pair.split_once(':')) {
            Some((id, secret)) => (Some(id), Some(secret)),
            None => (request.client_id.as_deref(), request.client_secret.as_deref()),
        };
        id == Some(&*self.client.id) && secret == Some(&*self.client.secret)
    }

    fn is_known(&self, headers: &HeaderMap) -> bool {
        let token = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        let now = self.desk.shared.clock.now();
        let tenant = lock(&self.tenant);
        token.is_some_and(|token| tenant.tokens.get(token).is_some_and(|until| now < *until))
    }
}

async fn token(State(service): State<Auth0>, headers: HeaderMap, body: Bytes) -> Response {
    let is_json = headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    let request = if is_json {
        serde_json::from_slice::<TokenRequest>(&body).ok()
    } else {
        let form: serde_json::Map<String, Value> = url::form_urlencoded::parse(&body)
            .map(|(name, value)| (name.into_owned(), value.into_owned().into()))
            .collect();
        serde_json::from_value(form.into()).ok()
    };
    let Some(request) = request else {
        return oauth_error(
            StatusCode::BAD_REQUEST,
            "invalid_request",
            "Missing required parameter: grant_type",
        );
    };
    if request.grant_type != "client_credentials" {
        return oauth_error(
            StatusCode::FORBIDDEN,
            "unauthorized_client",
            "Grant type not allowed for the client.",
        );
    }
    if !service.is_client(&headers, &request) {
        return oauth_error(StatusCode::UNAUTHORIZED, "access_denied", "Unauthorized");
    }
    // The identifier of a tenant's Management API; without one, or with another, the token would be for something else.
    if request
        .audience
        .is_none_or(|audience| !audience.ends_with("/api/v2/"))
    {
        return oauth_error(
            StatusCode::FORBIDDEN,
            "access_denied",
            "Service not enabled within domain.",
        );
    }
    Json(json!({
        "access_token": service.token(), "token_type": "Bearer", "expires_in": TOKEN_LIFE.as_secs(), "scope": "read:users",
    }))
    .into_response()
}

async fn read(
    State(service): State<Auth0>,
    Path(id): Path<String>,
    Query(selection): Query<Selection>,
    headers: HeaderMap,
) -> Response {
    if !service.is_known(&headers) {
        return refuse(StatusCode::UNAUTHORIZED, "Invalid token");
    }
    let mut tenant = lock(&service.tenant);
    *tenant.reads.entry(id.clone()).or_default() += 1;
    let Some(user) = tenant.users.get(&id) else {
        return refuse(StatusCode::NOT_FOUND, "The user does not exist.");
    };
    let mut user = json!(user);
    if let (Some(named), Some(fields)) = (&selection.fields, user.as_object_mut()) {
        let includes = selection.include_fields.unwrap_or(true);
        fields.retain(|field, _| named.split(',').any(|name| name == field) == includes);
    }
    Json(user).into_response()
}

/// The Authentication API's errors.
fn oauth_error(status: StatusCode, error: &str, description: &str) -> Response {
    (
        status,
        Json(json!({"error": error, "error_description": description})),
    )
        .into_response()
}

/// Every answer says how much is left.
async fn with_rate(State(service): State<Auth0>, mut response: Response) -> Response {
    let is_over = response.status() == StatusCode::TOO_MANY_REQUESTS;
    let reset = service.desk.shared.clock.now().as_second() + 1;
    let headers = response.headers_mut();
    headers.insert("x-ratelimit-limit", HeaderValue::from(RATE_LIMIT));
    headers.insert(
        "x-ratelimit-remaining",
        HeaderValue::from(if is_over { 0 } else { RATE_LIMIT - 1 }),
    );
    headers.insert("x-ratelimit-reset", HeaderValue::from(reset));
    response
}

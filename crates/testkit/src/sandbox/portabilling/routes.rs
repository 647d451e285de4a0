//! The HTTP side: one route for all methods.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::post,
};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{PortaBilling, error::Refusal};
use crate::sandbox::{desk::attend, lock};

const TRACE: HeaderName = HeaderName::from_static("x-trace-id");

#[derive(Deserialize)]
struct Envelope {
    params: Map<String, Value>,
}

pub(super) fn router(service: PortaBilling) -> Router {
    let unknown = async || Refusal::new("Client.method_not_found", "There is no such method");
    Router::new()
        .route("/rest/{service}/{method}", post(call))
        .fallback(unknown)
        .method_not_allowed_fallback(async || Refusal::new("Client.wrong_request", "Only POST is supported"))
        .layer(middleware::from_fn_with_state(service.clone(), unless_down))
        .layer(middleware::from_fn_with_state(service.desk.clone(), attend))
        .layer(middleware::from_fn(with_trace))
        .with_state(service)
}

async fn call(
    State(service): State<PortaBilling>,
    Path((module, method)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, Refusal> {
    let Ok(Envelope { params }) = serde_json::from_slice(&body) else {
        let text = "Expected a JSON object with the object params";
        return Err(Refusal::new("Client.wrong_request", text));
    };
    let now = service.now();
    if (module.as_str(), method.as_str()) == ("Session", "login") {
        return lock(&service.sessions)
            .log_in(&service.user, &params, now)
            .map(Json);
    }
    lock(&service.sessions).check(&headers, now)?;
    if module != "Customer" {
        let code = format!("Server.{module}.{method}.method_not_found");
        return Err(Refusal::new(code, "There is no such method"));
    }
    lock(&service.billing).call(&method, &params, now).map(Json)
}

/// During maintenance the web server in front answers, and knows nothing of faults.
async fn unless_down(State(service): State<PortaBilling>, request: Request, next: Next) -> Response {
    if !service.is_down.load(Ordering::Relaxed) {
        return next.run(request).await;
    }
    let page = "<html><head><title>503 Service Unavailable</title></head><body></body></html>";
    let html = HeaderValue::from_static("text/html");
    (
        StatusCode::SERVICE_UNAVAILABLE,
        [(header::CONTENT_TYPE, html)],
        page,
    )
        .into_response()
}

/// Every answer names its request; a caller may do that itself (<https://docs.portaone.com/docs/what-is-new>, MR117).
async fn with_trace(request: Request, next: Next) -> Response {
    static REQUESTS: AtomicU64 = AtomicU64::new(1);
    let own = request.headers().get(&TRACE).cloned();
    let id = own.or_else(|| {
        let request = REQUESTS.fetch_add(1, Ordering::Relaxed);
        HeaderValue::try_from(format!("{request:032x}")).ok()
    });
    let mut response = next.run(request).await;
    if let Some(id) = id {
        response.headers_mut().insert(TRACE, id);
    }
    response
}

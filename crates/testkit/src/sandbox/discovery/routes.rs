//! The HTTP side: slashes, tokens, resources and lists.

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, RawQuery, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{any, post},
};
use serde_json::{Map, Value, json};

use super::{
    Discovery, MOUNT,
    catalog::Catalog,
    error::Refusal,
    gate::Denied,
    list::{Asked, page},
    show,
};
use crate::sandbox::{desk::attend, lock};

pub(super) fn router(service: Discovery) -> Router {
    Router::new()
        .route("/oauth2/{endpoint}", post(token))
        .route("/api/v1/{resource}/", any(collection))
        .route("/api/v1/{resource}/{key}/", any(item))
        .fallback(elsewhere)
        .method_not_allowed_fallback(async || Refusal::Empty(StatusCode::METHOD_NOT_ALLOWED))
        .layer(middleware::from_fn_with_state(service.desk.clone(), attend))
        .layer(middleware::from_fn_with_state(service.clone(), count))
        .with_state(service)
}

/// How many requests came at once; the token endpoint is another system's.
async fn count(State(service): State<Discovery>, request: Request, next: Next) -> Response {
    if request.uri().path().starts_with("/api/") {
        let now = service.now();
        lock(&service.gate).arrive(now);
    }
    next.run(request).await
}

async fn token(
    State(service): State<Discovery>,
    Path(endpoint): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if endpoint != "access_token" {
        return Refusal::not_found().into_response();
    }
    let now = service.now();
    match lock(&service.gate).token(&service.client, &headers, &body, now) {
        Ok(token) => Json(token).into_response(),
        Err(Denied(status, error)) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
            (status, Json(json!({"error": error}))).into_response()
        }
    }
}

/// Whatever the method: the same with a slash at the end, by a GET as clients follow it.
async fn elsewhere(uri: Uri) -> Response {
    if uri.path().ends_with('/') || !uri.path().starts_with("/api/v1/") {
        return Refusal::not_found().into_response();
    }
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let mut response = StatusCode::MOVED_PERMANENTLY.into_response();
    if let Ok(location) = HeaderValue::try_from(format!("{MOUNT}{}/{query}", uri.path())) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

async fn collection(
    State(service): State<Discovery>,
    Path(resource): Path<String>,
    uri: Uri,
    RawQuery(query): RawQuery,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let answer = || {
        service.let_in(&resource, &method, &headers)?;
        let asked = Asked::parse(query.as_deref());
        let mut catalog = lock(&service.catalog);
        Ok(match (resource.as_str(), &method) {
            ("people", &Method::GET) => Json(page(people(&catalog, &asked), &asked, &base(&headers, &uri))),
            ("courses", &Method::GET) => Json(page(courses(&catalog, &asked), &asked, &base(&headers, &uri))),
            ("course_runs", &Method::GET) => {
                Json(page(runs(&catalog, &asked), &asked, &base(&headers, &uri)))
            }
            ("programs" | "degrees", &Method::GET) => Json(page(Vec::new(), &asked, &base(&headers, &uri))),
            ("people", &Method::POST) => {
                let person = catalog.add_person(&said(&headers, &body)?)?;
                return Ok((StatusCode::CREATED, Json(person.to_json())).into_response());
            }
            ("courses", &Method::POST) => {
                let key = catalog.add_course(&said(&headers, &body)?)?;
                return Ok((StatusCode::CREATED, Json(show::course(&catalog, &key, true)?)).into_response());
            }
            ("course_runs", &Method::POST) => {
                let key = catalog.add_run(&said(&headers, &body)?)?;
                return Ok((StatusCode::CREATED, Json(show::run(&catalog, &key, true)?)).into_response());
            }
            (known, method) if is_resource(known) => {
                return Err(Refusal::method_not_allowed(method.as_str()));
            }
            _ => return Err(Refusal::not_found()),
        }
        .into_response())
    };
    answer().unwrap_or_else(|refusal: Refusal| refusal.into_response())
}

async fn item(
    State(service): State<Discovery>,
    Path((resource, key)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let answer = || {
        service.let_in(&resource, &method, &headers)?;
        let asked = Asked::parse(query.as_deref());
        let mut catalog = lock(&service.catalog);
        let shown = match (resource.as_str(), &method) {
            ("people", &Method::GET) => catalog.person(&key).ok_or_else(Refusal::not_found)?.to_json(),
            ("courses", &Method::GET) => show::course(&catalog, &key, asked.editable)?,
            ("course_runs", &Method::GET) => show::run(&catalog, &key, asked.editable)?,
            ("people", &Method::PATCH) => catalog.change_person(&key, &said(&headers, &body)?)?.to_json(),
            ("courses", &Method::PATCH) => {
                let key = show::course_key(&catalog, &key)?;
                catalog.change_course(&key, &said(&headers, &body)?)?;
                show::course(&catalog, &key, true)?
            }
            ("course_runs", &Method::PATCH) => {
                catalog.change_run(&key, &said(&headers, &body)?)?;
                show::run(&catalog, &key, true)?
            }
            ("people", &Method::DELETE) => {
                catalog.delete_person(&key)?;
                return Ok(StatusCode::NO_CONTENT.into_response());
            }
            // The views say so themselves, without a body.
            ("courses" | "course_runs", &Method::DELETE) => {
                return Err(Refusal::Empty(StatusCode::METHOD_NOT_ALLOWED));
            }
            (known, method) if is_resource(known) && *method != Method::GET => {
                return Err(Refusal::method_not_allowed(method.as_str()));
            }
            _ => return Err(Refusal::not_found()),
        };
        Ok(Json(shown).into_response())
    };
    answer().unwrap_or_else(|refusal: Refusal| refusal.into_response())
}

impl Discovery {
    /// Reading people is open to all.
    fn let_in(&self, resource: &str, method: &Method, headers: &HeaderMap) -> Result<(), Refusal> {
        let open = resource == "people" && *method == Method::GET;
        let now = self.now();
        let mut gate = lock(&self.gate);
        gate.check(headers, open, now)?;
        gate.throttle(now)
    }
}

fn is_resource(name: &str) -> bool {
    matches!(
        name,
        "people" | "courses" | "course_runs" | "programs" | "degrees"
    )
}

fn people(catalog: &Catalog, asked: &Asked) -> Vec<Value> {
    let all = catalog.people.iter();
    let found = all.filter(|person| asked.slug.as_ref().is_none_or(|slug| person.slug == *slug));
    found.map(super::Person::to_json).collect()
}

fn courses(catalog: &Catalog, asked: &Asked) -> Vec<Value> {
    let found = catalog.courses.keys().filter(|key| asked.names(key));
    found
        .filter_map(|key| show::course(catalog, key, asked.editable).ok())
        .collect()
}

fn runs(catalog: &Catalog, asked: &Asked) -> Vec<Value> {
    let mut keys: Vec<_> = catalog.runs.iter().map(|run| &run.draft.key).collect();
    keys.sort();
    let found = keys.into_iter().filter(|key| asked.names(key));
    found
        .filter_map(|key| show::run(catalog, key, asked.editable).ok())
        .collect()
}

/// A JSON object, whatever else the application would read.
fn said(headers: &HeaderMap, body: &[u8]) -> Result<Map<String, Value>, Refusal> {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    let kind = kind.unwrap_or_default();
    if !kind.starts_with("application/json") {
        let detail = format!("Unsupported media type \"{kind}\" in request.");
        return Err(Refusal::Detail(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(said)) => Ok(said),
        Ok(_) => Err(Refusal::Crash),
        Err(error) => {
            let detail = format!("JSON parse error - {error}");
            Err(Refusal::Detail(StatusCode::BAD_REQUEST, detail))
        }
    }
}

/// The list's own address, as its caller wrote it.
fn base(headers: &HeaderMap, uri: &Uri) -> String {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    format!("http://{}{MOUNT}{}", host.unwrap_or_default(), uri.path())
}

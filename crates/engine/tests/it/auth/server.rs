//! A service with its own token endpoint.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::extract::{RawForm, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tokio::net::TcpListener;
use url::Url;
use vendorbridge::clock::Clock;

/// Serves a router on a free port until the runtime ends.
pub(super) async fn serve(router: Router) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    url.parse().unwrap()
}

#[derive(Clone)]
pub(super) struct Service {
    books: Arc<Mutex<Books>>,
    clock: Arc<dyn Clock>,
    pub(super) token_url: Url,
    pub(super) api_url: Url,
}

#[expect(clippy::struct_excessive_bools, reason = "switches, each for a test")]
pub(super) struct Books {
    pub(super) client: (String, String),
    /// Whether the client must show its secret in the body instead of the header.
    pub(super) in_body: bool,
    pub(super) life: i64,
    pub(super) rotates: bool,
    /// Answers every token request with this instead.
    pub(super) outage: Option<u16>,
    /// Tokens are issued, but the API takes none.
    pub(super) takes_none: bool,
    pub(super) asked: Vec<HashMap<String, String>>,
    pub(super) calls: usize,
    access: HashMap<String, Timestamp>,
    refresh: HashSet<String>,
    spent: HashSet<String>,
    /// Somebody used a refresh token twice: all that came from it is void.
    pub(super) family_revoked: bool,
    issued: usize,
}

impl Service {
    pub(super) async fn start(clock: Arc<dyn Clock>) -> Self {
        let books = Books {
            client: ("acme client".to_owned(), "hunter2:+/".to_owned()),
            in_body: false,
            life: 3600,
            rotates: true,
            outage: None,
            takes_none: false,
            asked: Vec::new(),
            calls: 0,
            access: HashMap::new(),
            refresh: HashSet::from(["hunter2-r0".to_owned()]),
            spent: HashSet::new(),
            family_revoked: false,
            issued: 0,
        };
        let mut service = Self {
            books: Arc::new(Mutex::new(books)),
            clock,
            token_url: "http://unset".parse().unwrap(),
            api_url: "http://unset".parse().unwrap(),
        };
        let router = Router::new()
            .route("/token", post(token))
            .route("/api", get(api))
            .with_state(service.clone());
        let base = serve(router).await;
        service.token_url = base.join("token").unwrap();
        service.api_url = base.join("api").unwrap();
        service
    }

    pub(super) fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap()
    }

    /// Ends all access tokens before their time.
    pub(super) fn revoke_access(&self) {
        self.books().access.clear();
    }

    /// How many refresh tokens are good.
    pub(super) fn good_refresh_tokens(&self) -> Vec<String> {
        self.books().refresh.iter().cloned().collect()
    }
}

impl Books {
    fn knows(&self, headers: &HeaderMap, form: &HashMap<String, String>) -> bool {
        let plain = |text: &str| {
            url::form_urlencoded::parse(format!("x={text}").as_bytes())
                .next()
                .map(|(_, value)| value.into_owned())
        };
        let shown = if self.in_body {
            form.get("client_id")
                .cloned()
                .zip(form.get("client_secret").cloned())
        } else {
            headers
                .get(header::AUTHORIZATION)
                .and_then(|value| value.to_str().ok()?.strip_prefix("Basic "))
                .and_then(|value| String::from_utf8(STANDARD.decode(value).ok()?).ok())
                .and_then(|pair| {
                    let (id, secret) = pair.split_once(':')?;
                    plain(id).zip(plain(secret))
                })
        };
        shown.as_ref() == Some(&self.client)
    }

    fn issue(&mut self, now: Timestamp) -> String {
        self.issued += 1;
        let token = format!("hunter2-a{}", self.issued);
        let ends_at = now + SignedDuration::from_secs(self.life);
        self.access.insert(token.clone(), ends_at);
        token
    }
}

fn refusal(status: StatusCode, code: &str) -> Response {
    let body = json!({"error": code, "error_description": "you sent hunter2"});
    (status, Json(body)).into_response()
}

async fn token(State(service): State<Service>, headers: HeaderMap, RawForm(form): RawForm) -> Response {
    // As long as a token endpoint takes: those who come meanwhile must wait.
    tokio::task::yield_now().await;
    let form: HashMap<_, _> = url::form_urlencoded::parse(&form).into_owned().collect();
    let now = service.clock.now();
    let mut books = service.books();
    books.asked.push(form.clone());
    if let Some(status) = books.outage {
        return StatusCode::from_u16(status).unwrap().into_response();
    }
    if !books.knows(&headers, &form) {
        return refusal(StatusCode::UNAUTHORIZED, "invalid_client");
    }
    let mut answer = json!({"token_type": "bearer", "expires_in": books.life});
    match form.get("grant_type").map(String::as_str) {
        Some("client_credentials") => {}
        Some("refresh_token") => {
            let used = form.get("refresh_token").cloned().unwrap_or_default();
            if books.spent.contains(&used) {
                books.family_revoked = true;
                books.refresh.clear();
                books.access.clear();
            }
            if !books.refresh.contains(&used) {
                return refusal(StatusCode::BAD_REQUEST, "invalid_grant");
            }
            if books.rotates {
                books.refresh.remove(&used);
                books.spent.insert(used);
                let next = format!("hunter2-r{}", books.spent.len());
                books.refresh.insert(next.clone());
                answer["refresh_token"] = next.into();
            }
        }
        _ => return refusal(StatusCode::BAD_REQUEST, "unsupported_grant_type"),
    }
    answer["access_token"] = books.issue(now).into();
    Json(answer).into_response()
}

async fn api(State(service): State<Service>, headers: HeaderMap) -> StatusCode {
    let now = service.clock.now();
    let mut books = service.books();
    books.calls += 1;
    let token = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let is_good = token
        .and_then(|token| books.access.get(token))
        .is_some_and(|ends_at| now < *ends_at);
    if is_good && !books.takes_none {
        StatusCode::OK
    } else {
        StatusCode::UNAUTHORIZED
    }
}

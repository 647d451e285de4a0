//! A Service Layer with sessions, two entity sets and a script of what changes while it is asked.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;
use url::Url;

/// How it tells versions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Tags {
    /// As version 2511 was seen to: with `$select` no header, and always the first version's tag in the body.
    Frozen,
    /// As OData has it: in the header and in the body.
    Given,
    None,
}

/// What happens before a call is answered.
pub(super) type Change = Box<dyn FnOnce(&mut Books) + Send>;

/// A record, and how often it was written.
pub(super) type Record = (u32, Map<String, Value>);

pub(super) struct Books {
    pub(super) tags: Tags,
    /// Behind the base's path, as in a URL, such as `Invoices(1)`.
    pub(super) records: BTreeMap<String, Record>,
    /// `GET Invoices(1)` and the like, decoded.
    pub(super) calls: Vec<String>,
    /// One for each call to come.
    pub(super) script: VecDeque<Change>,
    /// Answers everything but a login with this instead.
    pub(super) instead: Option<(u16, String)>,
    pub(super) sessions: HashSet<String>,
    pub(super) logins: usize,
}

#[derive(Clone)]
pub(super) struct ServiceLayer {
    books: Arc<Mutex<Books>>,
    pub(super) base: Url,
}

impl ServiceLayer {
    /// Serves on a free port until the runtime ends.
    pub(super) async fn start(tags: Tags) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/b1s/v2", listener.local_addr().unwrap());
        let books = Books {
            tags,
            records: BTreeMap::new(),
            calls: Vec::new(),
            script: VecDeque::new(),
            instead: None,
            sessions: HashSet::new(),
            logins: 0,
        };
        let this = Self {
            books: Arc::new(Mutex::new(books)),
            base: base.parse().unwrap(),
        };
        let router = Router::new().fallback(answer).with_state(this.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        this
    }

    pub(super) fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap()
    }

    pub(super) fn calls(&self) -> Vec<String> {
        self.books().calls.clone()
    }
}

impl Books {
    /// Writes properties of a record, and makes it if there is none.
    pub(super) fn put(&mut self, path: &str, properties: &Value) {
        let (version, record) = self.records.entry(path.to_owned()).or_default();
        *version += 1;
        let properties = properties.as_object().unwrap().clone();
        record.extend(properties);
    }

    /// These happen before the next calls, one before each.
    pub(super) fn then(&mut self, changes: impl IntoIterator<Item = Change>) {
        self.script.extend(changes);
    }

    fn log_in(&mut self, document: &Value) -> Response {
        self.logins += 1;
        let session = format!("hunter2-{}", self.logins);
        if *document != json!({"CompanyDB": "SBODEMOUS", "UserName": "manager", "Password": "hunter2"}) {
            return refusal(401, "-304", "Fail to get DB Credentials of hunter2");
        }
        self.sessions.insert(session.clone());
        let mut answer = axum::Json(json!({"SessionId": session})).into_response();
        // Without `Path`, as it is: <https://help.sap.com/doc/fc2f5477516c404c8bf9ad1315a17238/10.0/en-US/Working_with_SAP_Business_One_Service_Layer.pdf>.
        for cookie in [
            format!("B1SESSION={session};HttpOnly;"),
            "ROUTEID=.node1; path=/b1s".to_owned(),
        ] {
            let cookie = cookie.parse().unwrap();
            answer.headers_mut().append(header::SET_COOKIE, cookie);
        }
        answer
    }

    fn knows(&self, headers: &HeaderMap) -> bool {
        let cookies = headers.get(header::COOKIE).and_then(|value| value.to_str().ok());
        let session = cookies.and_then(|cookies| {
            cookies
                .strip_prefix("B1SESSION=")?
                .strip_suffix("; ROUTEID=.node1")
        });
        session.is_some_and(|session| self.sessions.contains(session))
    }

    fn get(&self, path: &str, select: Option<&str>) -> Response {
        let Some((version, record)) = self.records.get(path) else {
            return refusal(404, "-2028", "No matching records found (ODBC -2028)");
        };
        let mut body = json!({"@odata.context": "$metadata#x/$entity"});
        let is_frozen = self.tags == Tags::Frozen && select.is_some();
        let tag = format!("W/\"V{}\"", if is_frozen { 1 } else { *version });
        if self.tags != Tags::None {
            body["@odata.etag"] = tag.clone().into();
        }
        for name in select.map_or_else(|| record.keys().map(String::as_str).collect(), names) {
            let Some(value) = record.get(name) else {
                return refusal(400, "-1000", "Property of 'Document' is invalid");
            };
            body[name] = value.clone();
        }
        let mut answer = axum::Json(body).into_response();
        if self.tags == Tags::Given || (self.tags == Tags::Frozen && !is_frozen) {
            answer.headers_mut().insert(header::ETAG, tag.parse().unwrap());
        }
        answer
    }
}

fn names(select: &str) -> Vec<&str> {
    select.split(',').collect()
}

fn refusal(status: u16, code: &str, message: &str) -> Response {
    let body = json!({"error": {"code": code, "message": message}});
    (StatusCode::from_u16(status).unwrap(), axum::Json(body)).into_response()
}

async fn answer(
    State(layer): State<ServiceLayer>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    // As long as a login takes: those who come meanwhile must wait.
    tokio::task::yield_now().await;
    let document = serde_json::from_slice(&body).unwrap_or_default();
    let mut books = layer.books();
    let Some(path) = uri.path().strip_prefix("/b1s/v2/") else {
        return StatusCode::NOT_FOUND.into_response();
    };
    if path == "Login" {
        return books.log_in(&document);
    }
    if !books.knows(&headers) {
        let body = json!({"error": {"code": 301, "message":
            {"lang": "en-us", "value": "Invalid session or session already timeout."}}});
        return (StatusCode::UNAUTHORIZED, axum::Json(body)).into_response();
    }
    let decoded = url::form_urlencoded::parse(path.replace('+', "%2B").as_bytes())
        .next()
        .map(|(path, _)| path.into_owned());
    let path = decoded.unwrap_or_default();
    books.calls.push(format!("{method} {path}"));
    if let Some(change) = books.script.pop_front() {
        change(&mut books);
    }
    if let Some((status, body)) = &books.instead {
        let status = StatusCode::from_u16(*status).unwrap();
        return (status, body.clone()).into_response();
    }
    if method == Method::PATCH {
        if !books.records.contains_key(&path) {
            return refusal(404, "-2028", "No matching records found (ODBC -2028)");
        }
        books.put(&path, &document);
        return StatusCode::NO_CONTENT.into_response();
    }
    let select = uri.query().and_then(|query| query.strip_prefix("$select="));
    books.get(&path, select)
}

//! The HTTP side: sessions, paths and answers.

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    Kind, ServiceLayer,
    company::{Deed, said},
    error::Refusal,
    resource::Resource,
    session::IDLE_MINUTES,
};
use crate::sandbox::{desk::attend, lock};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Login {
    #[serde(rename = "CompanyDB")]
    company: String,
    user_name: String,
    password: String,
}

pub(super) fn router(service: ServiceLayer) -> Router {
    let not_found = async |State(service): State<ServiceLayer>| service.refused(&Refusal::no_such_resource());
    Router::new()
        .route("/v2/{resource}", get(read).patch(change).post(log_in_or_out))
        .route("/v2/{resource}/{action}", post(act))
        .fallback(not_found)
        .method_not_allowed_fallback(async |State(service): State<ServiceLayer>| {
            let status = StatusCode::METHOD_NOT_ALLOWED;
            service.refused(&Refusal::new(status, -1000, "Method not allowed."))
        })
        .layer(middleware::from_fn_with_state(service.desk.clone(), attend))
        .with_state(service)
}

async fn log_in_or_out(
    State(service): State<ServiceLayer>,
    Path(resource): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let answer = match resource.as_str() {
        "Login" => service.log_in(&body),
        "Logout" => service.user(&headers).map(|_| {
            lock(&service.sessions).close(&headers);
            StatusCode::NO_CONTENT.into_response()
        }),
        _ => Err(Refusal::no_such_resource()),
    };
    service.answered(answer)
}

async fn read(
    State(service): State<ServiceLayer>,
    Path(resource): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let read = || {
        service.user(&headers)?;
        if !resource.contains('(') {
            return service.list(&resource, query.as_deref(), &headers);
        }
        let resource = Resource::parse(&resource)?;
        let (all, etag) = service.record(&resource)?;
        let mut selected = select(all, query.as_deref(), resource.entity())?;
        let context = format!("/b1s/v2/$metadata#{}/$entity", resource.collection());
        selected.insert("@odata.context".to_owned(), context.into());
        selected.insert("@odata.etag".to_owned(), etag.clone().into());
        let kind = "application/json;odata.metadata=minimal;charset=utf-8";
        let headers = [
            (header::CONTENT_TYPE, kind),
            (HeaderName::from_static("odata-version"), "4.0"),
            (header::ETAG, &etag),
        ];
        Ok((headers, Value::Object(selected).to_string()).into_response())
    };
    service.answered(read())
}

async fn change(
    State(service): State<ServiceLayer>,
    Path(resource): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let change = || {
        let user = service.user(&headers)?;
        let resource = Resource::parse(&resource)?;
        let said = said(&body)?;
        let deed = Deed {
            user: &user,
            at: service.now(),
        };
        let mut company = lock(&service.company);
        let etag = match &resource {
            Resource::Partner(code) => &company.partner(code)?.etag,
            Resource::Document(kind, entry) => &company.document(*kind, *entry)?.etag,
        };
        let expected = headers.get(header::IF_MATCH);
        if expected.is_some_and(|expected| expected != "*" && expected != etag.as_str()) {
            return Err(Refusal::changed_meanwhile());
        }
        match &resource {
            Resource::Partner(code) => company.change_partner(code, deed, |partner| partner.patch(&said))?,
            Resource::Document(kind, entry) => {
                company.change_document(*kind, *entry, deed, |document| document.patch(*kind, &said))?;
            }
        }
        Ok(StatusCode::NO_CONTENT.into_response())
    };
    service.answered(change())
}

async fn act(
    State(service): State<ServiceLayer>,
    Path((resource, action)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let act = || {
        let user = service.user(&headers)?;
        let (Resource::Document(kind, entry), "Cancel") = (Resource::parse(&resource)?, action.as_str())
        else {
            return Err(Refusal::no_such_resource());
        };
        let deed = Deed {
            user: &user,
            at: service.now(),
        };
        lock(&service.company).cancel(kind, entry, deed)?;
        Ok(StatusCode::NO_CONTENT.into_response())
    };
    service.answered(act())
}

impl ServiceLayer {
    /// The cookies as the real one sets them: `B1SESSION` without a path, so that a cookie jar sends it to no other
    /// place than the login's.
    fn log_in(&self, body: &[u8]) -> Result<Response, Refusal> {
        let login: Login = serde_json::from_slice(body).map_err(|_| Refusal::unreadable())?;
        let is_known = login.company == lock(&self.company).name()
            && login.user_name == self.user.name
            && login.password == self.user.password;
        if !is_known {
            return Err(Refusal::login_failed());
        }
        let id = lock(&self.sessions).open(&login.user_name, self.now());
        let session = format!("B1SESSION={id};HttpOnly;");
        let mut response = Json(json!({
            "@odata.context": "/b1s/v2/$metadata#B1Sessions/$entity",
            "SessionId": id, "Version": "1000230", "SessionTimeout": IDLE_MINUTES,
        }))
        .into_response();
        let cookies = [
            HeaderValue::try_from(session).ok(),
            Some(HeaderValue::from_static("ROUTEID=.node1; path=/b1s")),
        ];
        for cookie in cookies.into_iter().flatten() {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        Ok(response)
    }

    fn user(&self, headers: &HeaderMap) -> Result<String, Refusal> {
        lock(&self.sessions)
            .user(headers, self.now())
            .ok_or_else(Refusal::no_session)
    }

    /// A page in the order of the key: 20 records, or as many as `Prefer: odata.maxpagesize` says; with `$count=true` how many there
    /// are with those of the pages behind it.
    fn list(&self, collection: &str, query: Option<&str>, headers: &HeaderMap) -> Result<Response, Refusal> {
        let (mut after, mut selected, mut counts) = (None, None, false);
        for (name, value) in url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            match &*name {
                "$filter" => {
                    after = Some(After::parse(&value).ok_or_else(|| Refusal::unknown_option(&name))?);
                }
                "$select" => selected = Some(format!("$select={value}")),
                "$count" => counts = &*value == "true",
                "$orderby" if matches!(&*value, "CardCode" | "DocEntry") => {}
                _ => return Err(Refusal::unknown_option(&name)),
            }
        }
        let preferred = headers.get("prefer").and_then(|prefer| prefer.to_str().ok());
        let size = preferred.and_then(|prefer| prefer.strip_prefix("odata.maxpagesize="));
        let size = size.and_then(|size| size.parse::<usize>().ok()).unwrap_or(20);
        let mut all = self.records(collection)?;
        all.retain(|record| after.as_ref().is_none_or(|after| after.is_before(record)));
        let page = all.iter().take(size);
        let page = page.map(|record| select(record.clone(), selected.as_deref(), collection));
        let page = page.collect::<Result<Vec<_>, _>>()?;
        let context = format!("/b1s/v2/$metadata#{collection}");
        let mut answer = json!({"@odata.context": context, "value": page});
        if counts {
            answer["@odata.count"] = all.len().into();
        }
        if size < all.len() {
            let select = selected.map_or(String::new(), |select| format!("{select}&"));
            answer["@odata.nextLink"] = format!("{collection}?{select}$skip={size}").into();
        }
        Ok(Json(answer).into_response())
    }

    fn records(&self, collection: &str) -> Result<Vec<Map<String, Value>>, Refusal> {
        let company = lock(&self.company);
        if collection == "BusinessPartners" {
            let partners = company.partners.values();
            return Ok(partners.map(|held| held.record.to_json(held.changed)).collect());
        }
        let kind = Kind::ALL.into_iter().find(|kind| kind.collection() == collection);
        let kind = kind.ok_or_else(Refusal::no_such_resource)?;
        let documents = company.documents.iter().filter(|((of, _), _)| *of == kind);
        Ok(documents.map(|(_, held)| held.record.to_json(kind)).collect())
    }

    fn record(&self, resource: &Resource) -> Result<(Map<String, Value>, String), Refusal> {
        let company = lock(&self.company);
        Ok(match resource {
            Resource::Partner(code) => {
                let held = company.partner(code)?;
                (held.record.to_json(held.changed), held.etag.clone())
            }
            Resource::Document(kind, entry) => {
                let held = company.document(*kind, *entry)?;
                (held.record.to_json(*kind), held.etag.clone())
            }
        })
    }
}

/// `$filter=CardCode gt 'C1'`, or `DocEntry gt 7`; no other filter is known here.
enum After {
    Code(String),
    Entry(u64),
}

impl After {
    fn parse(filter: &str) -> Option<Self> {
        match filter.split_once(" gt ")? {
            ("CardCode", code) => {
                let code = code.strip_prefix('\'')?.strip_suffix('\'')?;
                Some(Self::Code(code.replace("''", "'")))
            }
            ("DocEntry", entry) => entry.parse().ok().map(Self::Entry),
            _ => None,
        }
    }

    fn is_before(&self, record: &Map<String, Value>) -> bool {
        match self {
            Self::Code(code) => record["CardCode"]
                .as_str()
                .is_some_and(|other| other > code.as_str()),
            Self::Entry(entry) => record["DocEntry"].as_u64().is_some_and(|other| other > *entry),
        }
    }
}

/// What `$select` names; everything without it. Other options would be ignored silently here, so they are refused.
fn select(all: Map<String, Value>, query: Option<&str>, entity: &str) -> Result<Map<String, Value>, Refusal> {
    let mut selected = None;
    for (name, value) in url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        if name != "$select" {
            return Err(Refusal::unknown_option(&name));
        }
        let mut fields = Map::new();
        for name in value.split(',').map(str::trim) {
            let value = all
                .get(name)
                .ok_or_else(|| Refusal::unknown_property(name, entity))?;
            fields.insert(name.to_owned(), value.clone());
        }
        selected = Some(fields);
    }
    Ok(selected.unwrap_or(all))
}

//! The HTTP side: keys, paths and answers.

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode, header},
    middleware,
    routing::{get, post},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Mailchimp,
    error::{FieldError, Problem},
    member::Member,
    submission::Submission,
};
use crate::sandbox::{desk::attend, lock};

pub(super) fn router(service: Mailchimp) -> Router {
    let member = get(read).put(add_or_update).patch(update).delete(archive);
    Router::new()
        .route("/3.0/lists/{list_id}/members", get(members))
        .route("/3.0/lists/{list_id}/members/{subscriber_hash}", member)
        .route(
            "/3.0/lists/{list_id}/members/{subscriber_hash}/actions/delete-permanent",
            post(delete_permanently),
        )
        .fallback(async || Problem::not_found())
        .method_not_allowed_fallback(async || {
            Problem::of(
                StatusCode::METHOD_NOT_ALLOWED,
                "The requested method and resource are not compatible.",
            )
        })
        .layer(middleware::from_fn_with_state(service.desk.clone(), attend))
        .with_state(service)
}

/// What is asked of a list.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    #[serde(default = "ten")]
    count: usize,
    #[serde(default)]
    offset: usize,
    /// Names of what the answer is to have, such as `members.id` or `total_items`, with commas between them.
    #[serde(default)]
    fields: Option<String>,
}

/// The documented default.
fn ten() -> usize {
    10
}

/// Source: `GET /lists/{list_id}/members` of the Marketing API description. Archived members are there, too: nothing says that
/// they are not, and a status may be asked for.
async fn members(
    State(service): State<Mailchimp>,
    Path(list_id): Path<String>,
    Query(which): Query<Which>,
    headers: HeaderMap,
) -> Result<Json<Value>, Problem> {
    service.check_key(&headers)?;
    if which.count > 1_000 {
        let message = "This value should be less than or equal to 1000.".to_owned();
        let field = "count".to_owned();
        return Err(Problem::invalid(vec![FieldError { field, message }]));
    }
    let audience = lock(&service.audience);
    let list = audience.list(&list_id).ok_or_else(Problem::not_found)?;
    let wanted = |name: &str| {
        let fields = which.fields.as_deref();
        fields.is_none_or(|fields| {
            fields
                .split(',')
                .any(|field| is_in(name, field) || is_in(field, name))
        })
    };
    let chosen = |member: &Member| {
        let mut member = json!(member);
        if let Some(member) = member.as_object_mut() {
            member.retain(|name, _| wanted(&format!("members.{name}")));
        }
        member
    };
    let members = list.members.values().skip(which.offset).take(which.count);
    let members: Vec<_> = members.map(chosen).collect();
    let total = list.members.len();
    let mut answer = json!({"members": members, "list_id": list_id, "total_items": total});
    if let Some(answer) = answer.as_object_mut() {
        answer.retain(|name, _| wanted(name));
    }
    Ok(Json(answer))
}

/// Whether a field is this one or stands in it.
fn is_in(field: &str, outer: &str) -> bool {
    field
        .strip_prefix(outer)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

type Target = Path<(String, String)>;

async fn read(State(service): State<Mailchimp>, Path((list_id, key)): Target, headers: HeaderMap) -> Answer {
    service.check_key(&headers)?;
    let audience = lock(&service.audience);
    let member = audience.list(&list_id).and_then(|list| list.find(&key));
    member.cloned().map(Json).ok_or_else(Problem::not_found)
}

/// Versions 3.0.55 and 3.0.85 require both fields always; the current description requires `status_if_new`
/// only for an address that is new, which a sender cannot know.
async fn add_or_update(
    State(service): State<Mailchimp>,
    Path((list_id, key)): Target,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    service.check_key(&headers)?;
    let mut audience = lock(&service.audience);
    audience.list_mut(&list_id)?;
    let submission = Submission::decode(&body, &["email_address", "status_if_new"])?;
    audience
        .put(
            &list_id,
            &key,
            submission,
            service.desk.shared.clock.now_in_seconds(),
        )
        .map(Json)
}

async fn update(
    State(service): State<Mailchimp>,
    Path((list_id, key)): Target,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    service.check_key(&headers)?;
    let mut audience = lock(&service.audience);
    audience.list_mut(&list_id)?;
    let submission = Submission::decode(&body, &[])?;
    audience
        .patch(
            &list_id,
            &key,
            submission,
            service.desk.shared.clock.now_in_seconds(),
        )
        .map(Json)
}

async fn archive(
    State(service): State<Mailchimp>,
    Path((list_id, key)): Target,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    service.check_key(&headers)?;
    let now = service.desk.shared.clock.now_in_seconds();
    lock(&service.audience).list_mut(&list_id)?.archive(&key, now)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn delete_permanently(
    State(service): State<Mailchimp>,
    Path((list_id, key)): Target,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    service.check_key(&headers)?;
    let now = service.desk.shared.clock.now_in_seconds();
    lock(&service.audience)
        .list_mut(&list_id)?
        .delete_permanently(&key, now)?;
    Ok(StatusCode::NO_CONTENT)
}

type Answer = Result<Json<Member>, Problem>;

impl Mailchimp {
    /// HTTP Basic with any user and the key as password, or the key as Bearer token.
    fn check_key(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let sent = headers
            .get(header::AUTHORIZATION)
            .ok_or_else(Problem::key_missing)?;
        let sent = sent.to_str().unwrap_or_default();
        let (scheme, credentials) = sent.split_once(' ').unwrap_or_default();
        let key = if scheme.eq_ignore_ascii_case("bearer") {
            Some(credentials.to_owned())
        } else if scheme.eq_ignore_ascii_case("basic") {
            let decoded = STANDARD
                .decode(credentials)
                .ok()
                .and_then(|pair| String::from_utf8(pair).ok());
            decoded.and_then(|pair| pair.split_once(':').map(|(_, key)| key.to_owned()))
        } else {
            None
        };
        if key.as_deref() == Some(&*self.api_key) {
            Ok(())
        } else {
            Err(Problem::key_invalid())
        }
    }
}

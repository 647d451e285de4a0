//! The HTTP side: keys, paths and answers.

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    middleware,
    routing::{get, post},
};
use base64::{Engine, engine::general_purpose::STANDARD};

use super::{Mailchimp, error::Problem, member::Member, submission::Submission};
use crate::sandbox::{desk::attend, lock};

pub(super) fn router(service: Mailchimp) -> Router {
    let member = get(read).put(add_or_update).patch(update).delete(archive);
    Router::new()
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

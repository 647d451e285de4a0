//! An Auth0 tenant: users behind the Management API, tokens for it, and the events that the tenant would publish.
//!
//! Facts: <https://auth0.com/docs/api/management/v2/users/get-users-by-id>,
//! <https://auth0.com/docs/secure/tokens/access-tokens/management-api-access-tokens>,
//! <https://auth0.com/docs/troubleshoot/customer-support/operational-policies/rate-limit-policy>.

mod event;
mod routes;
mod user;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

pub use self::{
    event::{Change, event, sign_up},
    user::{NewUser, User},
};
use super::{
    Faults, SandboxConfig,
    desk::{Desk, Rules, Shared},
    lock,
};

const BODY_LIMIT: usize = 64 * 1024;
/// The default of a tenant's Management API: 86,400 seconds.
const TOKEN_LIFE: SignedDuration = SignedDuration::from_hours(24);

/// The tenant's handle; clones share the service.
#[derive(Clone)]
pub struct Auth0 {
    client: Arc<Client>,
    desk: Arc<Desk>,
    tenant: Arc<Mutex<Tenant>>,
}

/// The one that tokens are given to.
struct Client {
    id: String,
    secret: String,
}

#[derive(Default)]
struct Tenant {
    users: BTreeMap<String, User>,
    reads: BTreeMap<String, u64>,
    tokens: BTreeMap<String, Timestamp>,
    issued: u64,
}

impl Auth0 {
    pub(super) fn new(config: &SandboxConfig, shared: &Arc<Shared>) -> Self {
        let rules = Rules {
            service: "auth0",
            connections: None,
            body_limit: BODY_LIMIT,
            refuse,
            subjects: Box::new(|path, _| path.iter().map(|&id| id.to_owned()).collect()),
        };
        let client = Client {
            id: config.auth0_client_id.clone(),
            secret: config.auth0_client_secret.clone(),
        };
        Self {
            client: Arc::new(client),
            desk: Desk::new(rules, shared),
            tenant: Arc::default(),
        }
    }

    /// Creates or changes a user, and answers with it as it stands now.
    pub fn put(&self, user: NewUser) -> User {
        let now = self.desk.shared.clock.now();
        let mut tenant = lock(&self.tenant);
        let created_at = tenant.users.get(&user.user_id).map_or(now, User::created_at);
        let user = user.at(created_at, now);
        tenant.users.insert(user.user_id.clone(), user.clone());
        user
    }

    /// Deletes a user, and answers with it as it stood.
    #[expect(clippy::must_use_candidate, reason = "most callers know that there is one")]
    pub fn remove(&self, user_id: &str) -> Option<User> {
        lock(&self.tenant).users.remove(user_id)
    }

    /// A user as the tenant holds it. Not counted as a read.
    #[must_use]
    pub fn get(&self, user_id: &str) -> Option<User> {
        lock(&self.tenant).users.get(user_id).cloned()
    }

    /// Reads of a user answered over HTTP, also when there is none.
    #[must_use]
    pub fn reads_of(&self, user_id: &str) -> u64 {
        lock(&self.tenant).reads.get(user_id).copied().unwrap_or_default()
    }

    /// A new token for the Management API, as the token endpoint gives them.
    #[must_use]
    pub fn token(&self) -> String {
        let until = self.desk.shared.clock.now() + TOKEN_LIFE;
        let mut tenant = lock(&self.tenant);
        tenant.issued += 1;
        let token = format!("sandbox-management-token-{}", tenant.issued);
        tenant.tokens.insert(token.clone(), until);
        token
    }

    /// Tokens given so far.
    #[must_use]
    pub fn tokens_issued(&self) -> u64 {
        lock(&self.tenant).issued
    }

    /// Refuses every token given so far.
    pub fn revoke_tokens(&self) {
        lock(&self.tenant).tokens.clear();
    }

    /// Its fault plan.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.desk.faults
    }

    /// Requests received, refused and broken ones included.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.desk.calls()
    }
}

/// The Management API's errors.
fn refuse(status: StatusCode, message: &str) -> Response {
    let body = json!({
        "statusCode": status.as_u16(), "error": status.canonical_reason().unwrap_or("Error"), "message": message,
    });
    (status, axum::Json(body)).into_response()
}

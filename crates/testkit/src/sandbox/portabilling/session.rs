//! Logins and tokens.

use std::collections::HashMap;

use axum::http::{HeaderMap, header};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::{date, error::Refusal};

/// How long a token is good. Assumed; the answer to a login says when it ends.
const TOKEN_LIFE: SignedDuration = SignedDuration::from_hours(24);

/// The one that may log in.
pub(super) struct User {
    pub(super) login: String,
    pub(super) password: String,
    pub(super) token: String,
}

#[derive(Default)]
pub(super) struct Sessions {
    tokens: HashMap<String, Timestamp>,
    pub(super) logins: u64,
    refused: u64,
}

impl Sessions {
    /// By password, or by API token.
    pub(super) fn log_in(
        &mut self,
        user: &User,
        said: &Map<String, Value>,
        now: Timestamp,
    ) -> Result<Value, Refusal> {
        let is = |name: &str, expected: &str| said.get(name).and_then(Value::as_str) == Some(expected);
        if !is("login", &user.login) || !(is("password", &user.password) || is("token", &user.token)) {
            return Err(Refusal::new(
                "Server.Session.auth_failed",
                "Cannot log in: wrong login or password",
            ));
        }
        self.logins += 1;
        let token = format!("sandbox-access-token-{}", self.logins);
        let until = now + TOKEN_LIFE;
        self.tokens.insert(token.clone(), until);
        Ok(json!({
            "access_token": token, "refresh_token": format!("sandbox-refresh-token-{}", self.logins),
            "expires_at": date::text(until), "session_id": format!("{:032x}", self.logins),
        }))
    }

    /// A token that is not good any more is answered in two ways in turn: clients know both.
    pub(super) fn check(&mut self, headers: &HeaderMap, now: Timestamp) -> Result<(), Refusal> {
        let token = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        let Some(token) = token else {
            let text = "Authentication info is missing";
            return Err(Refusal::new("Client.check_auth.envelope_missed", text));
        };
        if self.tokens.get(token).is_some_and(|until| now < *until) {
            return Ok(());
        }
        self.refused += 1;
        Err(if self.refused.is_multiple_of(2) {
            let code = "Client.Session.check_auth.failed_to_process_access_token";
            Refusal::new(code, "Failed to process access token")
        } else {
            let code = "Client.Session.check_auth.failed_to_process_jwt";
            Refusal::new(code, "Failed to process JWT")
        })
    }

    pub(super) fn close_all(&mut self) {
        self.tokens.clear();
    }
}

//! Who is let in: tokens, the hourly limit, and how many came at once.

use std::collections::{BTreeMap, VecDeque};

use axum::http::{HeaderMap, header};
use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::error::Refusal;

/// How long a token is good; the answer to the request for it says so.
const TOKEN_LIFE: SignedDuration = SignedDuration::from_hours(1);
const HOUR: SignedDuration = SignedDuration::from_hours(1);
const SECOND: SignedDuration = SignedDuration::from_secs(1);

/// The client that tokens are given to.
pub(super) struct Client {
    pub(super) id: String,
    pub(super) secret: String,
}

#[derive(Default)]
pub(super) struct Gate {
    tokens: BTreeMap<String, Timestamp>,
    pub(super) issued: u64,
    /// Requests in an hour; without it, as many as one likes.
    pub(super) limit: Option<usize>,
    served: VecDeque<Timestamp>,
    arrived: VecDeque<Timestamp>,
    pub(super) peak: usize,
}

/// What the LMS's token endpoint refuses: RFC 6749, section 5.2.
pub(super) struct Denied(pub(super) u16, pub(super) &'static str);

impl Gate {
    /// Only `token_type=jwt` gives a token that the API takes; the LMS's other tokens are opaque.
    pub(super) fn token(
        &mut self,
        client: &Client,
        headers: &HeaderMap,
        form: &[u8],
        now: Timestamp,
    ) -> Result<Value, Denied> {
        let form: BTreeMap<String, String> = url::form_urlencoded::parse(form).into_owned().collect();
        let said = |name: &str| form.get(name).map(String::as_str);
        let basic = basic(headers);
        let (id, secret) = match basic.as_deref().and_then(|pair| pair.split_once(':')) {
            Some((id, secret)) => (Some(id), Some(secret)),
            None => (said("client_id"), said("client_secret")),
        };
        if said("grant_type") != Some("client_credentials") {
            return Err(Denied(400, "unsupported_grant_type"));
        }
        if id != Some(&*client.id) || secret != Some(&*client.secret) {
            return Err(Denied(401, "invalid_client"));
        }
        self.issued += 1;
        let lives = TOKEN_LIFE.as_secs();
        if !said("token_type").is_some_and(|kind| kind.eq_ignore_ascii_case("jwt")) {
            let token = format!("sandbox-opaque-token-{}", self.issued);
            return Ok(json!({"access_token": token, "token_type": "Bearer", "expires_in": lives}));
        }
        let token = format!("sandbox.discovery.{}", self.issued);
        self.tokens.insert(token.clone(), now + TOKEN_LIFE);
        Ok(json!({"access_token": token, "token_type": "JWT", "expires_in": lives, "scope": "read write"}))
    }

    /// `Authorization: JWT <token>`; `Bearer` is as good as nothing. What is open to all still refuses a bad token.
    pub(super) fn check(&self, headers: &HeaderMap, open: bool, now: Timestamp) -> Result<(), Refusal> {
        let token = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok()?.strip_prefix("JWT "));
        match token.map(|token| self.tokens.get(token)) {
            Some(Some(until)) if now < *until => Ok(()),
            Some(Some(_)) => Err(Refusal::Unauthorized("Token has expired.")),
            Some(None) => Err(Refusal::Unauthorized("Error decoding token.")),
            None if open => Ok(()),
            None => Err(Refusal::Unauthorized(
                "Authentication credentials were not provided.",
            )),
        }
    }

    /// Refused requests do not count.
    pub(super) fn throttle(&mut self, now: Timestamp) -> Result<(), Refusal> {
        let Some(limit) = self.limit else {
            return Ok(());
        };
        while self
            .served
            .front()
            .is_some_and(|served| now.duration_since(*served) >= HOUR)
        {
            self.served.pop_front();
        }
        if self.served.len() < limit {
            self.served.push_back(now);
            return Ok(());
        }
        let wait = self
            .served
            .front()
            .map_or(HOUR, |oldest| HOUR - now.duration_since(*oldest));
        Err(Refusal::Throttled(
            wait.as_secs() + i64::from(wait.subsec_nanos() > 0),
        ))
    }

    pub(super) fn arrive(&mut self, now: Timestamp) {
        while self
            .arrived
            .front()
            .is_some_and(|came| now.duration_since(*came) >= SECOND)
        {
            self.arrived.pop_front();
        }
        self.arrived.push_back(now);
        self.peak = self.peak.max(self.arrived.len());
    }

    pub(super) fn expire_all(&mut self, now: Timestamp) {
        for until in self.tokens.values_mut() {
            *until = (*until).min(now);
        }
    }
}

fn basic(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    String::from_utf8(STANDARD.decode(value.strip_prefix("Basic ")?).ok()?).ok()
}

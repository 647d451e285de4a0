//! Who is logged in.

use std::collections::HashMap;

use axum::http::{HeaderMap, header};
use jiff::{SignedDuration, Timestamp};

/// Idle time after which a session ends, as the login says it in minutes.
pub(super) const IDLE_MINUTES: i64 = 30;

#[derive(Default)]
pub(super) struct Sessions {
    open: HashMap<String, Session>,
    pub(super) logins: u64,
}

struct Session {
    user: String,
    last_used: Timestamp,
}

impl Sessions {
    /// The new session's id.
    pub(super) fn open(&mut self, user: &str, now: Timestamp) -> String {
        self.logins += 1;
        let id = format!("5e55104e-0000-11f1-8000-{:012x}", self.logins);
        let session = Session {
            user: user.to_owned(),
            last_used: now,
        };
        self.open.insert(id.clone(), session);
        id
    }

    /// Whose session the request is in. That keeps it alive.
    pub(super) fn user(&mut self, headers: &HeaderMap, now: Timestamp) -> Option<String> {
        let id = session_id(headers)?;
        let session = self.open.get_mut(id)?;
        if now.duration_since(session.last_used) >= SignedDuration::from_mins(IDLE_MINUTES) {
            self.open.remove(id);
            return None;
        }
        session.last_used = now;
        Some(session.user.clone())
    }

    pub(super) fn close(&mut self, headers: &HeaderMap) {
        if let Some(id) = session_id(headers) {
            self.open.remove(id);
        }
    }

    pub(super) fn close_all(&mut self) {
        self.open.clear();
    }
}

/// `ROUTEID` only says which node to go to and is not asked for.
fn session_id(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).iter();
    cookies
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(name, value)| (name == "B1SESSION").then_some(value))
}

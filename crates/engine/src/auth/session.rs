//! Session login: a document with user and password against a session.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use futures::future::BoxFuture;
use http::{HeaderName, Method, StatusCode, header};
use jiff::SignedDuration;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

use super::certificate::Connection;
use super::credential::Credential;
use super::issued::{Grant, Issuer};
use super::settings::{SessionSettings, Sign};
use super::token::{MAX_ANSWER_BYTES, TIMEOUT};
use crate::clock::Clock;
use crate::http::{Answer, status_error};
use crate::secret::{SecretStore, Snapshot};
use crate::{Error, ErrorKind, Stage};

pub(super) struct Session {
    pub(super) settings: SessionSettings,
    pub(super) from: From,
    /// JSON Pointer → the secret's field.
    pub(super) secrets: BTreeMap<String, String>,
    pub(super) connection: Connection,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) store: Arc<SecretStore>,
}

/// What of the login's answer is the session.
pub(super) enum From {
    Body {
        pointer: String,
        header: HeaderName,
        scheme: String,
    },
    Cookies(Vec<String>),
}

impl Session {
    fn document(&self, secret: &Snapshot) -> Result<Value, Error> {
        let mut document = Value::Object(self.settings.document.clone());
        for (pointer, field) in &self.secrets {
            let value = secret.require(field)?;
            insert(&mut document, pointer, value.expose_secret());
        }
        Ok(document)
    }

    async fn log_in(&self, document: &Value) -> Result<Grant, Error> {
        let http = self.connection.http().await?;
        let answer = http
            .request(Method::POST, self.settings.login_url.clone())
            .header(header::ACCEPT, "application/json")
            .json(document)
            .timeout(TIMEOUT)
            .max_answer_bytes(MAX_ANSWER_BYTES)
            .send()
            .await
            .map_err(|error| error.at(Stage::Source))?;
        let is_refused = matches!(answer.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
            || self.settings.refused.iter().any(|sign| sign.is_seen_in(&answer));
        if is_refused {
            let message = "the login is refused";
            let code = answer.status.as_u16().to_string();
            return Err(Error::retry(ErrorKind::Deauthorized, Stage::Source, message).code(code));
        }
        if !answer.status.is_success() {
            let error = status_error(Stage::Source, &answer, self.clock.now());
            // Whatever is wrong with a login, it is wrong with no entity.
            let again = crate::Verdict::Retry {
                after: error.retry_after(),
            };
            return Err(Error::new(error.kind(), again, Stage::Source, error.message()));
        }
        let credential = self.from.credential(&answer).ok_or_else(|| {
            let message = "expected a session in the answer to the login, found none";
            Error::retry(ErrorKind::Unexpected, Stage::Source, message)
        })?;
        let lives = self.settings.lifetime_seconds;
        Ok(Grant {
            credential,
            // Without a lifetime it is good until it is refused.
            lives: Some(lives.map_or(SignedDuration::from_hours(24 * 365), |seconds| {
                SignedDuration::from_secs(seconds.into())
            })),
        })
    }
}

impl Issuer for Session {
    fn issue<'a>(&'a self, _: Option<&'a Credential>) -> BoxFuture<'a, Result<Grant, Error>> {
        Box::pin(async move {
            let document = self.document(&self.store.snapshot().await?)?;
            match self.log_in(&document).await {
                Err(error) if error.kind() == ErrorKind::Deauthorized => {
                    // The password may have been changed.
                    self.store.suspect().await;
                    let now = self.document(&self.store.snapshot().await?)?;
                    if now == document {
                        Err(error)
                    } else {
                        self.log_in(&now).await
                    }
                }
                other => other,
            }
        })
    }

    fn is_refusal(&self, answer: &Answer) -> bool {
        match self.settings.expired.as_slice() {
            [] => answer.status == StatusCode::UNAUTHORIZED,
            signs => signs.iter().any(|sign| sign.is_seen_in(answer)),
        }
    }
}

impl From {
    fn credential(&self, answer: &Answer) -> Option<Credential> {
        match self {
            Self::Body {
                pointer,
                header,
                scheme,
            } => {
                let body = answer.json::<Value>()?;
                let session = match body.pointer(pointer)? {
                    Value::String(text) if !text.is_empty() => text.clone(),
                    Value::Number(number) => number.to_string(),
                    _ => return None,
                };
                let session = SecretString::from(session);
                Some(Credential::in_header(header.clone(), scheme, &session))
            }
            Self::Cookies(names) => {
                let mut found = Vec::new();
                for (place, name) in names.iter().enumerate() {
                    match cookie(answer, name) {
                        Some(value) => found.push(format!("{name}={value}")),
                        None if place == 0 => return None,
                        None => {}
                    }
                }
                (!found.is_empty()).then(|| Credential::Header(header::COOKIE, found.join("; ").into()))
            }
        }
    }
}

/// The value that the answer gives a cookie. Where it may be sent to is not asked: it is sent where the session is used.
fn cookie<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    let set = answer.headers.get_all(header::SET_COOKIE).iter();
    let pairs = set.filter_map(|value| value.to_str().ok()?.split(';').next()?.split_once('='));
    let mut values = pairs.filter(|(found, _)| found.trim() == name);
    values.next_back().map(|(_, value)| value.trim())
}

impl Sign {
    fn is_seen_in(&self, answer: &Answer) -> bool {
        if answer.status.as_u16() != self.status {
            return false;
        }
        let Some(pointer) = &self.pointer else {
            return true;
        };
        let body = answer.json::<Value>();
        let code = match body.as_ref().and_then(|body| body.pointer(pointer)) {
            Some(Value::String(code)) => code.clone(),
            Some(Value::Number(code)) => code.to_string(),
            _ => return false,
        };
        self.codes.contains(&code)
    }
}

/// Puts a text in its place, and makes the objects on the way.
fn insert(document: &mut Value, pointer: &str, value: &str) {
    let mut place = document;
    for part in pointer.split('/').skip(1) {
        if !place.is_object() {
            *place = Value::Object(Map::new());
        }
        let part = part.replace("~1", "/").replace("~0", "~");
        place = &mut place[part];
    }
    *place = Value::from(value);
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Session({:?})", self.secrets)
    }
}

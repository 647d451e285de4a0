//! Who may call: `Authorization` against the secret.
//!
//! Two values of each may hold at a time, so that a sender can be given a new one before the old one goes.

use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, StatusCode};
use secrecy::{ExposeSecret, SecretBox, SecretString};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};
use vendorbridge::secret::SecretStore;

use crate::problem::Problem;

/// The secret's fields for SAP Business One.
const FIELDS: [&str; 5] = [
    "sapb1_user",
    "sapb1_password",
    "sapb1_password_next",
    "sapb1_token",
    "sapb1_token_next",
];
/// When a caller may come again whose credentials could not be checked.
const RETRY_AFTER_SECONDS: u32 = 15;

/// What a caller shows.
pub(crate) enum Shown {
    Basic {
        user: SecretBox<[u8]>,
        password: SecretBox<[u8]>,
    },
    Bearer(SecretBox<[u8]>),
}

/// Why a caller does not get in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It shows nothing, or the wrong thing.
    Unknown,
    /// It cannot be said: the secret cannot be read, with the kind of error.
    Unchecked(&'static str),
}

impl Shown {
    /// What these headers show. More than one `Authorization` is none.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let mut all = headers.get_all(AUTHORIZATION).iter();
        let (Some(header), None) = (all.next(), all.next()) else {
            return None;
        };
        let (scheme, value) = header.to_str().ok()?.split_once(' ')?;
        let value = value.trim();
        if scheme.eq_ignore_ascii_case("bearer") {
            return Some(Self::Bearer(boxed(value.as_bytes())));
        }
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let pair = SecretBox::<[u8]>::from(BASE64_STANDARD.decode(value).ok()?.into_boxed_slice());
        let pair = pair.expose_secret();
        let colon = pair.iter().position(|byte| *byte == b':')?;
        Some(Self::Basic {
            user: boxed(&pair[..colon]),
            password: boxed(&pair[colon + 1..]),
        })
    }

    /// The scheme, for the log.
    pub(crate) const fn scheme(&self) -> &'static str {
        match self {
            Self::Basic { .. } => "basic",
            Self::Bearer(_) => "bearer",
        }
    }

    fn matches(
        &self,
        [user, password, password_next, token, token_next]: &[Option<SecretString>; 5],
    ) -> bool {
        let found = match self {
            Self::Basic {
                user: shown,
                password: word,
            } => {
                is_same(shown, user.as_ref())
                    & (is_same(word, password.as_ref()) | is_same(word, password_next.as_ref()))
            }
            Self::Bearer(shown) => is_same(shown, token.as_ref()) | is_same(shown, token_next.as_ref()),
        };
        found.into()
    }
}

/// Lets a caller in whose credentials are in the secret. Wrong ones have it read anew, which the store does at most twice a minute.
pub(crate) async fn check(shown: &Shown, secrets: &SecretStore) -> Result<(), Refused> {
    for is_last in [false, true] {
        let fields = secrets
            .fields(FIELDS)
            .await
            .map_err(|error| Refused::Unchecked(error.kind().name()))?;
        if shown.matches(&fields) {
            return Ok(());
        }
        if !is_last {
            secrets.suspect().await;
        }
    }
    Err(Refused::Unknown)
}

/// Takes as long whatever differs, and however long the texts are. A field that is missing or empty lets nobody in.
fn is_same(shown: &SecretBox<[u8]>, wanted: Option<&SecretString>) -> Choice {
    let wanted = wanted.map(ExposeSecret::expose_secret).unwrap_or_default();
    let is_set = Choice::from(u8::from(!wanted.is_empty()));
    let (shown, wanted) = (Sha256::digest(shown.expose_secret()), Sha256::digest(wanted));
    shown.as_slice().ct_eq(wanted.as_slice()) & is_set
}

fn boxed(bytes: &[u8]) -> SecretBox<[u8]> {
    SecretBox::from(Box::from(bytes))
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        match self {
            Self::Unknown => {
                let detail = "expected `Authorization: Basic` or `Bearer` with valid credentials, found none";
                let problem = Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", detail);
                let mut response = problem.into_response();
                for challenge in [
                    r#"Basic realm="sapb1", charset="UTF-8""#,
                    r#"Bearer realm="sapb1""#,
                ] {
                    let challenge = HeaderValue::from_static(challenge);
                    response.headers_mut().append(WWW_AUTHENTICATE, challenge);
                }
                response
            }
            Self::Unchecked(_) => {
                let detail = "credentials cannot be checked at the moment";
                Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unchecked", detail)
                    .retry_after(RETRY_AFTER_SECONDS)
                    .into_response()
            }
        }
    }
}

#[cfg(test)]
mod tests;

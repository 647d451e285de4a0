//! What is shown to a service.

use std::fmt;
use std::sync::Arc;

use http::HeaderName;
use secrecy::{ExposeSecret, SecretString};

use crate::http::Request;

/// A credential and its place in a request.
#[derive(Clone)]
pub(super) enum Credential {
    Header(HeaderName, SecretString),
    Query(Arc<str>, SecretString),
}

impl Credential {
    /// `Authorization` with a word before the credential.
    pub(super) fn authorization(scheme: &str, value: &SecretString) -> Self {
        Self::in_header(http::header::AUTHORIZATION, scheme, value)
    }

    /// A header with a word before the credential; none if it is empty.
    pub(super) fn in_header(name: HeaderName, scheme: &str, value: &SecretString) -> Self {
        let value = if scheme.is_empty() {
            value.clone()
        } else {
            SecretString::from(format!("{scheme} {}", value.expose_secret()))
        };
        Self::Header(name, value)
    }

    pub(super) fn show<'a>(&self, request: Request<'a>) -> Request<'a> {
        match self {
            Self::Header(name, value) => request.secret_header(name.clone(), value),
            Self::Query(name, value) => request.secret_query(name, value),
        }
    }

    /// Whether both show the same.
    pub(super) fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Header(a, x), Self::Header(b, y)) => a == b && x.expose_secret() == y.expose_secret(),
            (Self::Query(a, x), Self::Query(b, y)) => a == b && x.expose_secret() == y.expose_secret(),
            _ => false,
        }
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(name, _) => write!(f, "Header({name})"),
            Self::Query(name, _) => write!(f, "Query({name})"),
        }
    }
}

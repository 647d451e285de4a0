//! Who may use the console: the page that it served itself, in the browser of whoever has the printed address.
//!
//! Any page of the same browser can send requests to 127.0.0.1, and a name that an attacker owns can be made to point there
//! (DNS rebinding). So a request must name this very address as its host, must not come from another page, and a question
//! must show the token, in a header that other pages cannot set without being asked about first (and nobody answers yes).

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, HeaderName, ORIGIN, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::token::Token;

/// The header that shows the token.
const TOKEN: &str = "x-vendorbridge-token";
/// What browsers say about where a request comes from (<https://www.w3.org/TR/fetch-metadata/>).
const FETCH_SITE: &str = "sec-fetch-site";
/// Below this path are the questions; elsewhere is the page, which tells nothing.
const QUESTIONS: &str = "/api/";

/// The page runs what is served here, and speaks with nobody else. The last two keep text from becoming code even if the page
/// had a mistake.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; \
     base-uri 'none'; frame-ancestors 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

/// Decides on every request before anything else sees it.
#[derive(Debug)]
pub(super) struct Guard {
    token: Token,
    /// The names under which browsers know this address.
    hosts: [String; 2],
}

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    Host,
    Origin,
    Token,
}

impl Guard {
    pub(super) fn new(token: Token, port: u16) -> Self {
        Self {
            token,
            hosts: [format!("127.0.0.1:{port}"), format!("localhost:{port}")],
        }
    }

    fn check(&self, method: &Method, path: &str, headers: &HeaderMap) -> Result<(), Refusal> {
        let host = only(headers, &HOST).ok_or(Refusal::Host)?;
        if !self.hosts.iter().any(|ours| ours.as_bytes() == host) {
            return Err(Refusal::Host);
        }
        if !self.is_ours(method, headers) {
            return Err(Refusal::Origin);
        }
        if !path.starts_with(QUESTIONS) {
            return Ok(());
        }
        // A link on another page may lead to the page, but nobody links to a question.
        let site = headers.get(FETCH_SITE).map(HeaderValue::as_bytes);
        if site.is_some_and(|site| site != b"same-origin") {
            return Err(Refusal::Origin);
        }
        let shown = only(headers, &HeaderName::from_static(TOKEN)).ok_or(Refusal::Token)?;
        if self.token.is(shown) {
            Ok(())
        } else {
            Err(Refusal::Token)
        }
    }

    /// Browsers name the page a request comes from with everything but a plain look.
    fn is_ours(&self, method: &Method, headers: &HeaderMap) -> bool {
        if !headers.contains_key(ORIGIN) {
            return matches!(*method, Method::GET | Method::HEAD);
        }
        let origin = only(headers, &ORIGIN).and_then(|origin| origin.strip_prefix(b"http://"));
        origin.is_some_and(|origin| self.hosts.iter().any(|ours| ours.as_bytes() == origin))
    }
}

/// A header's value, if it is there once: of two, somebody else might mean the other.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a [u8]> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    values.next().is_none().then(|| value.as_bytes())
}

impl Refusal {
    const fn words(self) -> &'static str {
        match self {
            Self::Host => "expected this console's own address as the host, found another",
            Self::Origin => "expected a request of this console's own page, found another sender",
            Self::Token => {
                "expected the token of this start: open the address that `vendorbridge console` has printed"
            }
        }
    }
}

/// Refuses, or lets through; either way the answer tells the browser what it may do with it.
pub(super) async fn check(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    let verdict = guard.check(request.method(), request.uri().path(), request.headers());
    let mut response = match verdict {
        Ok(()) => next.run(request).await,
        Err(refusal) => {
            let status = match refusal {
                Refusal::Token => StatusCode::UNAUTHORIZED,
                _ => StatusCode::FORBIDDEN,
            };
            (status, Json(json!({"error": refusal.words()}))).into_response()
        }
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-store"),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests;

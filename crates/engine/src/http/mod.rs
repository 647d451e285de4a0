//! One HTTP stack for sources, vendors and the AWS SDK: one TLS configuration, one connection pool, one set of trust
//! roots (docs/adr/0005-one-http-stack.md).

mod aws;
mod hosts;
mod verdict;

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;

pub use aws::AwsHttp;
pub use hosts::{Hosts, Patience, Reply};
pub use verdict::{retry_after, status_error};

/// How long a connection may take to open.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// A frozen function wakes up with connections that the other side has long closed: do not keep them for long.
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);
/// Answers are read up to this size unless a request says otherwise.
const MAX_ANSWER_BYTES: usize = 1024 * 1024;

/// Sends requests. Cheap to clone; clones share their connections.
#[derive(Debug, Clone)]
pub struct Http {
    client: reqwest::Client,
    allow_plain: bool,
}

/// Why there is no answer to a request.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The URL is not one that may be called.
    #[error("expected {expected}, found {found}")]
    Url {
        /// What a URL must be.
        expected: &'static str,
        /// What it is.
        found: String,
    },
    /// A header value, or a body, could not be built from what was given.
    #[error("the request cannot be built: {0}")]
    Request(&'static str),
    /// The request was not sent.
    #[error("could not connect")]
    NotSent(#[source] reqwest::Error),
    /// The request was sent, or may have been; there was no answer in time.
    #[error("no answer in time")]
    Timeout,
    /// The request was sent, or may have been; the connection broke.
    #[error("the connection broke before the answer")]
    Cut(#[source] reqwest::Error),
    /// The answer is larger than allowed. The request was carried out.
    #[error("expected an answer of at most {limit} bytes, found more")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
}

/// A request under construction.
#[derive(Clone)]
#[must_use]
pub struct Request<'a> {
    http: &'a Http,
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Bytes,
    timeout: Duration,
    max_answer_bytes: usize,
    cut_answer: bool,
    invalid: Option<&'static str>,
}

/// A complete answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body. Never log it.
    pub body: Bytes,
}

impl Http {
    /// A client with this project's TLS configuration. Redirects are not followed.
    ///
    /// `allow_plain`: whether `http://` URLs may be called (local development only).
    ///
    /// # Errors
    /// If the TLS library refuses its own defaults.
    pub fn new(allow_plain: bool) -> Result<Self, HttpError> {
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls().map_err(|_| HttpError::Request("no TLS version is usable"))?)
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .tcp_nodelay(true)
            .no_proxy()
            .user_agent(concat!("vendorbridge/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(HttpError::NotSent)?;
        Ok(Self { client, allow_plain })
    }

    /// Starts a request.
    pub fn request(&self, method: Method, url: Url) -> Request<'_> {
        Request {
            http: self,
            method,
            url,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            timeout: Duration::from_secs(10),
            max_answer_bytes: MAX_ANSWER_BYTES,
            cut_answer: false,
            invalid: None,
        }
    }

    /// Checks that a configured URL may be called at all, so that a mistake shows at start.
    ///
    /// # Errors
    /// [`HttpError::Url`] if it is not absolute `https`, or carries a user name or password.
    pub fn check(&self, url: &Url) -> Result<(), HttpError> {
        let plain = url.scheme() == "http" && self.allow_plain;
        if url.scheme() != "https" && !plain {
            let found = format!("`{}:`", url.scheme());
            return Err(HttpError::Url {
                expected: "an https URL",
                found,
            });
        }
        if !url.username().is_empty() || url.password().is_some() {
            let found = "one with credentials in it".to_owned();
            return Err(HttpError::Url {
                expected: "a URL without user name and password",
                found,
            });
        }
        Ok(())
    }

    pub(crate) fn client(&self) -> &reqwest::Client {
        &self.client
    }
}

impl Request<'_> {
    /// Adds a header.
    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        match HeaderValue::from_str(value) {
            Ok(value) => _ = self.headers.insert(name, value),
            Err(_) => self.invalid = Some("a header value has characters that no header may have"),
        }
        self
    }

    /// Adds a header whose value is kept out of every log and `Debug`.
    pub fn secret_header(mut self, name: HeaderName, value: &SecretString) -> Self {
        match HeaderValue::from_str(value.expose_secret()) {
            Ok(mut value) => {
                value.set_sensitive(true);
                self.headers.insert(name, value);
            }
            Err(_) => self.invalid = Some("a secret has characters that no header may have"),
        }
        self
    }

    /// `Authorization: Bearer …`.
    pub fn bearer(self, token: &SecretString) -> Self {
        let value = SecretString::from(format!("Bearer {}", token.expose_secret()));
        self.secret_header(header::AUTHORIZATION, &value)
    }

    /// `Authorization: Basic …`.
    pub fn basic(self, user: &str, password: &SecretString) -> Self {
        use base64::Engine;
        let pair = format!("{user}:{}", password.expose_secret());
        let value = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair));
        self.secret_header(header::AUTHORIZATION, &SecretString::from(value))
    }

    /// A JSON body.
    pub fn json(mut self, body: &impl Serialize) -> Self {
        match serde_json::to_vec(body) {
            Ok(bytes) => self.body = bytes.into(),
            Err(_) => self.invalid = Some("the body is no JSON"),
        }
        self.header(header::CONTENT_TYPE, "application/json")
    }

    /// A body that is JSON already.
    pub fn json_bytes(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self.header(header::CONTENT_TYPE, "application/json")
    }

    /// The longest the whole exchange may take; ten seconds unless set.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The largest answer that is read; 1 MiB unless set.
    pub fn max_answer_bytes(mut self, limit: usize) -> Self {
        self.max_answer_bytes = limit;
        self
    }

    /// Reads no more than `limit` bytes of the answer and leaves the rest: for requests whose effect matters, not their
    /// answer.
    pub fn cut_answer_at(mut self, limit: usize) -> Self {
        self.max_answer_bytes = limit;
        self.cut_answer = true;
        self
    }

    /// Sends the request and reads the whole answer, whatever its status.
    ///
    /// # Errors
    /// [`HttpError`], which tells whether the request may have been carried out.
    pub async fn send(self) -> Result<Answer, HttpError> {
        self.http.check(&self.url)?;
        if let Some(reason) = self.invalid {
            return Err(HttpError::Request(reason));
        }
        let limit = self.max_answer_bytes;
        let request = self
            .http
            .client
            .request(self.method, self.url)
            .headers(self.headers)
            .timeout(self.timeout)
            .body(self.body);
        let mut answer = request.send().await.map_err(HttpError::from)?;
        let status = answer.status();
        let headers = std::mem::take(answer.headers_mut());
        let mut body = BytesMut::new();
        while let Some(chunk) = answer.chunk().await.map_err(HttpError::from)? {
            if body.len() + chunk.len() > limit {
                if self.cut_answer {
                    break;
                }
                return Err(HttpError::TooLarge { limit });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer {
            status,
            headers,
            body: body.freeze(),
        })
    }
}

impl Answer {
    /// A header as text.
    #[must_use]
    pub fn header(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as JSON, if it is that.
    #[must_use]
    pub fn json<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&self.body).ok()
    }
}

impl From<reqwest::Error> for HttpError {
    fn from(error: reqwest::Error) -> Self {
        // The URL may carry an entity id: it never reaches a message.
        let error = error.without_url();
        if error.is_connect() {
            Self::NotSent(error)
        } else if error.is_timeout() {
            Self::Timeout
        } else if error.is_builder() {
            Self::Request("the HTTP client refused it")
        } else {
            Self::Cut(error)
        }
    }
}

/// The one TLS configuration. The trust roots are compiled in: nothing is read or parsed at start.
fn tls() -> Result<rustls::ClientConfig, rustls::Error> {
    let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let roots = rustls::RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    Ok(rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

#[cfg(test)]
mod tests;

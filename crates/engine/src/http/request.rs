//! One exchange: what is sent, and the whole answer.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;

use super::{Http, HttpError};

/// Answers are read up to this size unless a request says otherwise.
const MAX_ANSWER_BYTES: usize = 1024 * 1024;

/// What a list of many records may come to, as long as nobody wants more of it than a page.
pub const MAX_PAGE_BYTES: usize = 6 * 1024 * 1024;

/// A request under construction.
#[derive(Clone)]
#[must_use]
pub struct Request<'a> {
    http: &'a Http,
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) message_id: Option<String>,
    timeout: Duration,
    max_answer_bytes: usize,
    cut_answer: bool,
    invalid: Option<&'static str>,
    is_unshowable: bool,
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

impl<'a> Request<'a> {
    pub(super) fn new(http: &'a Http, method: Method, url: Url) -> Self {
        Self {
            http,
            method,
            url,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            message_id: None,
            timeout: Duration::from_secs(10),
            max_answer_bytes: MAX_ANSWER_BYTES,
            cut_answer: false,
            invalid: None,
            is_unshowable: false,
        }
    }

    /// The same request over other connections.
    pub(crate) fn over<'b>(self, http: &'b Http) -> Request<'b>
    where
        'a: 'b,
    {
        Request { http, ..self }
    }

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
            Err(_) => self.is_unshowable = true,
        }
        self
    }

    /// Adds a secret query parameter. No error and no log of ours shows a request's URL.
    pub(crate) fn secret_query(mut self, name: &str, value: &SecretString) -> Self {
        self.url
            .query_pairs_mut()
            .append_pair(name, value.expose_secret());
        self
    }

    /// The identity of the message, for schemes that sign it: the same for every repeat.
    pub fn message_id(mut self, id: impl Into<String>) -> Self {
        self.message_id = Some(id.into());
        self
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

    /// A body of any type.
    pub(crate) fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
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
        if self.is_unshowable {
            return Err(HttpError::Unshowable);
        }
        if let Some(reason) = self.invalid {
            return Err(HttpError::Request(reason));
        }
        let limit = self.max_answer_bytes;
        let request = self
            .http
            .client()
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

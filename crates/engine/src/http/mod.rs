//! One HTTP stack for sources, vendors and the AWS SDK: one TLS configuration, one set of trust roots
//! (docs/adr/0005-one-http-stack.md). Which addresses may be called is decided here, too.

mod aws;
mod guard;
mod hosts;
mod pace;
mod request;
mod tls;
mod verdict;

use std::fmt;
use std::time::Duration;

use http::Method;
use rustls::pki_types::CertificateDer;
use secrecy::SecretString;
use url::{Host, Url};

pub use aws::AwsHttp;
pub use hosts::{Hosts, Patience, Reply};
pub use pace::Pace;
pub use request::{Answer, MAX_PAGE_BYTES, Request};
pub use verdict::{retry_after, status_error};

/// How long a connection may take to open.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// A frozen function wakes up with connections that the other side has long closed: do not keep them for long.
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);

/// How connections to sources and vendors are made.
#[derive(Debug, Clone, Default)]
pub struct HttpOptions {
    /// Whether `http://` URLs may be called. For local development.
    pub allow_plain: bool,
    /// Whether private, loopback and link-local addresses may be called: for services in the same network.
    pub allow_private: bool,
    /// Where all requests go through; `http` or `https`, without user name and password.
    pub proxy: Option<Url>,
    /// Roots that are trusted besides the public ones.
    pub roots: Vec<CertificateDer<'static>>,
}

/// Sends requests. Cheap to clone; clones share their connections.
#[derive(Clone)]
pub struct Http {
    client: reqwest::Client,
    direct: reqwest::Client,
    options: HttpOptions,
    trust: tls::Trust,
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
    /// The name stands for addresses that may not be called. The request was not sent.
    #[error("expected a public address, found a name that stands for others only")]
    Private,
    /// The client certificate cannot be used, or the other side refused it. The request was not carried out.
    #[error("{0}")]
    Certificate(&'static str),
    /// A secret has characters that no header may have, such as a line break at its end.
    #[error(
        "expected a credential that a header can hold, found one with other characters: is there a line break at its end?"
    )]
    Unshowable,
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

impl Http {
    /// A client with this project's TLS configuration. Redirects are not followed.
    ///
    /// `allow_plain`: whether `http://` URLs, and with them private addresses, may be called (local development only).
    ///
    /// # Errors
    /// If the TLS library refuses its own defaults.
    pub fn new(allow_plain: bool) -> Result<Self, HttpError> {
        Self::with(HttpOptions {
            allow_plain,
            allow_private: allow_plain,
            ..HttpOptions::default()
        })
    }

    /// A client with these options. The AWS SDK's connections ([`AwsHttp`]) are not subject to them: its endpoints are its own,
    /// and often private.
    ///
    /// # Errors
    /// If the proxy's URL cannot be used, or the TLS library refuses its own defaults.
    pub fn with(mut options: HttpOptions) -> Result<Self, HttpError> {
        let trust = tls::Trust::new(std::mem::take(&mut options.roots));
        let tls = trust.anonymous()?;
        let direct = builder(tls.clone()).build().map_err(HttpError::NotSent)?;
        let client = if options.allow_private && options.proxy.is_none() {
            direct.clone()
        } else {
            guarded(tls, &options)?
        };
        Ok(Self {
            client,
            direct,
            options,
            trust,
        })
    }

    /// The same, with a client certificate and connections of its own.
    ///
    /// # Errors
    /// [`HttpError::Certificate`] if the certificate or its key cannot be read.
    pub fn with_certificate(&self, chain: &SecretString, key: &SecretString) -> Result<Self, HttpError> {
        let client = guarded(self.trust.with_certificate(chain, key)?, &self.options)?;
        Ok(Self {
            client,
            ..self.clone()
        })
    }

    /// Starts a request.
    pub fn request(&self, method: Method, url: Url) -> Request<'_> {
        Request::new(self, method, url)
    }

    /// Checks that a configured URL may be called at all, so that a mistake shows at start.
    ///
    /// # Errors
    /// [`HttpError::Url`] if it is not absolute `https`, names an address that may not be called, or carries a user name or
    /// password.
    pub fn check(&self, url: &Url) -> Result<(), HttpError> {
        let plain = url.scheme() == "http" && self.options.allow_plain;
        if url.scheme() != "https" && !plain {
            return Err(wrong_url("an https URL", format!("`{}:`", url.scheme())));
        }
        without_credentials(url)?;
        if !self.options.allow_private && !guard::may_be_called(url) {
            return Err(wrong_url(
                "a public address (or `ALLOW_PRIVATE_ADDRESSES`)",
                "another one",
            ));
        }
        Ok(())
    }

    /// The client for sources and vendors.
    fn client(&self) -> &reqwest::Client {
        &self.client
    }

    /// The client that neither the proxy nor the guard stands before.
    fn direct(&self) -> &reqwest::Client {
        &self.direct
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

fn builder(tls: rustls::ClientConfig) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .tcp_nodelay(true)
        .no_proxy()
        .user_agent(concat!("vendorbridge/", env!("CARGO_PKG_VERSION")))
}

fn guarded(tls: rustls::ClientConfig, options: &HttpOptions) -> Result<reqwest::Client, HttpError> {
    let mut client = builder(tls);
    let mut except = None;
    if let Some(proxy) = &options.proxy {
        if !matches!(proxy.scheme(), "http" | "https") {
            return Err(wrong_url(
                "an http or https URL of the proxy",
                format!("`{}:`", proxy.scheme()),
            ));
        }
        without_credentials(proxy)?;
        if let Some(Host::Domain(name)) = proxy.host() {
            except = Some(name.to_owned());
        }
        client = client.proxy(reqwest::Proxy::all(proxy.clone()).map_err(HttpError::NotSent)?);
    }
    if !options.allow_private {
        client = client.dns_resolver(guard::PublicOnly { except });
    }
    client.build().map_err(HttpError::NotSent)
}

fn without_credentials(url: &Url) -> Result<(), HttpError> {
    if url.username().is_empty() && url.password().is_none() {
        return Ok(());
    }
    Err(wrong_url(
        "a URL without user name and password",
        "one with credentials in it",
    ))
}

fn wrong_url(expected: &'static str, found: impl Into<String>) -> HttpError {
    let found = found.into();
    HttpError::Url { expected, found }
}

impl From<reqwest::Error> for HttpError {
    fn from(error: reqwest::Error) -> Self {
        // The URL may carry an entity id or a key: it never reaches a message.
        let error = error.without_url();
        if tls::find::<guard::Refused>(&error).is_some() {
            Self::Private
        } else if tls::is_certificate_refused(&error) {
            Self::Certificate("the client certificate was refused")
        } else if error.is_connect() {
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

#[cfg(test)]
mod tests;

//! What every source behind HTTP has.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use jiff::Timestamp;
use url::Url;

use crate::auth::Auth;
use crate::clock::Clock;
use crate::http::{Http, HttpError, Request};
use crate::{Error, ErrorKind, Stage};

/// Where a source answers, who we are to it, and how long a read may take.
#[derive(Clone)]
pub(super) struct Endpoint {
    pub(super) http: Http,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) url: Url,
    pub(super) auth: Auth,
    pub(super) timeout: Duration,
}

impl Endpoint {
    /// Nobody asks who we are, and a read may take five seconds, unless set.
    pub(super) fn new(http: Http, clock: Arc<dyn Clock>, url: Url) -> Result<Self, HttpError> {
        http.check(&url)?;
        Ok(Self {
            http,
            clock,
            url,
            auth: Auth::none(),
            timeout: Duration::from_secs(5),
        })
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The URL with these segments behind its path, each percent-encoded. `.` and `..` cannot be segments, nor can line breaks
    /// and tabs: the caller refuses them.
    pub(super) fn under<'a>(&self, segments: impl IntoIterator<Item = &'a str>) -> Url {
        let mut url = self.url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }

    pub(super) fn request(&self, method: Method, url: Url, timeout: Duration) -> Request<'_> {
        self.http.request(method, url).timeout(timeout)
    }

    /// What is left of the time for a read of several calls that began then.
    pub(super) fn left(&self, begun: Timestamp) -> Result<Duration, Error> {
        let spent = Duration::try_from(self.now().duration_since(begun)).unwrap_or_default();
        let left = self.timeout.saturating_sub(spent);
        if left.is_zero() {
            let message = "no answer in time";
            return Err(Error::retry(ErrorKind::Timeout, Stage::Source, message));
        }
        Ok(left)
    }
}

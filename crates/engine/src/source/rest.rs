//! A source behind `GET`.

mod list;

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use http::{Method, StatusCode, header};
use url::Url;

use super::endpoint::Endpoint;
use super::{Fetched, Listed, Source};
use crate::ask::{Page, PageRequest};
use crate::auth::Auth;
use crate::clock::Clock;
use crate::http::{Http, HttpError, status_error};
use crate::{EntityKey, Error, ErrorKind, Stage, Version};

pub use list::ListSettings;

/// The place of the id in a path template.
const ID: &str = "{id}";

/// Reads an entity with one `GET`. 404 and 410 mean that it is deleted. Redirects are not followed.
pub struct RestSource {
    endpoint: Endpoint,
    path: String,
    version: VersionFrom,
    list: Option<ListSettings>,
}

enum VersionFrom {
    ETag,
    Field(String),
    Time(String),
}

impl RestSource {
    /// The entity stands at `base` + `path`, in which `{id}` is replaced by the percent-encoded id. The version is the
    /// answer's `ETag`.
    ///
    /// # Errors
    /// [`HttpError::Url`] if `base` may not be called or `path` has no `{id}` segment.
    pub fn new(http: Http, clock: Arc<dyn Clock>, base: Url, path: &str) -> Result<Self, HttpError> {
        let endpoint = Endpoint::new(http, clock, base)?;
        if !path.split('/').any(|segment| segment == ID) {
            let found = format!("`{path}`");
            return Err(HttpError::Url {
                expected: "a path with a segment `{id}`",
                found,
            });
        }
        Ok(Self {
            endpoint,
            path: path.to_owned(),
            version: VersionFrom::ETag,
            list: None,
        })
    }

    /// How the source knows who asks; nothing unless set.
    #[must_use]
    pub fn auth(mut self, auth: Auth) -> Self {
        self.endpoint.auth = auth;
        self
    }

    /// Takes the version from a field of the answer instead of its `ETag`: a JSON Pointer.
    #[must_use]
    pub fn version_field(mut self, pointer: &str) -> Self {
        self.version = VersionFrom::Field(pointer.to_owned());
        self
    }

    /// Takes the version from a time of the answer (RFC 3339, at this JSON Pointer), as
    /// [`Announcement::version_time`](crate::Announcement::version_time) does: its milliseconds since 1970.
    #[must_use]
    pub fn version_time(mut self, pointer: &str) -> Self {
        self.version = VersionFrom::Time(pointer.to_owned());
        self
    }

    /// How the service lists its entities; it cannot unless set.
    ///
    /// # Errors
    /// [`HttpError::Url`] if the list's path cannot name a page.
    pub fn listed(mut self, list: Option<ListSettings>) -> Result<Self, HttpError> {
        if let Some(list) = &list {
            list.check()?;
        }
        self.list = list;
        Ok(self)
    }

    /// How long the source may take; five seconds unless set.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.endpoint.timeout = timeout;
        self
    }

    fn url(&self, entity: &EntityKey) -> Result<Url, Error> {
        // A URL parser resolves `.` and `..` even percent-encoded: such an id would name another resource.
        if matches!(entity.id(), "." | "..") {
            let message = "expected an id that can stand in a path, found a dot segment";
            return Err(Error::permanent(ErrorKind::Invalid, Stage::Source, message));
        }
        let segments = self.path.split('/').filter(|segment| !segment.is_empty());
        let segments = segments.map(|segment| if segment == ID { entity.id() } else { segment });
        Ok(self.endpoint.under(segments))
    }

    async fn get(&self, entity: &EntityKey) -> Result<Fetched, Error> {
        let endpoint = &self.endpoint;
        let request = endpoint
            .request(Method::GET, self.url(entity)?, endpoint.timeout)
            .header(header::ACCEPT, "application/json");
        let answer = endpoint.auth.send(request, Stage::Source).await?;
        match answer.status {
            StatusCode::NOT_FOUND | StatusCode::GONE => {
                return Ok(Fetched::gone());
            }
            StatusCode::OK => {}
            _ => return Err(status_error(Stage::Source, &answer, endpoint.now())),
        }
        let Some(state) = answer.json::<serde_json::Value>() else {
            let message = "expected JSON from the source, found something else";
            return Err(Error::retry(ErrorKind::Unexpected, Stage::Source, message));
        };
        let version = match &self.version {
            VersionFrom::ETag => answer.header(&header::ETAG).and_then(Version::from_etag),
            VersionFrom::Field(pointer) => state.pointer(pointer).and_then(Version::from_json),
            VersionFrom::Time(pointer) => state
                .pointer(pointer)
                .and_then(|time| time.as_str()?.parse().ok())
                .and_then(Version::from_time),
        };
        Ok(Fetched::found(state, version))
    }
}

impl Source for RestSource {
    fn fetch<'a>(&'a self, entity: &'a EntityKey) -> BoxFuture<'a, Result<Fetched, Error>> {
        Box::pin(self.get(entity))
    }

    fn lists(&self) -> bool {
        self.list.is_some()
    }

    fn list<'a>(&'a self, asked: PageRequest<'a>) -> BoxFuture<'a, Result<Page<Listed>, Error>> {
        Box::pin(self.page(asked))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;

    fn source(base: &str, path: &str) -> Result<RestSource, HttpError> {
        let http = Http::new(false).unwrap();
        RestSource::new(http, Arc::new(SystemClock), base.parse().unwrap(), path)
    }

    fn url(base: &str, id: &str) -> Result<String, Error> {
        let entity = EntityKey::new("customer", id).unwrap();
        source(base, "/customers/{id}/preference")
            .unwrap()
            .url(&entity)
            .map(Into::into)
    }

    #[test]
    fn the_id_is_one_encoded_path_segment() {
        let base = "https://info.example/api/v1";
        assert_eq!(
            url(base, "c-4711").unwrap(),
            "https://info.example/api/v1/customers/c-4711/preference"
        );
        assert_eq!(
            url("https://info.example/", "a").unwrap(),
            "https://info.example/customers/a/preference"
        );
        assert_eq!(
            url(base, "../../admin?x=1#y").unwrap(),
            "https://info.example/api/v1/customers/..%2F..%2Fadmin%3Fx=1%23y/preference"
        );
        assert!(url(base, "..").is_err());
    }

    #[test]
    fn a_wrong_address_shows_at_start() {
        assert!(source("http://info.example", "/c/{id}").is_err());
        assert!(source("https://info.example", "/c/").is_err());
    }
}

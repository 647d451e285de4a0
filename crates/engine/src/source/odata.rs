//! A source behind an OData v4 service, first of all SAP Business One's Service Layer v2
//! (<https://help.sap.com/doc/fc2f5477516c404c8bf9ad1315a17238/10.0/en-US/Working_with_SAP_Business_One_Service_Layer.pdf>).

mod answer;
mod client;
mod entity;
mod list;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use jiff::Timestamp;
use serde_json::Value;
use url::Url;

use super::{Fetched, Listed, Source};
use crate::ask::{Page, PageRequest};
use crate::auth::Auth;
use crate::clock::Clock;
use crate::http::{Http, HttpError};
use crate::{EntityKey, Error, ErrorKind, Stage, Version};

pub use client::{Found, ODataClient};
pub use entity::{KeyKind, ODataEntity};

/// How often a record may change while it is read together with another one.
const ROUNDS: usize = 3;

/// Reads one record by its key, and with [`with`](Self::with) a second one that it refers to. Redirects are not followed.
///
/// [`ODataClient::get`] says what counts as deleted and what the version is. The version is the record's; the related one
/// has none of its own here.
pub struct ODataSource {
    client: ODataClient,
    entity: ODataEntity,
    related: Option<Related>,
    key: Option<String>,
}

struct Related {
    name: String,
    key: String,
    entity: ODataEntity,
}

impl ODataSource {
    /// The records of `entity` at the service `base`, such as `https://sap.example:50000/b1s/v2`. The entity's id is the key.
    ///
    /// # Errors
    /// [`HttpError::Url`] if `base` may not be called.
    pub fn new(http: Http, clock: Arc<dyn Clock>, base: Url, entity: ODataEntity) -> Result<Self, HttpError> {
        Ok(Self {
            client: ODataClient::new(http, clock, base)?,
            entity,
            related: None,
            key: None,
        })
    }

    /// Who we are to the service; nobody asks unless set.
    #[must_use]
    pub fn auth(mut self, auth: Auth) -> Self {
        self.client = self.client.auth(auth);
        self
    }

    /// How long a read may take, all of its calls together; five seconds unless set.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.client = self.client.timeout(timeout);
        self
    }

    /// Reads a related record, too, whose key stands at the JSON Pointer `key` of the first one. It becomes the state's member
    /// `name`: `null` where there is no key (missing, `null` or an empty text) or no such record.
    ///
    /// Both are one snapshot: the first is read, then the related one, then the first again. If both reads of the first are the
    /// same, it was so, too, when the related one was read, and what is returned held at that moment. If they differ, the
    /// newer one is taken and the related one is read again, three rounds at most; after that the failure is a retry. The same
    /// means: of the same `ETag`, and where the service sends none, of the same properties.
    ///
    /// A read costs three calls instead of one, and two more for each further round.
    ///
    /// # Errors
    /// [`HttpError::Url`] if `key` is not a selected property, or `name` is one.
    pub fn with(mut self, name: &str, key: &str, entity: ODataEntity) -> Result<Self, HttpError> {
        let property = key.strip_prefix('/').and_then(|key| key.split('/').next());
        if !property.is_some_and(|property| self.entity.selects(property)) {
            return Err(HttpError::Url {
                expected: "a JSON Pointer to a selected property as the related record's key",
                found: format!("`{key}`"),
            });
        }
        if self.entity.selects(name) {
            return Err(HttpError::Url {
                expected: "a name for the related record that no selected property has",
                found: format!("`{name}`"),
            });
        }
        self.related = Some(Related {
            name: name.to_owned(),
            key: key.to_owned(),
            entity,
        });
        Ok(self)
    }

    async fn read(&self, key: &str) -> Result<Fetched, Error> {
        let begun = self.client.now();
        let Some(mut found) = self.get(&self.entity, key, begun).await? else {
            return Ok(Fetched::gone());
        };
        let Some(related) = &self.related else {
            return Ok(found.into());
        };
        for _ in 0..ROUNDS {
            let Some(other) = related.key_in(&found.state)? else {
                return Ok(found.and(&related.name, Value::Null));
            };
            let other = self.get(&related.entity, &other, begun).await?;
            let Some(again) = self.get(&self.entity, key, begun).await? else {
                return Ok(Fetched::gone());
            };
            if again.is_same(&found) {
                let other = other.map_or(Value::Null, |other| other.state);
                return Ok(found.and(&related.name, other));
            }
            found = again;
        }
        let message =
            format!("expected a record that stays the same while it is read, found {ROUNDS} changes");
        Err(Error::retry(ErrorKind::Conflict, Stage::Source, message))
    }

    async fn get(&self, entity: &ODataEntity, key: &str, begun: Timestamp) -> Result<Option<Found>, Error> {
        self.client
            .get_within(entity, key, self.client.left(begun)?)
            .await
    }
}

impl Source for ODataSource {
    fn fetch<'a>(&'a self, entity: &'a EntityKey) -> BoxFuture<'a, Result<Fetched, Error>> {
        Box::pin(self.read(entity.id()))
    }

    fn lists(&self) -> bool {
        self.key.is_some()
    }

    fn list<'a>(&'a self, asked: PageRequest<'a>) -> BoxFuture<'a, Result<Page<Listed>, Error>> {
        Box::pin(self.page(asked))
    }
}

impl Related {
    fn key_in(&self, state: &Value) -> Result<Option<String>, Error> {
        match state.pointer(&self.key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(key)) => Ok((!key.is_empty()).then(|| key.clone())),
            Some(Value::Number(key)) => Ok(Some(key.to_string())),
            Some(_) => {
                let message = "expected a text or a number as the related record's key, found something else";
                Err(Error::permanent(ErrorKind::Invalid, Stage::Source, message).at(&self.key))
            }
        }
    }
}

impl Found {
    fn is_same(&self, other: &Self) -> bool {
        match (&self.etag, &other.etag) {
            (None, None) => self.state == other.state,
            (mine, others) => mine == others,
        }
    }

    fn and(mut self, name: &str, related: Value) -> Fetched {
        if let Value::Object(properties) = &mut self.state {
            properties.insert(name.to_owned(), related);
        }
        self.into()
    }
}

impl From<Found> for Fetched {
    fn from(found: Found) -> Self {
        let version = found.etag.as_deref().and_then(Version::from_etag);
        Self::found(found.state, version)
    }
}

//! One record: read it, change it.

use std::sync::Arc;
use std::time::Duration;

use http::{Method, header};
use jiff::Timestamp;
use serde_json::Value;
use url::Url;

use super::answer;
use super::entity::ODataEntity;
use crate::auth::Auth;
use crate::clock::Clock;
use crate::http::{Http, HttpError};
use crate::source::endpoint::Endpoint;
use crate::{Error, Stage};

/// No more of an answer to a change is read: its effect matters.
const MAX_RECEIPT_BYTES: usize = 64 * 1024;

/// Reads and changes single records of an OData v4 service. Cheap to clone; clones share connections and credential.
#[derive(Clone)]
pub struct ODataClient {
    pub(super) endpoint: Endpoint,
}

/// A record as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its properties, without annotations such as `@odata.context`.
    pub state: Value,
    /// Its `ETag`, as the service wrote it.
    pub etag: Option<String>,
}

impl ODataClient {
    /// The service at `base`, such as `https://sap.example:50000/b1s/v2`.
    ///
    /// # Errors
    /// [`HttpError::Url`] if `base` may not be called.
    pub fn new(http: Http, clock: Arc<dyn Clock>, base: Url) -> Result<Self, HttpError> {
        Ok(Self {
            endpoint: Endpoint::new(http, clock, base)?,
        })
    }

    /// Who we are to the service; nobody asks unless set.
    #[must_use]
    pub fn auth(mut self, auth: Auth) -> Self {
        self.endpoint.auth = auth;
        self
    }

    /// How long a call may take; five seconds unless set.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.endpoint.timeout = timeout;
        self
    }

    /// The record with this key; `None` if the service does not have it.
    ///
    /// It does not have it if it says so in an OData error: with 404 or 410 and no other code of SAP's, or with any 4xx and SAP's code -2028. The same
    /// statuses without such a body come from something before the service, such as a gateway that lost its route: they say
    /// nothing of the record, and the failure is a retry. So is a refused request (400): only the key differs from one record to
    /// the next, and it has been checked, so a setting is wrong, or a user-defined field is missing.
    ///
    /// The `ETag` is the header's. `@odata.etag` counts only where all properties are read: with `$select` the Service Layer was
    /// seen (2511) to leave the header out and to write the tag of a first version, whatever has changed since. Its manual shows
    /// tags of whole records only
    /// (<https://help.sap.com/doc/fc2f5477516c404c8bf9ad1315a17238/10.0/en-US/Working_with_SAP_Business_One_Service_Layer.pdf>,
    /// chapter 5).
    ///
    /// # Errors
    /// Permanent where `key` cannot be a key of that kind; otherwise as the answer says. The service's code is kept, its message
    /// is not, as it may quote data.
    pub async fn get(&self, entity: &ODataEntity, key: &str) -> Result<Option<Found>, Error> {
        self.get_within(entity, key, self.endpoint.timeout).await
    }

    pub(super) async fn get_within(
        &self,
        entity: &ODataEntity,
        key: &str,
        timeout: Duration,
    ) -> Result<Option<Found>, Error> {
        let endpoint = &self.endpoint;
        let url = entity.selecting_url(endpoint, key)?;
        let request = endpoint
            .request(Method::GET, url, timeout)
            .header(header::ACCEPT, "application/json");
        let answer = endpoint.auth.send(request, Stage::Source).await?;
        answer::read(&answer, entity.is_whole(), endpoint.now())
    }

    /// Changes these properties of the record with this key and leaves the others alone (`PATCH`). The write is blind, so that
    /// it suits properties that nobody else writes; repeating it changes nothing.
    ///
    /// # Errors
    /// At `stage`. No such record: permanent, [`NotFound`](crate::ErrorKind::NotFound). 412, somebody writes at the same time: a
    /// retry, [`Conflict`](crate::ErrorKind::Conflict). Otherwise as [`status_error`](crate::http::status_error) says, with the
    /// service's code and message.
    pub async fn patch(
        &self,
        entity: &ODataEntity,
        key: &str,
        changes: &Value,
        stage: Stage,
    ) -> Result<(), Error> {
        let endpoint = &self.endpoint;
        let url = entity.url(endpoint, key, stage)?;
        let request = endpoint
            .request(Method::PATCH, url, endpoint.timeout)
            .header(header::ACCEPT, "application/json")
            .cut_answer_at(MAX_RECEIPT_BYTES)
            .json(changes);
        let answer = endpoint.auth.send(request, stage).await?;
        answer::changed(&answer, stage, endpoint.now())
    }

    pub(super) fn now(&self) -> Timestamp {
        self.endpoint.now()
    }

    pub(super) fn left(&self, begun: Timestamp) -> Result<Duration, Error> {
        self.endpoint.left(begun)
    }
}

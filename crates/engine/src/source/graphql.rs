//! A source behind one GraphQL endpoint.

mod answer;
mod code;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::future::BoxFuture;
use http::{Method, header};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use url::Url;

use self::answer::{Persisted, Reading};
use super::endpoint::Endpoint;
use super::{Fetched, Source};
use crate::auth::Auth;
use crate::clock::Clock;
use crate::http::{Answer, Http, HttpError};
use crate::{EntityKey, Error, Stage};

/// The place of the id in the texts of the variables.
const ID: &str = "{id}";
/// Both media types of <https://graphql.github.io/graphql-over-http/draft/#sec-Media-Types>, the newer one rather.
const ACCEPT: &str = "application/graphql-response+json, application/json;q=0.9";

/// What is asked, and where the entity stands in the answer.
#[derive(Debug, Clone)]
pub struct GraphQlQuery {
    /// The document: one query.
    pub document: String,
    /// The operation's name; needed where the document has several.
    pub operation: Option<String>,
    /// The variables. `{id}` in a text is replaced by the entity's id.
    pub variables: Value,
    /// Where the entity's state stands in the answer: a JSON Pointer such as `/data/shortlist`. `null` there, without any
    /// error, means that it is deleted.
    pub state: String,
}

/// Reads an entity with one `POST` of a query. Redirects are not followed.
///
/// An answer with `errors` is a failure, whatever data comes along: what is missing in it would otherwise be taken for empty.
/// What a failure means is read from the errors' codes; their texts are neither read nor repeated, as they may quote data.
pub struct GraphQlSource {
    endpoint: Endpoint,
    query: GraphQlQuery,
    reading: Reading,
    hash: Option<String>,
    hash_is_refused: AtomicBool,
}

/// The body of a request (<https://graphql.github.io/graphql-over-http/draft/#sec-Request-Parameters>).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    query: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operation_name: Option<&'a str>,
    variables: &'a Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    extensions: Option<Extensions<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Extensions<'a> {
    persisted_query: PersistedQuery<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PersistedQuery<'a> {
    version: u8,
    sha256_hash: &'a str,
}

impl GraphQlSource {
    /// The query is sent to `url`.
    ///
    /// # Errors
    /// [`HttpError`] if `url` may not be called, no variable has `{id}` in it, or the state stands nowhere under `/data`.
    pub fn new(http: Http, clock: Arc<dyn Clock>, url: Url, query: GraphQlQuery) -> Result<Self, HttpError> {
        let endpoint = Endpoint::new(http, clock, url)?;
        if !mentions_id(&query.variables) {
            return Err(HttpError::Request(
                "expected `{id}` in a variable of the query, found none",
            ));
        }
        if !query.state.starts_with("/data/") {
            return Err(HttpError::Request(
                "expected a state under `/data/`, found another place",
            ));
        }
        Ok(Self {
            endpoint,
            reading: Reading::new(&query.state),
            query,
            hash: None,
            hash_is_refused: AtomicBool::new(false),
        })
    }

    /// Who we are to the source; nobody asks unless set.
    #[must_use]
    pub fn auth(mut self, auth: Auth) -> Self {
        self.endpoint.auth = auth;
        self
    }

    /// Takes the version from a field of the state: a JSON Pointer.
    #[must_use]
    pub fn version_field(mut self, pointer: &str) -> Self {
        self.reading.version = Some(pointer.to_owned());
        self
    }

    /// The error codes by which this source says that it does not have the entity. Without them only `null` does.
    #[must_use]
    pub fn gone_codes<'a>(mut self, codes: impl IntoIterator<Item = &'a str>) -> Self {
        self.reading.gone_codes = codes.into_iter().map(str::to_owned).collect();
        self
    }

    /// Fields that may fail: JSON Pointers into the answer, with `*` for each element of a list, such as
    /// `/data/shortlist/items/*/price`. One that failed is left out of the state, so that the vendor keeps what it has.
    #[must_use]
    pub fn harmless<'a>(mut self, pointers: impl IntoIterator<Item = &'a str>) -> Self {
        self.reading.harmless = pointers.into_iter().map(str::to_owned).collect();
        self
    }

    /// Sends the query's hash and the query itself only where the server does not know it yet
    /// (<https://www.apollographql.com/docs/apollo-server/performance/apq>).
    #[must_use]
    pub fn persisted(mut self) -> Self {
        self.hash = Some(hex::encode(Sha256::digest(&self.query.document)));
        self
    }

    /// How long the source may take, an unknown hash included; five seconds unless set.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.endpoint.timeout = timeout;
        self
    }

    async fn ask(&self, entity: &EntityKey) -> Result<Fetched, Error> {
        let endpoint = &self.endpoint;
        let begun = endpoint.now();
        let variables = with_id(&self.query.variables, entity.id());
        let query = Some(self.query.document.as_str());
        let hash = self.hash.as_deref();
        let mut hash = hash.filter(|_| !self.hash_is_refused.load(Ordering::Relaxed));
        if hash.is_some() {
            let answer = self.post(None, hash, &variables, endpoint.timeout).await?;
            match answer::persisted(&answer) {
                Persisted::Known => return self.reading.read(&answer, endpoint.now()),
                Persisted::Unknown => {}
                Persisted::Refused => {
                    self.hash_is_refused.store(true, Ordering::Relaxed);
                    hash = None;
                }
            }
        }
        let answer = self.post(query, hash, &variables, endpoint.left(begun)?).await?;
        self.reading.read(&answer, endpoint.now())
    }

    async fn post(
        &self,
        query: Option<&str>,
        hash: Option<&str>,
        variables: &Value,
        timeout: Duration,
    ) -> Result<Answer, Error> {
        let body = Body {
            query,
            operation_name: self.query.operation.as_deref(),
            variables,
            extensions: hash.map(|sha256_hash| Extensions {
                persisted_query: PersistedQuery {
                    version: 1,
                    sha256_hash,
                },
            }),
        };
        let endpoint = &self.endpoint;
        let request = endpoint
            .request(Method::POST, endpoint.url.clone(), timeout)
            .header(header::ACCEPT, ACCEPT)
            .json(&body);
        endpoint.auth.send(request, Stage::Source).await
    }
}

impl Source for GraphQlSource {
    fn fetch<'a>(&'a self, entity: &'a EntityKey) -> BoxFuture<'a, Result<Fetched, Error>> {
        Box::pin(self.ask(entity))
    }
}

fn mentions_id(variables: &Value) -> bool {
    match variables {
        Value::String(text) => text.contains(ID),
        Value::Array(values) => values.iter().any(mentions_id),
        Value::Object(fields) => fields.values().any(mentions_id),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// The id is a value of a variable, never a part of the query: it cannot change what is asked.
fn with_id(variables: &Value, id: &str) -> Value {
    match variables {
        Value::String(text) => text.replace(ID, id).into(),
        Value::Array(values) => values.iter().map(|value| with_id(value, id)).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), with_id(value, id)))
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => variables.clone(),
    }
}

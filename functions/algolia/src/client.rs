//! The calls of the Search API that this function makes (<https://www.algolia.com/doc/rest-api/search/>).

mod browse;
mod index;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::value::RawValue;
use vendorbridge::http::HttpError;
use vendorbridge::lambda::Setup;
use vendorbridge::vendor::{Gatherer, Limits, Push};
use vendorbridge::{Error, ErrorKind, Stage};

use crate::config::Settings;
use crate::error;
use crate::mapping::Record;
use browse::Browsed;
use index::Index;

/// Advised for one batch (<https://www.algolia.com/doc/guides/scaling/algolia-service-limits/>).
const MAX_BATCH_BYTES: usize = 10_000_000;
/// An invocation brings fewer.
const MAX_BATCH_RECORDS: usize = 1_000;
/// Writes records; those of entities that are worked on side by side go out in one request.
pub(crate) struct Client {
    index: Arc<Index>,
    writes: Gatherer<Write, u64>,
    version_attribute: String,
    max_record_bytes: usize,
}

/// One entry of a batch, as JSON.
type Write = Box<RawValue>;

/// `{"action", "body"}`: nothing else may stand here.
#[derive(Serialize)]
struct Operation<Body> {
    action: &'static str,
    body: Body,
}

#[derive(Serialize)]
struct Partial<'a> {
    #[serde(rename = "objectID")]
    object_id: &'a str,
    #[serde(flatten)]
    record: &'a Record,
    #[serde(flatten)]
    guard: BTreeMap<&'a str, Guard>,
}

/// Algolia ignores an update whose value is not greater than the stored one
/// (<https://www.algolia.com/doc/rest-api/search/partial-update-object>, built-in operations).
#[derive(Serialize)]
struct Guard {
    #[serde(rename = "_operation")]
    operation: &'static str,
    value: i64,
}

#[derive(Serialize)]
struct ObjectId<'a> {
    #[serde(rename = "objectID")]
    object_id: &'a str,
}

impl Client {
    pub(crate) fn new(setup: &Setup, settings: &Settings) -> Result<Self, HttpError> {
        let limits = Limits {
            items: MAX_BATCH_RECORDS,
            bytes: MAX_BATCH_BYTES,
            linger: Duration::from_millis(settings.linger_ms.into()),
        };
        let index = Arc::new(Index::new(setup, settings)?);
        let written = Arc::clone(&index);
        let writes = Gatherer::new(setup.clock(), limits, move |writes: Vec<Write>| {
            let index = Arc::clone(&written);
            Box::pin(async move { index.write(&writes).await })
        });
        Ok(Self {
            index,
            writes,
            version_attribute: settings.version_attribute.as_str().to_owned(),
            max_record_bytes: settings.max_record_bytes,
        })
    }

    /// Creates or updates a record. Repeatable; a call that was held up cannot undo a later one. Answers with the task's
    /// number.
    pub(crate) async fn save(&self, push: &Push<'_>, record: &Record) -> Result<u64, Error> {
        let guard = Guard {
            operation: "IncrementSet",
            value: push.order(),
        };
        let body = raw(&Partial {
            object_id: push.entity.id(),
            record,
            guard: BTreeMap::from([(self.version_attribute.as_str(), guard)]),
        })?;
        let size = body.get().len();
        if size > self.max_record_bytes {
            return Err(error::too_large(size, self.max_record_bytes));
        }
        self.write("partialUpdateObject", body).await
    }

    /// Deletes a record. One that is not there is deleted already.
    pub(crate) async fn delete(&self, push: &Push<'_>) -> Result<u64, Error> {
        let body = raw(&ObjectId {
            object_id: push.entity.id(),
        })?;
        self.write("deleteObject", body).await
    }

    /// Some of the index's records, whoever wrote them.
    pub(crate) async fn browse(&self, cursor: Option<&str>, limit: u32) -> Result<Browsed, Error> {
        browse::browse(&self.index, &self.version_attribute, cursor, limit).await
    }

    async fn write(&self, action: &'static str, body: Write) -> Result<u64, Error> {
        let operation = raw(&Operation { action, body })?;
        let bytes = operation.get().len() + 1;
        self.writes.call(operation, bytes).await
    }
}

fn raw(value: &impl Serialize) -> Result<Write, Error> {
    serde_json::value::to_raw_value(value).map_err(no_json)
}

fn no_json(error: serde_json::Error) -> Error {
    Error::permanent(ErrorKind::Invalid, Stage::Map, "the record is no JSON").caused_by(error)
}

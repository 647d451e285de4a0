//! Reading an index as a whole (<https://www.algolia.com/doc/rest-api/search/browse>). The API key needs `browse` for it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use vendorbridge::Error;

use super::index::{ALL_IN, Index};
use crate::mapping::ATTRIBUTES;

/// The first page says what is wanted; the cursor of the next ones knows.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Query<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<&'a str>,
    attributes_to_retrieve: Vec<&'a str>,
    hits_per_page: u32,
}

#[derive(Deserialize)]
struct Answered {
    hits: Vec<Map<String, Value>>,
    #[serde(default)]
    cursor: Option<String>,
    #[serde(default, rename = "nbHits", deserialize_with = "vendorbridge::ask::total")]
    hits_in_all: Option<u64>,
}

/// Some records of an index.
pub(crate) struct Browsed {
    pub(crate) hits: Vec<Hit>,
    /// Where to go on; nothing at the end.
    pub(crate) cursor: Option<String>,
    /// How many there are in all; of a large index Algolia may say about how many.
    pub(crate) total: Option<u64>,
}

/// A record.
pub(crate) struct Hit {
    pub(crate) object_id: String,
    /// It was written by this function: others know no version attribute.
    pub(crate) is_ours: bool,
    /// What a record of ours can have, and no more.
    pub(crate) record: Value,
}

pub(super) async fn browse(
    index: &Index,
    version_attribute: &str,
    cursor: Option<&str>,
    limit: u32,
) -> Result<Browsed, Error> {
    let query = Query {
        cursor,
        attributes_to_retrieve: ATTRIBUTES.into_iter().chain([version_attribute]).collect(),
        hits_per_page: limit,
    };
    let until = index.now().saturating_add(ALL_IN).unwrap_or(Timestamp::MAX);
    let answered: Answered = index.query(&["browse"], &query, until).await?;
    let hit = |mut record: Map<String, Value>| {
        let object_id = record.remove("objectID")?.as_str()?.to_owned();
        let is_ours = record.remove(version_attribute).is_some();
        record.retain(|name, _| ATTRIBUTES.contains(&name.as_str()));
        Some(Hit {
            object_id,
            is_ours,
            record: Value::Object(record),
        })
    };
    Ok(Browsed {
        hits: answered.hits.into_iter().filter_map(hit).collect(),
        cursor: answered.cursor,
        total: answered.hits_in_all,
    })
}

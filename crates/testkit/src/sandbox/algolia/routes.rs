//! The HTTP side: keys, paths and answers.

use std::sync::Arc;

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    middleware,
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Algolia, batch, error::Problem};
use crate::sandbox::{
    desk::{Desk, attend},
    lock,
};

pub(super) fn router(service: Algolia, desk: Arc<Desk>) -> Router {
    let unknown = async || Problem::new(StatusCode::NOT_FOUND, "Path not supported by REST API");
    Router::new()
        .route("/1/indexes/{index}/batch", post(write))
        .route("/1/indexes/{index}/browse", post(browse))
        .route("/1/indexes/{index}/task/{task}", get(task))
        .route("/1/indexes/{index}/{object_id}", get(record))
        .fallback(unknown)
        .method_not_allowed_fallback(unknown)
        .layer(middleware::from_fn_with_state(desk, attend))
        .with_state(service)
}

type Answer = Result<Json<Value>, Problem>;

async fn write(
    State(service): State<Algolia>,
    Path(index): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    service.check(&headers)?;
    if index == "*" {
        return Err(Problem::bad("A batch over several indices is not played here"));
    }
    let operations = batch::decode(&body)?;
    let ids: Vec<_> = operations
        .iter()
        .map(|operation| operation.object_id.clone())
        .collect();
    let now = service.desks[0].shared.clock.now();
    let task = lock(&service.indexes).write(&index, operations, now)?;
    Ok(Json(json!({"taskID": task, "objectIDs": ids})))
}

/// What is asked of an index; of the search parameters those that matter to somebody who reads all of it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Browse {
    #[serde(default)]
    cursor: Option<String>,
    #[serde(default)]
    attributes_to_retrieve: Option<Vec<String>>,
    #[serde(default)]
    hits_per_page: Option<usize>,
}

/// Records in an order of their own, up to 1,000 at once; the answer to the last page has no `cursor`
/// (<https://www.algolia.com/doc/rest-api/search/browse>). The real cursor says nothing to people; neither does this one.
async fn browse(
    State(service): State<Algolia>,
    Path(index): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    service.check(&headers)?;
    let asked: Browse = serde_json::from_slice(&body).map_err(|error| Problem::bad(error.to_string()))?;
    let after = asked.cursor.map(hex::decode).transpose();
    let after = after.map_err(|_| Problem::bad("Cannot decode cursor"))?;
    let is_behind = |id: &str| {
        after
            .as_ref()
            .is_none_or(|after| id.as_bytes() > after.as_slice())
    };
    let records = service.records(&index);
    let total = records.len();
    let mut behind = records.into_iter().filter(|(id, _)| is_behind(id));
    let page: Vec<_> = behind
        .by_ref()
        .take(asked.hits_per_page.unwrap_or(1_000).min(1_000))
        .collect();
    let mut answer = json!({"query": "", "params": "", "nbHits": total});
    if let Some((last, _)) = page.last()
        && behind.next().is_some()
    {
        answer["cursor"] = hex::encode(last).into();
    }
    let hits = page.into_iter().map(|(id, mut record)| {
        if let Some(wanted) = &asked.attributes_to_retrieve {
            record.retain(|name, _| wanted.contains(name));
        }
        record.insert("objectID".to_owned(), id.into());
        Value::Object(record)
    });
    answer["hits"] = hits.collect();
    Ok(Json(answer))
}

async fn task(
    State(service): State<Algolia>,
    Path((index, task)): Path<(String, u64)>,
    headers: HeaderMap,
) -> Answer {
    service.check(&headers)?;
    let now = service.desks[0].shared.clock.now();
    let status = lock(&service.indexes).task(&index, task, now)?;
    Ok(Json(json!({"status": status})))
}

async fn record(
    State(service): State<Algolia>,
    Path((index, object_id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Answer {
    service.check(&headers)?;
    let mut record = service
        .record(&index, &object_id)
        .ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, "ObjectID does not exist"))?;
    record.insert("objectID".to_owned(), object_id.into());
    Ok(Json(record.into()))
}

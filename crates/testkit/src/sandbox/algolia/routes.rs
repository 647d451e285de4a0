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

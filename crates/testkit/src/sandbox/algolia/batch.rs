//! The body of a batch: `{"requests": [{"action", "body"}]}`, with no other property at either level (`batchParams` of the API
//! description). Decoded as strictly as it is described.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::error::Problem;

/// One operation of a batch. The order counts.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Operation {
    pub(super) action: Action,
    pub(super) object_id: String,
    /// Without `objectID`.
    pub(super) attributes: Map<String, Value>,
    /// Of the whole body, as it was sent.
    pub(super) size: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Action {
    UpdateObject,
    PartialUpdateObject,
    PartialUpdateObjectNoCreate,
    DeleteObject,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Batch {
    requests: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    action: Action,
    body: Map<String, Value>,
}

/// # Errors
/// A 400, as for a body that does not fit the description. Actions that nobody here sends count as such.
pub(super) fn decode(body: &[u8]) -> Result<Vec<Operation>, Problem> {
    let Batch { requests } = serde_json::from_slice(body).map_err(|error| Problem::bad(error.to_string()))?;
    requests.into_iter().map(operation).collect()
}

fn operation(Entry { action, mut body }: Entry) -> Result<Operation, Problem> {
    let size = serde_json::to_vec(&body).map_or(0, |bytes| bytes.len());
    let object_id = match body.remove("objectID") {
        Some(Value::String(id)) if !id.is_empty() => id,
        Some(Value::Number(id)) => id.to_string(),
        _ => return Err(Problem::bad("The objectID is missing or empty")),
    };
    if action == Action::DeleteObject && !body.is_empty() {
        return Err(Problem::bad("A deleteObject takes an objectID only"));
    }
    Ok(Operation {
        action,
        object_id,
        attributes: body,
        size,
    })
}

/// What a body is about; nothing if it cannot be read.
pub(super) fn object_ids(body: &[u8]) -> Vec<String> {
    let operations = decode(body).unwrap_or_default();
    operations
        .into_iter()
        .map(|operation| operation.object_id)
        .collect()
}

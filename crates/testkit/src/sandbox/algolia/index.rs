//! What the application holds: its indices and its tasks.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use axum::http::StatusCode;
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{
    batch::{Action, Operation},
    error::Problem,
};

type Records = BTreeMap<String, Map<String, Value>>;

pub(super) struct Indexes {
    records: HashMap<String, Records>,
    record_bytes: usize,
    publishes_after: Duration,
    tasks: BTreeMap<u64, (String, Timestamp)>,
    ignored: u64,
}

/// An attribute of a partial update.
enum Change {
    Set(Value),
    /// `IncrementSet`: the update counts only if the value is greater than the stored one.
    Guard(i64),
}

impl Indexes {
    pub(super) fn new(record_bytes: usize, publishes_after: Duration) -> Self {
        Self {
            records: HashMap::new(),
            record_bytes,
            publishes_after,
            tasks: BTreeMap::new(),
            ignored: 0,
        }
    }

    pub(super) fn records(&self, index: &str) -> Records {
        self.records.get(index).cloned().unwrap_or_default()
    }

    pub(super) fn ignored(&self) -> u64 {
        self.ignored
    }

    pub(super) fn last_task(&self) -> u64 {
        self.tasks.last_key_value().map_or(0, |(task, _)| *task)
    }

    pub(super) fn publishes_after(&mut self, wait: Duration) {
        self.publishes_after = wait;
    }

    /// Takes a batch as a whole or not at all, in its order. A write makes the index. Answers with the task's number.
    pub(super) fn write(
        &mut self,
        index: &str,
        operations: Vec<Operation>,
        now: Timestamp,
    ) -> Result<u64, Problem> {
        let mut planned = Vec::with_capacity(operations.len());
        for (position, operation) in operations.into_iter().enumerate() {
            if operation.size > self.record_bytes {
                let Operation { object_id, size, .. } = &operation;
                return Err(Problem::too_big(position, object_id, *size, self.record_bytes));
            }
            let changes = changes(&operation)?;
            planned.push((operation, changes));
        }
        let records = self.records.entry(index.to_owned()).or_default();
        for (operation, changes) in planned {
            if !apply(records, &operation, changes) {
                self.ignored += 1;
            }
        }
        let task = self.last_task() + 1;
        let published = now.saturating_add(self.publishes_after).unwrap_or(Timestamp::MAX);
        self.tasks.insert(task, (index.to_owned(), published));
        Ok(task)
    }

    /// `published` or `notPublished`.
    pub(super) fn task(&self, index: &str, task: u64, now: Timestamp) -> Result<&'static str, Problem> {
        match self.tasks.get(&task) {
            Some((of, published)) if of == index => Ok(if now >= *published {
                "published"
            } else {
                "notPublished"
            }),
            _ => Err(Problem::new(StatusCode::NOT_FOUND, "taskID does not exist")),
        }
    }
}

/// Operations other than `IncrementSet` are not played.
fn changes(operation: &Operation) -> Result<Vec<(String, Change)>, Problem> {
    let is_partial = matches!(
        operation.action,
        Action::PartialUpdateObject | Action::PartialUpdateObjectNoCreate
    );
    let read = |(name, value): (&String, &Value)| {
        let change = match value.get("_operation").filter(|_| is_partial) {
            None => Change::Set(value.clone()),
            Some(kind) => match (kind.as_str(), value.get("value").and_then(Value::as_i64)) {
                (Some("IncrementSet"), Some(value)) => Change::Guard(value),
                _ => return Err(Problem::bad(format!("Invalid operation for attribute {name}"))),
            },
        };
        Ok((name.clone(), change))
    };
    operation.attributes.iter().map(read).collect()
}

/// Whether the operation was carried out; an update whose guard fails is ignored as a whole.
fn apply(records: &mut Records, operation: &Operation, changes: Vec<(String, Change)>) -> bool {
    let Operation {
        action, object_id, ..
    } = operation;
    let stored = records.get(object_id);
    match action {
        Action::DeleteObject => {
            records.remove(object_id);
            return true;
        }
        Action::PartialUpdateObjectNoCreate if stored.is_none() => return true,
        _ => {}
    }
    let is_late = changes.iter().any(|(name, change)| {
        let before = stored.and_then(|record| record.get(name)?.as_i64()).unwrap_or(0);
        matches!(change, Change::Guard(value) if *value <= before)
    });
    if is_late {
        return false;
    }
    let record = records.entry(object_id.clone()).or_default();
    if *action == Action::UpdateObject {
        record.clear();
    }
    for (name, change) in changes {
        let value = match change {
            Change::Set(value) => value,
            Change::Guard(value) => value.into(),
        };
        record.insert(name, value);
    }
    true
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sandbox::algolia::batch::decode;

    fn write(indexes: &mut Indexes, requests: &Value) -> Result<u64, Problem> {
        let body = serde_json::to_vec(&json!({"requests": requests})).unwrap();
        let operations = decode(&body)?;
        indexes.write("i", operations, Timestamp::UNIX_EPOCH)
    }

    fn partial(version: i64, title: &str) -> Value {
        let guard = json!({"_operation": "IncrementSet", "value": version});
        json!([{"action": "partialUpdateObject", "body": {"objectID": "a", "title": title, "v": guard}}])
    }

    #[test]
    fn an_update_that_is_not_newer_is_ignored_as_a_whole() {
        let mut indexes = Indexes::new(1_000, Duration::ZERO);
        for (version, title, expected) in [
            (5, "first", "first"),
            (4, "late", "first"),
            (5, "same", "first"),
            (6, "next", "next"),
        ] {
            write(&mut indexes, &partial(version, title)).unwrap();
            assert_eq!(indexes.records("i")["a"]["title"], expected);
        }
        assert_eq!(indexes.ignored(), 2);
    }

    #[test]
    fn a_batch_counts_in_order_and_as_a_whole() {
        let mut indexes = Indexes::new(100, Duration::ZERO);
        let delete = json!({"action": "deleteObject", "body": {"objectID": "a"}});
        let add = json!({"action": "updateObject", "body": {"objectID": "a", "x": 1}});
        write(&mut indexes, &json!([delete, add])).unwrap();
        assert_eq!(indexes.records("i").len(), 1);
        let big = json!({"action": "updateObject", "body": {"objectID": "b", "x": "x".repeat(100)}});
        assert!(write(&mut indexes, &json!([delete, big])).is_err());
        assert_eq!(indexes.records("i").len(), 1, "nothing of it was done");
    }

    #[test]
    fn what_the_description_does_not_have_is_refused() {
        let mut indexes = Indexes::new(1_000, Duration::ZERO);
        for requests in [
            json!([{"action": "partialUpdateObject", "body": {"objectID": "a"}, "indexName": "i"}]),
            json!([{"action": "upsert", "body": {"objectID": "a"}}]),
            json!([{"action": "deleteObject", "body": {}}]),
            json!([{"action": "deleteObject"}]),
        ] {
            assert!(write(&mut indexes, &requests).is_err(), "{requests}");
        }
    }

    #[test]
    fn a_task_is_published_after_a_while() {
        let mut indexes = Indexes::new(1_000, Duration::from_secs(1));
        let task = write(&mut indexes, &partial(1, "a")).unwrap();
        let at = |millis| Timestamp::from_millisecond(millis).unwrap();
        assert_eq!(indexes.task("i", task, at(999)).unwrap(), "notPublished");
        assert_eq!(indexes.task("i", task, at(1000)).unwrap(), "published");
        assert!(indexes.task("other", task, at(1000)).is_err());
    }
}

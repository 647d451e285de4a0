//! The source's state as a webhook message. Pure.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};
use vendorbridge::vendor::Invalid;
use vendorbridge::{EntityKey, Version};

/// The payload structure that Standard Webhooks recommends.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Message<'a> {
    /// `<entity type>.updated` or `<entity type>.deleted`.
    #[serde(rename = "type")]
    kind: String,
    /// When the change was announced; `webhook-timestamp` says when the message was sent.
    timestamp: Timestamp,
    data: Data<'a>,
}

#[derive(Debug, Clone, Serialize)]
struct Data<'a> {
    id: &'a str,
    /// A receiver can leave out a message that is older than what it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a Version>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'a Map<String, Value>>,
}

impl<'a> Message<'a> {
    /// What became of an entity: `updated` with its state, or `deleted`.
    pub(crate) fn new(
        entity: &'a EntityKey,
        event_time: Timestamp,
        version: Option<&'a Version>,
        state: Option<&'a Map<String, Value>>,
    ) -> Self {
        let what = if state.is_some() { "updated" } else { "deleted" };
        Self {
            kind: format!("{}.{what}", entity.entity_type()),
            timestamp: event_time,
            data: Data {
                id: entity.id(),
                version,
                state,
            },
        }
    }
}

/// The part of the state that the receiver gets.
pub(crate) fn state(
    state: &Map<String, Value>,
    fields: Option<&[String]>,
) -> Result<Map<String, Value>, Invalid> {
    let Some(fields) = fields else {
        return Ok(state.clone());
    };
    let field = |name: &String| match state.get(name) {
        Some(value) => Ok((name.clone(), value.clone())),
        None => Err(Invalid::new(
            format!("/{name}"),
            "expected this field in the source's state, found none",
        )),
    };
    fields.iter().map(field).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(value: Value) -> Map<String, Value> {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_message_names_type_id_version_and_state() {
        let entity: EntityKey = "customer/c-4711".parse().unwrap();
        let version = Version::Number(12);
        let time = "2026-01-29T14:36:26Z".parse().unwrap();
        let state = object(json!({"channel": "PAPER"}));
        let updated = Message::new(&entity, time, Some(&version), Some(&state));
        let deleted = Message::new(&entity, time, Some(&version), None);
        insta::assert_json_snapshot!([updated, deleted], @r#"
        [
          {
            "type": "customer.updated",
            "timestamp": "2026-01-29T14:36:26Z",
            "data": {
              "id": "c-4711",
              "version": 12,
              "state": {
                "channel": "PAPER"
              }
            }
          },
          {
            "type": "customer.deleted",
            "timestamp": "2026-01-29T14:36:26Z",
            "data": {
              "id": "c-4711",
              "version": 12
            }
          }
        ]
        "#);
    }

    #[test]
    fn only_the_chosen_fields_travel() {
        let full = object(json!({"channel": "PAPER", "email": "a@b.example", "address": null}));
        assert_eq!(state(&full, None).unwrap(), full);
        let chosen = ["channel".to_owned(), "address".to_owned()];
        assert_eq!(
            state(&full, Some(&chosen)).unwrap(),
            object(json!({"channel": "PAPER", "address": null}))
        );
        let invalid = state(&full, Some(&["name".to_owned()])).unwrap_err();
        assert_eq!(invalid.pointer, "/name");
    }
}

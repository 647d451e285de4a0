//! One conditional `UpdateItem` per settle.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::error::ConditionalCheckFailedException;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};

use super::{DynamoLedger, Item, entity_key, failed, unavailable};
use crate::ledger::{ATTENTION_SHARDS, EntityRecord, Status, attention_pk, key, sort_time};
use crate::{Error, ErrorKind, Stage};

/// Every attribute a settle owns. What is not in the record is removed; what is not in this list is left alone, so
/// that a newer version's attributes survive an older version's settle.
const OWNED: [&str; 29] = [
    "vendor",
    "entity",
    "status",
    "revision",
    "link",
    "maybe_links",
    "pushed_hash",
    "sent",
    "pushed_revision",
    "pushed_by",
    "pushed_version",
    "synced_version",
    "read_at",
    "settled_at",
    "attempts",
    "unsure",
    "tried",
    "reservation",
    "steps",
    "effects",
    "rule",
    "parked",
    "parts",
    "doubted_for",
    "error",
    "owed",
    "recent",
    "attention_pk",
    "attention_sk",
];

impl DynamoLedger {
    pub(super) async fn write_settle(&self, record: &EntityRecord) -> Result<(), Error> {
        let mut item: Item = serde_dynamo::to_item(record).map_err(unavailable)?;
        if let Some((pk, sk)) = attention(record) {
            item.insert("attention_pk".into(), AttributeValue::S(pk));
            item.insert("attention_sk".into(), AttributeValue::S(sk));
        }
        let mut set = Vec::new();
        let mut remove = Vec::new();
        let mut names = HashMap::new();
        let mut values = HashMap::new();
        for (index, attribute) in OWNED.into_iter().enumerate() {
            let name = format!("#{index}");
            if let Some(value) = item.remove(attribute) {
                set.push(format!("{name} = :{index}"));
                values.insert(format!(":{index}"), value);
            } else {
                remove.push(name.clone());
            }
            names.insert(name, attribute.to_owned());
        }
        names.insert("#rev".into(), "revision".into());
        let condition = if record.revision == 1 {
            "attribute_not_exists(#rev)"
        } else {
            values.insert(
                ":before".into(),
                AttributeValue::N((record.revision - 1).to_string()),
            );
            "#rev = :before"
        };
        let mut expression = format!("SET {}", set.join(", "));
        if !remove.is_empty() {
            expression = format!("{expression} REMOVE {}", remove.join(", "));
        }
        let written = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(entity_key(&self.vendor, &record.entity)))
            .update_expression(expression)
            .condition_expression(condition)
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values(Some(values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match written {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failed)) if is_ours(failed, record) => {
                    Ok(())
                }
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => {
                    let message = "the entity was settled by somebody else in between";
                    Err(Error::retry(ErrorKind::Conflict, Stage::Settle, message))
                }
                _ => Err(failed(&error)),
            },
        }
    }
}

/// Whether what stands in the table is this very settle: its first answer was lost, and the SDK sent it again.
fn is_ours(failed: &ConditionalCheckFailedException, record: &EntityRecord) -> bool {
    let stored = failed
        .item()
        .cloned()
        .map(serde_dynamo::from_item::<_, EntityRecord>);
    matches!(stored, Some(Ok(stored)) if stored == *record)
}

/// The keys in the sparse index: only entities that wait or need a person have them.
fn attention(record: &EntityRecord) -> Option<(String, String)> {
    let sort_key = match (record.status, &record.parked) {
        (Status::Parked, Some(parked)) => format!("wake#{}", sort_time(parked.wake_at)),
        (Status::Rejected, _) => format!("rejected#{}", sort_time(record.settled_at)),
        (Status::Dead, _) => format!("dead#{}", sort_time(record.settled_at)),
        _ => return None,
    };
    let shard = key::shard(record.entity.as_str(), ATTENTION_SHARDS);
    Some((attention_pk(&record.vendor, shard), sort_key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EntityKey;

    fn record() -> EntityRecord {
        EntityRecord::unknown("mailchimp", EntityKey::new("customer", "1").unwrap())
    }

    #[test]
    fn a_settle_owns_every_field_of_the_record() {
        let mut full = record();
        full.link = Some("l".into());
        full.maybe_links = vec!["m".into()];
        full.pushed_hash = Some("h".into());
        full.sent = crate::ledger::Sent::of(&serde_json::json!({"a": 1}), crate::ledger::KeepSent::Fields);
        full.pushed_revision = Some(1);
        full.pushed_by = Some("b".into());
        full.tried = Some(crate::ledger::Tried {
            hash: "h".into(),
            revision: 1,
        });
        full.reservation = Some(crate::ledger::Reservation {
            key: "k".into(),
            until: full.settled_at,
        });
        full.steps = Some(crate::ledger::Steps {
            plan: "h".into(),
            done: Vec::new(),
            begun: vec!["first".into()],
            earlier: Vec::new(),
            undoing: None,
        });
        full.effects = vec![crate::ledger::Effect {
            name: "charge".into(),
            since: full.settled_at,
            until: Some(full.settled_at),
            output: serde_json::json!({"i_xdr": 1}),
            took_ms: Some(12),
            at: Some(full.settled_at),
        }];
        full.parts = [("staff".into(), "0f1e".into())].into();
        full.doubted_for = Some("0f1e2d3c".into());
        full.rule = Some("drafts".into());
        full.pushed_version = Some(crate::Version::Number(1));
        full.synced_version = Some(crate::Version::Number(1));
        full.read_at = Some(full.settled_at);
        full.attempts = 1;
        full.unsure = true;
        let error = crate::ledger::ErrorRecord::from(&Error::retry(ErrorKind::Timeout, Stage::Push, "late"));
        full.parked = Some(crate::ledger::Parked {
            wake_at: full.settled_at,
            since: full.settled_at,
            event_id: "e".into(),
            event_time: full.settled_at,
            detail_type: "t".into(),
            trace: None,
            version: None,
            lagging_since: None,
            denied_since: None,
            carried: None,
            asks: false,
            error: error.clone(),
        });
        full.error = Some(error);
        full.owed = Some(crate::ledger::Recent {
            event_id: "e".into(),
            time: full.settled_at,
            status: Status::Synced,
            at: full.settled_at,
        });
        let full = full.next(
            Status::Parked,
            "e",
            full.settled_at,
            "2026-01-29T14:36:26Z".parse().unwrap(),
        );
        let item: Item = serde_dynamo::to_item(&full).unwrap();
        let mut fields: Vec<_> = item.keys().map(String::as_str).collect();
        fields.extend(["attention_pk", "attention_sk"]);
        fields.sort_unstable();
        let mut owned = OWNED;
        owned.sort_unstable();
        assert_eq!(fields, owned);
        assert!(item["sent"].is_b(), "binary costs a third less than text");
        let read: EntityRecord = serde_dynamo::from_item(item).unwrap();
        assert_eq!(read, full);
    }

    #[test]
    fn only_what_needs_attention_is_indexed() {
        let now = "2026-01-29T14:36:26Z".parse().unwrap();
        assert_eq!(attention(&record().next(Status::Synced, "e", now, now)), None);
        let (pk, sk) = attention(&record().next(Status::Rejected, "e", now, now)).unwrap();
        assert!(pk.starts_with("mailchimp#"), "{pk}");
        assert_eq!(sk, "rejected#2026-01-29T14:36:26.000Z");
    }
}

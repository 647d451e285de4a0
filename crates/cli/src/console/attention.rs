//! What waits and what needs a person, in groups that have the same reason.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use vendorbridge::ledger::{AttentionKind, EntityRecord, ErrorRecord, Reader, Status};

use crate::CliError;

/// Entities read of one kind. Of more, the first are shown: the soonest due, the newest failures.
const MAX_ENTITIES: usize = 500;

/// Which list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    Parked,
    Rejected,
    Dead,
}

/// A list of a vendor:
///
/// ```json
/// {"vendor": "mailchimp", "kind": "rejected", "total": 2, "shown": 2, "groups": [
///   {"stage": "map", "step": null, "field": "/email", "code": null, "status": null, "error": "invalid", "reason": "…", "entities": [
///     {"entity": "customer/c-4714", "since": "…", "wake_at": null, "attempts": 1, "reason": "…"}]}]}
/// ```
///
/// Every field is always there. The largest group comes first; `reason` of a group is that of its first entity.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct List {
    vendor: String,
    kind: Kind,
    total: usize,
    shown: usize,
    groups: Vec<Group>,
}

/// Entities that failed at the same place for the same reason.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Group {
    #[serde(flatten)]
    cause: Cause,
    reason: Option<String>,
    entities: Vec<Entry>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Cause {
    stage: Option<&'static str>,
    step: Option<String>,
    field: Option<String>,
    code: Option<String>,
    status: Option<u16>,
    error: Option<&'static str>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Entry {
    entity: String,
    since: Timestamp,
    wake_at: Option<Timestamp>,
    attempts: u32,
    reason: Option<String>,
}

impl Kind {
    const fn in_the_index(self) -> AttentionKind {
        match self {
            Self::Parked => AttentionKind::Wake,
            Self::Rejected => AttentionKind::Rejected,
            Self::Dead => AttentionKind::Dead,
        }
    }
}

impl List {
    /// Reads a list of a vendor.
    pub(super) async fn read(reader: &Reader, vendor: &str, kind: Kind) -> Result<Self, CliError> {
        let count = reader.attention_count(vendor, kind.in_the_index());
        let total = count.await.map_err(CliError::unread)?;
        let records = reader.attention(vendor, kind.in_the_index(), MAX_ENTITIES);
        Ok(Self::of(
            vendor,
            kind,
            total,
            records.await.map_err(CliError::unread)?,
        ))
    }

    fn of(vendor: &str, kind: Kind, total: usize, records: Vec<EntityRecord>) -> Self {
        let shown = records.len();
        let mut groups: BTreeMap<Cause, Vec<Entry>> = BTreeMap::new();
        for record in records {
            let parked = record.parked.as_ref();
            let error = record.error.as_ref().or(parked.map(|parked| &parked.error));
            groups.entry(Cause::of(error)).or_default().push(Entry {
                since: parked.map_or(record.settled_at, |parked| parked.since),
                wake_at: parked
                    .filter(|_| record.status == Status::Parked)
                    .map(|parked| parked.wake_at),
                attempts: record.attempts,
                reason: error.map(|error| error.message.clone()),
                entity: record.entity.into(),
            });
        }
        let groups = groups.into_iter().map(|(cause, entities)| Group {
            cause,
            reason: entities.first().and_then(|entry| entry.reason.clone()),
            entities,
        });
        let mut groups: Vec<_> = groups.collect();
        groups.sort_by_key(|group| std::cmp::Reverse(group.entities.len()));
        Self {
            vendor: vendor.to_owned(),
            kind,
            // The index lags behind the table by moments.
            total: total.max(shown),
            shown,
            groups,
        }
    }
}

impl Cause {
    fn of(error: Option<&ErrorRecord>) -> Self {
        Self {
            stage: error.map(|error| error.stage.name()),
            step: error.and_then(|error| error.step.clone()),
            field: error.and_then(|error| error.pointer.clone()),
            code: error.and_then(|error| error.code.clone()),
            status: error.and_then(|error| error.status),
            error: error.map(|error| error.kind.name()),
        }
    }
}

#[cfg(test)]
mod tests {
    use vendorbridge::{EntityKey, Error, ErrorKind, Stage};

    use super::*;

    fn rejected(id: &str, field: &str) -> EntityRecord {
        let now: Timestamp = "2026-01-29T14:36:26Z".parse().unwrap();
        let key = EntityKey::new("customer", id).unwrap();
        let mut record = EntityRecord::unknown("webhook", key).next(Status::Rejected, "e", now, now);
        let error = Error::permanent(ErrorKind::Invalid, Stage::Map, format!("found none of {id}"));
        record.error = Some(ErrorRecord::from(&error.at(field)));
        record
    }

    #[test]
    fn the_same_place_and_kind_is_one_group_and_the_largest_comes_first() {
        let records = vec![
            rejected("1", "/name"),
            rejected("2", "/email"),
            rejected("3", "/email"),
        ];
        let list = List::of("webhook", Kind::Rejected, 7, records);
        let groups: Vec<_> = list
            .groups
            .iter()
            .map(|group| (group.cause.field.as_deref(), group.entities.len()))
            .collect();
        assert_eq!(groups, [(Some("/email"), 2), (Some("/name"), 1)]);
        assert_eq!((list.total, list.shown), (7, 3));
        assert_eq!(list.groups[0].reason.as_deref(), Some("found none of 2"));
        assert_eq!(list.groups[0].entities[0].entity, "customer/2");
    }
}

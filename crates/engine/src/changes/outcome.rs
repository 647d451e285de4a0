//! What a change of the ledger is announced as: an outcome, once.

use jiff::Timestamp;
use serde::Deserialize;
use serde_dynamo::{AttributeValue, Item};
use serde_json::{Map, Value, json};

use super::record::{Change, Record};
use crate::EntityKey;
use crate::bus::Event;
use crate::ledger::{ErrorRecord, Recent, Status};

/// The EventBridge source of outcomes.
pub const OUTCOME_SOURCE: &str = "vendorbridge";
/// The detail types of outcomes. No rule that feeds a vendor's queue may name one: an outcome never triggers a sync.
pub const OUTCOMES: [&str; 3] = ["SyncSucceeded", "SyncRejected", "SyncDead"];

/// What an outcome needs of an entity record; whatever else a later version adds is passed over.
#[derive(Deserialize)]
struct Standing {
    vendor: String,
    entity: EntityKey,
    status: Status,
    #[serde(default)]
    link: Option<String>,
    #[serde(default)]
    pushed_hash: Option<String>,
    #[serde(default)]
    error: Option<ErrorRecord>,
    settled_at: Timestamp,
    #[serde(default)]
    recent: Vec<Recent>,
}

/// The event for a settled entity record, if it tells something new.
pub(super) fn announce(record: &Record) -> Result<Option<Event>, String> {
    let is_entity = record.keys.get("sk") == Some(&AttributeValue::S("entity".to_owned()));
    let Some(new) = record
        .new
        .as_ref()
        .filter(|_| is_entity && record.change != Change::Remove)
    else {
        return Ok(None);
    };
    let new = standing(new)?;
    // An older record that cannot be read: better told twice than not at all.
    let old = record.old.as_ref().and_then(|old| standing(old).ok());
    let detail_type = match new.status {
        Status::Synced if is_new_link(old.as_ref(), &new) => OUTCOMES[0],
        Status::Rejected if is_new_failure(old.as_ref(), &new) => OUTCOMES[1],
        Status::Dead if is_new_failure(old.as_ref(), &new) => OUTCOMES[2],
        _ => return Ok(None),
    };
    Ok(Some(Event {
        key: format!("{}#{}", new.vendor, new.entity),
        source: OUTCOME_SOURCE.to_owned(),
        detail_type: detail_type.to_owned(),
        detail: detail(old.as_ref(), &new).to_string(),
        time: Some(new.settled_at),
    }))
}

fn standing(image: &Item) -> Result<Standing, String> {
    serde_dynamo::from_item(image.clone())
        .map_err(|_| "expected an entity record of the ledger, found another shape".to_owned())
}

/// The link is another one, or the first push under it went through only now: a lookup after an unknown create may have
/// written the link before.
fn is_new_link(old: Option<&Standing>, new: &Standing) -> bool {
    new.link.is_some() && old.is_none_or(|old| old.link != new.link || old.pushed_hash.is_none())
}

/// Another event came to this, or the same one for another reason.
fn is_new_failure(old: Option<&Standing>, new: &Standing) -> bool {
    old.is_none_or(|old| old.status != new.status || old.error != new.error || event_id(old) != event_id(new))
}

fn event_id(standing: &Standing) -> Option<&str> {
    standing.recent.last().map(|recent| recent.event_id.as_str())
}

fn detail(old: Option<&Standing>, new: &Standing) -> Value {
    let mut detail = json!({ "vendor": new.vendor, "entity": new.entity, "at": new.settled_at });
    if let Some(link) = &new.link {
        detail["link"] = link.as_str().into();
    }
    let previous = old.and_then(|old| old.link.as_ref());
    if let Some(previous) =
        previous.filter(|link| new.status == Status::Synced && Some(*link) != new.link.as_ref())
    {
        detail["previous_link"] = previous.as_str().into();
    }
    if let Some(event_id) = event_id(new) {
        detail["event_id"] = event_id.into();
    }
    if let Some(error) = new.error.as_ref().filter(|_| new.status != Status::Synced) {
        detail["reason"] = reason(error);
    }
    detail
}

fn reason(error: &ErrorRecord) -> Value {
    let mut reason = Map::new();
    let texts = [
        ("kind", Some(error.kind.name())),
        ("stage", Some(error.stage.name())),
        ("step", error.step.as_deref()),
        ("pointer", error.pointer.as_deref()),
        ("code", error.code.as_deref()),
        ("message", Some(error.message.as_str())),
    ];
    for (name, text) in texts {
        if let Some(text) = text {
            reason.insert(name.to_owned(), text.into());
        }
    }
    Value::Object(reason)
}

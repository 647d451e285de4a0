//! Events of the B1 Integration Framework.

use serde_json::{Map, Value};

use super::check::{Checks, Place, changed, shown, text_of};
use super::object::{Key, ObjectChanged};

/// Reads one event: `EventSource`, `ObjectType`, `TransactionType`, `UserCode`, `keys`.
pub(super) fn read(place: &Place<'_>, checks: &mut Checks<'_>) -> Option<ObjectChanged> {
    let members = checks.object(place, "an event")?;
    let company = company(place, members, checks);
    let object_type = checks.object_type(place, members, "ObjectType");
    let transaction_type = checks.transaction_type(place, members, "TransactionType");
    let user = user(place, members, checks);
    let keys = keys(place, members, checks);
    Some(changed(company?, object_type?, transaction_type?, keys?, user))
}

fn company(place: &Place<'_>, members: &Map<String, Value>, checks: &mut Checks<'_>) -> Option<String> {
    let Some(source) = checks.find(place, members, "EventSource").ok()? else {
        return checks.company(place, None);
    };
    if let Some(name) = text_of(source.value) {
        return checks.company(place, Some((source, name)));
    }
    checks.wrong(&source, "the name of a company's database", shown(source.value));
    None
}

/// `UserCode`, else `UserId`: senders fill both with the same, or one.
fn user(place: &Place<'_>, members: &Map<String, Value>, checks: &mut Checks<'_>) -> Option<String> {
    ["UserCode", "UserId"].into_iter().find_map(|name| {
        let found = checks.find(place, members, name).ok()??;
        checks.user(found)
    })
}

/// `keys`: a list of `Name` and `Value`, or what XML's `<keys><key>…</key></keys>` becomes.
fn keys(
    place: &Place<'_>,
    members: &Map<String, Value>,
    checks: &mut Checks<'_>,
) -> Option<(String, Vec<Key>)> {
    let Some(found) = checks.find(place, members, "keys").ok()? else {
        checks.wrong(
            &place.below("keys", place.value),
            "a list of key columns",
            "nothing",
        );
        return None;
    };
    let list = items(&found, "key");
    let Some(list) = list else {
        checks.wrong(&found, "a list of key columns", shown(found.value));
        return None;
    };
    checks.count(&found, list.len())?;
    let keys: Vec<_> = list.iter().map(|item| key(item, checks)).collect();
    let keys: Vec<_> = keys.into_iter().collect::<Option<_>>()?;
    Some((checks.key(&found, &keys)?, keys))
}

fn key(place: &Place<'_>, checks: &mut Checks<'_>) -> Option<Key> {
    let members = checks.object(place, "a key column")?;
    let name = checks.text(place, members, "Name", "the name of a key column");
    let name = name.and_then(|found| checks.key_name(found));
    let value = checks.text(place, members, "Value", "the value of a key column");
    let value = value.and_then(|found| checks.key_value(found));
    Some(Key {
        name: name?,
        value: value?,
    })
}

/// The items of a list, or of an object with nothing but `name`, which XML and what is made from it have in between.
pub(super) fn items<'a>(place: &Place<'a>, name: &str) -> Option<Vec<Place<'a>>> {
    let numbered = |place: &Place<'a>, list: &'a [Value]| {
        let item = |(at, value)| place.below(&usize::to_string(&at), value);
        list.iter().enumerate().map(item).collect()
    };
    match place.value {
        Value::Array(list) => Some(numbered(place, list)),
        Value::Object(members) => {
            let (key, value) = members.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?;
            let inner = place.below(key, value);
            match value {
                Value::Array(list) => Some(numbered(&inner, list)),
                _ => Some(vec![inner]),
            }
        }
        _ => None,
    }
}

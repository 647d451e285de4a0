//! Values of the body, checked one by one: what is wrong is collected, so that the sender is told all of it at once.

use serde_json::{Map, Value};

use super::object::{Key, ObjectChanged, TransactionType};
use crate::problem::Violation;

/// The longest key value, and the longest key: what an entity's id may have.
const MAX_KEY_BYTES: usize = 512;
const MAX_NAME_BYTES: usize = 128;
const MAX_USER_BYTES: usize = 254;
/// `object_type` of the post-transaction notice is an `nvarchar(30)`.
const MAX_OBJECT_TYPE: usize = 30;
const MAX_KEYS: usize = 16;
/// So much of a wrong value is shown to the sender.
const SHOWN_CHARS: usize = 60;

/// An object of the body and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Place<'a> {
    pub(super) index: usize,
    pub(super) pointer: String,
    pub(super) value: &'a Value,
}

/// What is expected of a request's events.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expected<'a> {
    /// The company that the query names.
    pub(crate) company: Option<&'a str>,
    /// The companies whose events are taken.
    pub(crate) companies: &'a [String],
}

/// What is wrong so far.
#[derive(Debug)]
pub(super) struct Checks<'e> {
    pub(super) expected: &'e Expected<'e>,
    pub(super) violations: Vec<Violation>,
}

impl<'a> Place<'a> {
    /// A member by its name, in either case; or, where it is missing or there twice, what is wrong with that.
    fn member(&self, members: &'a Map<String, Value>, name: &str) -> Result<Option<Place<'a>>, String> {
        let mut all = members.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
        match (all.next(), all.next()) {
            (Some(_), Some(_)) => Err(format!("two, `{name}` in two spellings")),
            (found, _) => Ok(found.map(|(key, value)| self.below(key, value))),
        }
    }

    pub(super) fn below(&self, key: &str, value: &'a Value) -> Self {
        Self {
            index: self.index,
            pointer: format!("{}/{key}", self.pointer),
            value,
        }
    }
}

impl<'e> Checks<'e> {
    pub(super) fn new(expected: &'e Expected<'e>) -> Self {
        Self {
            expected,
            violations: Vec::new(),
        }
    }

    /// Something else was expected at a place.
    pub(super) fn wrong(&mut self, place: &Place<'_>, expected: &str, found: impl Into<String>) {
        self.violations.push(Violation {
            index: Some(place.index),
            pointer: place.pointer.clone(),
            expected: expected.to_owned(),
            found: found.into(),
        });
    }

    /// The members of an object.
    pub(super) fn object<'a>(&mut self, place: &Place<'a>, expected: &str) -> Option<&'a Map<String, Value>> {
        let object = place.value.as_object();
        if object.is_none() {
            self.wrong(place, expected, shown(place.value));
        }
        object
    }

    /// A member that may be missing. The error is that it is there twice, which is told by then.
    pub(super) fn find<'a>(
        &mut self,
        place: &Place<'a>,
        members: &'a Map<String, Value>,
        name: &str,
    ) -> Result<Option<Place<'a>>, ()> {
        place
            .member(members, name)
            .map_err(|found| self.wrong(&place.below(name, place.value), "one value", found))
    }

    /// A member that must be there, as text. Whole numbers are taken for their digits.
    pub(super) fn text<'a>(
        &mut self,
        place: &Place<'a>,
        members: &'a Map<String, Value>,
        name: &str,
        expected: &str,
    ) -> Option<(Place<'a>, String)> {
        match place.member(members, name) {
            Ok(Some(found)) => match text_of(found.value) {
                Some(text) => return Some((found, text)),
                None => self.wrong(&found, expected, shown(found.value)),
            },
            Ok(None) => self.wrong(&place.below(name, place.value), expected, "nothing"),
            Err(found) => self.wrong(&place.below(name, place.value), expected, found),
        }
        None
    }

    /// A text of limited length without control characters.
    pub(super) fn plain(
        &mut self,
        (place, text): (Place<'_>, String),
        max: usize,
        what: &str,
    ) -> Option<String> {
        let found = match text.len() {
            0 => "an empty text".to_owned(),
            length if length > max => format!("{length} bytes"),
            _ if text.chars().any(char::is_control) => "a control character".to_owned(),
            _ => return Some(text),
        };
        let expected = format!("{what} of 1 to {max} bytes without control characters");
        self.wrong(&place, &expected, found);
        None
    }

    /// The company: the one that the event names, or the query's; if both do, they agree.
    pub(super) fn company(
        &mut self,
        event: &Place<'_>,
        named: Option<(Place<'_>, String)>,
    ) -> Option<String> {
        match (named, self.expected.company) {
            (Some((place, name)), Some(asked)) if name != asked => {
                self.wrong(
                    &place,
                    &format!("{}, as in the query", quoted(asked)),
                    quoted(&name),
                );
                None
            }
            (Some((place, name)), _) => {
                let is_taken = self.expected.companies.contains(&name);
                if !is_taken {
                    self.wrong(&place, "a company whose events are taken here", quoted(&name));
                }
                is_taken.then_some(name)
            }
            (None, Some(asked)) => Some(asked.to_owned()),
            (None, None) => {
                let place = event.below("EventSource", event.value);
                self.wrong(&place, "a company, here or as `company` in the query", "nothing");
                None
            }
        }
    }

    pub(super) fn object_type(
        &mut self,
        place: &Place<'_>,
        members: &Map<String, Value>,
        name: &str,
    ) -> Option<String> {
        let expected = format!("an object type of 1 to {MAX_OBJECT_TYPE} letters, digits, `_` and `-`");
        let (found, text) = self.text(place, members, name, &expected)?;
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if (1..=MAX_OBJECT_TYPE).contains(&text.len()) && text.bytes().all(is_plain) {
            return Some(text);
        }
        self.wrong(&found, &expected, quoted(&text));
        None
    }

    pub(super) fn transaction_type(
        &mut self,
        place: &Place<'_>,
        members: &Map<String, Value>,
        name: &str,
    ) -> Option<TransactionType> {
        let expected = "`A`, `U`, `D`, `C` or `L`";
        let (found, text) = self.text(place, members, name, expected)?;
        let known = TransactionType::of(&text);
        if known.is_none() {
            self.wrong(&found, expected, quoted(&text));
        }
        known
    }

    pub(super) fn user(&mut self, found: Place<'_>) -> Option<String> {
        match text_of(found.value) {
            Some(text) if text.is_empty() => None,
            Some(text) => self.plain((found, text), MAX_USER_BYTES, "a user's name"),
            None if found.value.is_null() => None,
            None => {
                self.wrong(&found, "a user's name", shown(found.value));
                None
            }
        }
    }

    pub(super) fn key_name(&mut self, found: (Place<'_>, String)) -> Option<String> {
        self.plain(found, MAX_NAME_BYTES, "the name of a key column")
    }

    pub(super) fn key_value(&mut self, found: (Place<'_>, String)) -> Option<String> {
        self.plain(found, MAX_KEY_BYTES, "the value of a key column")
    }

    /// Whether so many key columns are allowed.
    pub(super) fn count(&mut self, place: &Place<'_>, keys: usize) -> Option<()> {
        if (1..=MAX_KEYS).contains(&keys) {
            return Some(());
        }
        self.wrong(place, &format!("1 to {MAX_KEYS} key columns"), keys.to_string());
        None
    }

    /// The values of all key columns, separated by commas.
    pub(super) fn key(&mut self, place: &Place<'_>, keys: &[Key]) -> Option<String> {
        let values: Vec<_> = keys.iter().map(|key| key.value.as_str()).collect();
        let key = values.join(",");
        if key.len() <= MAX_KEY_BYTES {
            return Some(key);
        }
        let expected = format!("key values of at most {MAX_KEY_BYTES} bytes together");
        self.wrong(place, &expected, format!("{} bytes", key.len()));
        None
    }
}

/// The change, of its checked parts.
pub(super) fn changed(
    company: String,
    object_type: String,
    transaction_type: TransactionType,
    (key, keys): (String, Vec<Key>),
    user: Option<String>,
) -> ObjectChanged {
    ObjectChanged {
        company,
        object: format!("{object_type}/{key}"),
        object_type,
        transaction_type,
        key,
        keys,
        user,
    }
}

/// A text; whole numbers count as their digits.
pub(super) fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) if number.is_i64() || number.is_u64() => Some(number.to_string()),
        _ => None,
    }
}

/// A value, for the sender that sent it.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(is) => is.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => quoted(text),
        Value::Array(items) => format!("a list of {}", items.len()),
        Value::Object(_) => "an object".to_owned(),
    }
}

/// The start of a text, with control characters made visible.
pub(super) fn quoted(text: &str) -> String {
    let start: String = text.chars().take(SHOWN_CHARS).collect();
    let dots = if start.len() < text.len() { "…" } else { "" };
    format!("`{}{dots}`", start.escape_debug())
}

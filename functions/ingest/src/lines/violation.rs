//! What is wrong with the data of an event, told so that the caller's values stay with the caller.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// More violations of one event are not told.
pub const MAX_VIOLATIONS: usize = 100;
/// Longer lists and larger objects are not looked into: a small body can hold a million items, and each would be told of.
const MAX_ITEMS: usize = 500;
/// A longer word is counted instead of shown.
const MAX_WORD: usize = 20;
/// A longer name is not repeated in a pointer.
const MAX_NAME: usize = 64;

/// A place in the caller's data, what was expected there and what was found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Violation {
    /// A JSON Pointer into the caller's `data`; to where it should be, if something is missing.
    pub pointer: String,
    /// What should be there.
    pub expected: String,
    /// What is there: its type and size, never a long or a personal value.
    pub found: String,
}

impl Violation {
    pub(super) fn new(
        pointer: impl Into<String>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        Self {
            pointer: pointer.into(),
            expected: expected.into(),
            found: found.into(),
        }
    }
}

/// The lists and objects of a value that are too large to be looked into.
pub(super) fn too_large(value: &Value, pointer: &str, violations: &mut Vec<Violation>) {
    let is_too_large = |length: usize| length > MAX_ITEMS;
    match value {
        Value::Array(items) if is_too_large(items.len()) => {
            let expected = format!("a list of at most {MAX_ITEMS}");
            violations.push(Violation::new(pointer, expected, described(value)));
        }
        Value::Object(members) if is_too_large(members.len()) => {
            let expected = format!("an object of at most {MAX_ITEMS}");
            violations.push(Violation::new(pointer, expected, described(value)));
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate().filter(|(_, item)| is_nested(item)) {
                too_large(item, &format!("{pointer}/{at}"), violations);
            }
        }
        Value::Object(members) => {
            for (name, member) in members.iter().filter(|(_, member)| is_nested(member)) {
                too_large(member, &below(pointer, name), violations);
            }
        }
        _ => {}
    }
}

fn is_nested(value: &Value) -> bool {
    value.is_array() || value.is_object()
}

/// Type and size of a value.
pub(super) fn described(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(is) => is.to_string(),
        Value::Number(_) => "a number".to_owned(),
        Value::String(text) => match text.chars().count() {
            0 => "an empty text".to_owned(),
            1 => "a text of one character".to_owned(),
            length => format!("a text of {length} characters"),
        },
        Value::Array(items) => format!("a list of {}", items.len()),
        Value::Object(members) => format!("an object of {}", members.len()),
    }
}

/// A value where one of a few short words belongs: a typing error is seen faster than counted.
pub(super) fn word(value: &Value) -> String {
    let is_word = |text: &&str| {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        (1..=MAX_WORD).contains(&text.len()) && text.bytes().all(is_plain)
    };
    match value.as_str().filter(is_word) {
        Some(text) => format!("`{text}`"),
        None => described(value),
    }
}

/// The pointer to a member, or to the object that it is in if its name is too long to be repeated.
pub(super) fn below(pointer: &str, name: &str) -> String {
    if name.len() > MAX_NAME {
        return pointer.to_owned();
    }
    format!("{pointer}/{}", escaped(name))
}

/// A name as one reference token of a JSON Pointer (<https://www.rfc-editor.org/rfc/rfc6901#section-3>).
pub(super) fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// The name that a reference token stands for.
pub(super) fn unescaped(token: &str) -> String {
    token.replace("~1", "/").replace("~0", "~")
}

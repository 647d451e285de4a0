//! What a request's body says, read field by field; everything that is wrong is told at once.

use std::collections::BTreeSet;

use jiff::{Timestamp, civil, tz::TimeZone};
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::error::Refusal;

/// Why a value is not taken.
pub(super) type Wrong = String;

/// A body, and what was found wrong with it.
pub(super) struct Said<'a> {
    fields: &'a Map<String, Value>,
    known: BTreeSet<&'static str>,
    wrong: Map<String, Value>,
}

impl<'a> Said<'a> {
    pub(super) fn new(fields: &'a Map<String, Value>) -> Self {
        Self {
            fields,
            known: BTreeSet::new(),
            wrong: Map::new(),
        }
    }

    /// The field's value, if it is there and right.
    pub(super) fn take<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&'a Value) -> Result<T, Wrong>,
    ) -> Option<T> {
        self.known.insert(name);
        match read(self.fields.get(name)?) {
            Ok(value) => Some(value),
            Err(wrong) => {
                self.refuse(name, &wrong);
                None
            }
        }
    }

    /// Puts the field's value where it belongs, if it is there and right.
    pub(super) fn set<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&'a Value) -> Result<T, Wrong>,
        target: &mut T,
    ) {
        if let Some(value) = self.take(name, read) {
            *target = value;
        }
    }

    /// Like [`take`](Self::take), and wrong if it is not there.
    pub(super) fn require<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&'a Value) -> Result<T, Wrong>,
    ) -> Option<T> {
        if !self.fields.contains_key(name) {
            self.refuse(name, "This field is required.");
        }
        self.take(name, read)
    }

    /// Fields that the application knows and that do nothing here.
    pub(super) fn know(&mut self, names: &[&'static str]) {
        self.known.extend(names);
    }

    pub(super) fn refuse(&mut self, name: &str, message: &str) {
        self.wrong.insert(name.to_owned(), json!([message]));
    }

    /// The names that were sent and that nobody asked for.
    pub(super) fn unknown(&self) -> impl Iterator<Item = &'a String> {
        let unknown = |name: &&String| !self.known.contains(name.as_str());
        self.fields.keys().filter(unknown)
    }

    pub(super) fn check(&mut self) -> Result<(), Refusal> {
        if self.wrong.is_empty() {
            Ok(())
        } else {
            Err(Refusal::Fields(std::mem::take(&mut self.wrong)))
        }
    }
}

/// A text that says something.
pub(super) fn text(value: &Value) -> Result<String, Wrong> {
    let text = text_or_blank(value)?;
    if text.trim().is_empty() {
        return Err("This field may not be blank.".to_owned());
    }
    Ok(text)
}

/// Numbers are taken as their text.
pub(super) fn text_or_blank(value: &Value) -> Result<String, Wrong> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Null => Err("This field may not be null.".to_owned()),
        _ => Err("Not a valid string.".to_owned()),
    }
}

/// A text or nothing.
pub(super) fn text_or_null(value: &Value) -> Result<Option<String>, Wrong> {
    match value {
        Value::Null => Ok(None),
        value => text_or_blank(value).map(Some),
    }
}

/// A date without a time is its midnight, a time without an offset is UTC.
pub(super) fn moment(value: &Value) -> Result<Timestamp, Wrong> {
    let formats = "YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]";
    let wrong = || format!("Datetime has wrong format. Use one of these formats instead: {formats}.");
    let text = text_or_blank(value)?;
    let as_utc = |local: civil::DateTime| local.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    text.parse::<Timestamp>()
        .ok()
        .or_else(|| text.parse().ok().and_then(as_utc))
        .ok_or_else(wrong)
}

/// A time or nothing.
pub(super) fn moment_or_null(value: &Value) -> Result<Option<Timestamp>, Wrong> {
    match value {
        Value::Null => Ok(None),
        value => moment(value).map(Some),
    }
}

/// A whole number that is not negative, or nothing.
pub(super) fn number_or_null(value: &Value) -> Result<Option<u64>, Wrong> {
    let number = match value {
        Value::Null => return Ok(None),
        Value::String(text) => text.parse().ok(),
        value => value.as_u64(),
    };
    number
        .map(Some)
        .ok_or_else(|| "A valid integer is required.".to_owned())
}

/// An amount of money, a number or a text, or nothing.
pub(super) fn amount_or_null(value: &Value) -> Result<Option<Decimal>, Wrong> {
    let text = match value {
        Value::Null => return Ok(None),
        value => text_or_blank(value)?,
    };
    let amount = Decimal::from_str_exact(&text).ok();
    amount
        .filter(|amount| !amount.is_sign_negative())
        .map(Some)
        .ok_or_else(|| "A valid number is required.".to_owned())
}

/// A list of texts.
pub(super) fn texts(value: &Value) -> Result<Vec<String>, Wrong> {
    let items = value.as_array().ok_or("Expected a list of items.")?;
    items.iter().map(text_or_blank).collect()
}

/// An object.
pub(super) fn object(value: &Value) -> Result<&Map<String, Value>, Wrong> {
    value
        .as_object()
        .ok_or_else(|| "Invalid data. Expected a dictionary.".to_owned())
}

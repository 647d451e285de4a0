//! What a request says: `{"params": {…}}`.

use rust_decimal::Decimal;
use serde_json::{Map, Value};

use super::error::Refusal;

/// The parameters of one call of a method of `Customer`.
pub(super) struct Params<'a> {
    pub(super) method: &'a str,
    pub(super) said: &'a Map<String, Value>,
}

impl<'a> Params<'a> {
    /// What stands below `name`, for methods that take one structure.
    pub(super) fn inside(&self, name: &str) -> Result<Params<'a>, Refusal> {
        match self.said.get(name) {
            Some(Value::Object(said)) => Ok(Params {
                method: self.method,
                said,
            }),
            Some(_) => Err(self.invalid(name, "a structure")),
            None => Err(Refusal::missing(self.method, name)),
        }
    }

    /// `null` is the same as nothing.
    pub(super) fn get(&self, name: &str) -> Option<&'a Value> {
        self.said.get(name).filter(|value| !value.is_null())
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<&'a str>, Refusal> {
        let as_text = |value: &'a Value| value.as_str().ok_or_else(|| self.invalid(name, "a text"));
        self.get(name).map(as_text).transpose()
    }

    /// A number, or a text of digits: clients send both.
    pub(super) fn number(&self, name: &str) -> Result<Option<i64>, Refusal> {
        let as_number = |value: &Value| match value {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        self.get(name)
            .map(|value| as_number(value).ok_or_else(|| self.invalid(name, "a whole number")))
            .transpose()
    }

    /// `Y` or `N`, 1 or 0; nothing is no.
    pub(super) fn flag(&self, name: &str) -> Result<bool, Refusal> {
        match self.text(name) {
            Ok(Some("Y")) => return Ok(true),
            Ok(Some("N")) => return Ok(false),
            _ => {}
        }
        match self.number(name)? {
            Some(1) => Ok(true),
            Some(0) | None => Ok(false),
            Some(_) => Err(self.invalid(name, "Y or N, 1 or 0")),
        }
    }

    /// A number, or a text of one.
    pub(super) fn amount(&self, name: &str) -> Result<Decimal, Refusal> {
        let text = match self.get(name) {
            Some(Value::Number(number)) => number.to_string(),
            Some(Value::String(text)) => text.clone(),
            Some(_) => String::new(),
            None => return Err(self.missing(name)),
        };
        Decimal::from_str_exact(&text).map_err(|_| self.invalid(name, "an amount"))
    }

    pub(super) fn missing(&self, name: &str) -> Refusal {
        Refusal::missing(self.method, name)
    }

    pub(super) fn invalid(&self, name: &str, expected: &str) -> Refusal {
        Refusal::invalid(self.method, name, expected)
    }

    /// The name of a parameter that is a JSON boolean; flags are `Y` and `N`, or 1 and 0.
    pub(super) fn boolean(said: &Map<String, Value>) -> Option<&str> {
        said.iter().find_map(|(name, value)| match value {
            Value::Bool(_) => Some(name.as_str()),
            Value::Object(inside) => Self::boolean(inside),
            Value::Array(items) if items.iter().any(Value::is_boolean) => Some(name),
            _ => None,
        })
    }
}

//! The body of a write, decoded field by field, so that every wrong field is named.
//!
//! Types: request body of `PUT` and `PATCH /3.0/lists/{list_id}/members/{subscriber_hash}` in the Marketing
//! API description. Its schema is open, so properties that it does not name are ignored (and remembered for
//! whoever asks).

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{
    error::{FieldError, Problem},
    member::{MergeValue, PostalAddress, Status},
};

const KNOWN: [&str; 15] = [
    "email_address",
    "email_type",
    "interests",
    "ip_opt",
    "ip_signup",
    "language",
    "location",
    "marketing_permissions",
    "merge_fields",
    "status",
    "status_if_new",
    "tags",
    "timestamp_opt",
    "timestamp_signup",
    "vip",
];

/// What a write says; `None` is left alone.
#[derive(Debug, Default)]
pub(super) struct Submission {
    pub(super) email_address: Option<String>,
    pub(super) email_type: Option<String>,
    pub(super) status: Option<Status>,
    pub(super) status_if_new: Option<Status>,
    pub(super) merge_fields: BTreeMap<String, MergeValue>,
    pub(super) interests: BTreeMap<String, bool>,
    pub(super) language: Option<String>,
    pub(super) vip: Option<bool>,
    pub(super) ip_signup: Option<String>,
    pub(super) ip_opt: Option<String>,
    pub(super) timestamp_signup: Option<String>,
    pub(super) timestamp_opt: Option<String>,
    pub(super) tags: Vec<String>,
    /// Properties that the API does not know.
    pub(super) unknown: Vec<String>,
}

impl Submission {
    /// Decodes a body in which `required` fields must be present.
    pub(super) fn decode(body: &[u8], required: &[&str]) -> Result<Self, Problem> {
        let body: Value = serde_json::from_slice(body).map_err(|_| Problem::unreadable())?;
        let Value::Object(body) = body else {
            let message = format!("Schema describes object, {} found instead", kind(&body));
            return Err(Problem::invalid(vec![FieldError {
                field: String::new(),
                message,
            }]));
        };
        let mut fields = Fields {
            body: &body,
            errors: Vec::new(),
        };
        fields.require(required);
        let submission = Self {
            email_address: fields.text("email_address"),
            email_type: fields.text("email_type"),
            status: fields.status("status"),
            status_if_new: fields.status("status_if_new"),
            merge_fields: fields.merge_fields(),
            interests: fields.interests(),
            language: fields.text("language"),
            vip: fields.take("vip", "boolean", Value::as_bool),
            ip_signup: fields.text("ip_signup"),
            ip_opt: fields.text("ip_opt"),
            timestamp_signup: fields.timestamp("timestamp_signup"),
            timestamp_opt: fields.timestamp("timestamp_opt"),
            tags: fields.tags(),
            unknown: body
                .keys()
                .filter(|name| !KNOWN.contains(&name.as_str()))
                .cloned()
                .collect(),
        };
        // Checked, not kept: nothing is asked about them here.
        fields.take("location", "object", Value::as_object);
        fields.take("marketing_permissions", "array", Value::as_array);
        if fields.errors.is_empty() {
            Ok(submission)
        } else {
            Err(Problem::invalid(fields.errors))
        }
    }
}

struct Fields<'a> {
    body: &'a Map<String, Value>,
    errors: Vec<FieldError>,
}

impl<'a> Fields<'a> {
    fn refuse(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.errors.push(FieldError {
            field: field.into(),
            message: message.into(),
        });
    }

    fn require(&mut self, required: &[&str]) {
        let missing: Vec<_> = required
            .iter()
            .filter(|name| !self.body.contains_key(**name))
            .copied()
            .collect();
        if !missing.is_empty() {
            self.refuse(
                "",
                format!("Required fields were not provided: {}", missing.join(", ")),
            );
        }
    }

    fn take<T>(&mut self, name: &str, expected: &str, read: impl Fn(&'a Value) -> Option<T>) -> Option<T> {
        let value = self.body.get(name)?;
        let read = read(value);
        if read.is_none() {
            self.refuse(
                name,
                format!("Schema describes {expected}, {} found instead", kind(value)),
            );
        }
        read
    }

    fn text(&mut self, name: &str) -> Option<String> {
        self.take(name, "string", Value::as_str).map(str::to_owned)
    }

    fn status(&mut self, name: &str) -> Option<Status> {
        let text = self.text(name)?;
        let status = match text.as_str() {
            "subscribed" => Status::Subscribed,
            "unsubscribed" => Status::Unsubscribed,
            "cleaned" => Status::Cleaned,
            "pending" => Status::Pending,
            "transactional" => Status::Transactional,
            _ => {
                let values = "subscribed, unsubscribed, cleaned, pending, transactional";
                self.refuse(name, format!("Value must be one of these: {values}."));
                return None;
            }
        };
        Some(status)
    }

    fn merge_fields(&mut self) -> BTreeMap<String, MergeValue> {
        let mut accepted = BTreeMap::new();
        for (tag, value) in self
            .take("merge_fields", "object", Value::as_object)
            .into_iter()
            .flatten()
        {
            if let Some(value) = merge_value(value) {
                accepted.insert(tag.clone(), value);
            } else {
                let message = "Data did not match any of the schemas described in anyOf.";
                self.refuse(format!("merge_fields.{tag}"), message);
            }
        }
        accepted
    }

    fn interests(&mut self) -> BTreeMap<String, bool> {
        let mut accepted = BTreeMap::new();
        for (id, value) in self
            .take("interests", "object", Value::as_object)
            .into_iter()
            .flatten()
        {
            if let Some(value) = value.as_bool() {
                accepted.insert(id.clone(), value);
            } else {
                let message = format!("Schema describes boolean, {} found instead", kind(value));
                self.refuse(format!("interests.{id}"), message);
            }
        }
        accepted
    }

    fn tags(&mut self) -> Vec<String> {
        let mut accepted = Vec::new();
        for (at, value) in self
            .take("tags", "array", Value::as_array)
            .into_iter()
            .flatten()
            .enumerate()
        {
            if let Some(name) = value.as_str() {
                accepted.push(name.to_owned());
            } else {
                let message = format!("Schema describes string, {} found instead", kind(value));
                self.refuse(format!("tags.item:{at}"), message);
            }
        }
        accepted
    }

    fn timestamp(&mut self, name: &str) -> Option<String> {
        let text = self.text(name)?;
        if !text.is_empty() && !is_timestamp(&text) {
            self.refuse(name, "Data did not match any of the schemas described in anyOf.");
            return None;
        }
        Some(text)
    }
}

fn merge_value(value: &Value) -> Option<MergeValue> {
    match value {
        Value::String(text) => Some(MergeValue::Text(text.clone())),
        Value::Number(number) => Some(MergeValue::Number(number.clone())),
        Value::Object(_) => serde_json::from_value::<PostalAddress>(value.clone())
            .ok()
            .map(MergeValue::Address),
        Value::Null | Value::Bool(_) | Value::Array(_) => None,
    }
}

/// `TwoFormatDateTime` of the description: `Y-m-d H:i:s`, or ISO 8601 with an offset; no fractional seconds
/// in either.
fn is_timestamp(text: &str) -> bool {
    let digits_as_zero = |c: char| if c.is_ascii_digit() { '0' } else { c };
    let form: String = text.chars().map(digits_as_zero).collect();
    if form == "0000-00-00 00:00:00" {
        return true;
    }
    let offset = form.strip_prefix("0000-00-00T00:00:00");
    matches!(offset, Some("Z" | "+00:00" | "-00:00" | "+0000" | "-0000"))
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "NULL",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

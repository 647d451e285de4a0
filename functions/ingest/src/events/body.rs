//! What a request brings: one event or several, before anything of their data is looked at.

use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::problem::{Problem, Violation};

/// The most events in a body.
pub(crate) const MAX_EVENTS: usize = 100;
/// The longest id that a caller may give.
const MAX_ID: usize = 64;

/// The events of a body.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Body {
    /// In the body's order; what is wrong with one does not concern the others.
    pub(crate) events: Vec<Result<Incoming, Vec<Violation>>>,
    /// The body is an array: so is the answer.
    pub(crate) is_array: bool,
}

/// One event.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Incoming {
    /// Its name, such as `course.created`.
    pub(crate) event: String,
    /// The caller's id for it.
    pub(crate) id: Option<String>,
    /// What it brings.
    pub(crate) data: Value,
    /// A hash of all that: what the same id must always come with.
    pub(crate) hash: String,
}

/// Reads a body.
pub(crate) fn read(headers: &HeaderMap, bytes: &[u8]) -> Result<Body, Problem> {
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = media_type
        .and_then(|value| value.split(';').next())
        .map(str::trim);
    if !media_type.is_some_and(|value| value.eq_ignore_ascii_case("application/json")) {
        let detail = "expected `Content-Type: application/json`, found another";
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported-media-type",
            detail,
        ));
    }
    let value: Value = serde_json::from_slice(bytes).map_err(|error| {
        // serde's own words can quote the text.
        let (line, column) = (error.line(), error.column());
        unreadable(format!(
            "expected JSON, found something else at line {line}, column {column}"
        ))
    })?;
    let is_array = value.is_array();
    let values = match value {
        Value::Array(values) => values,
        value => vec![value],
    };
    if values.is_empty() || values.len() > MAX_EVENTS {
        let found = values.len();
        let violation = violation("", format!("1 to {MAX_EVENTS} events"), format!("{found}"));
        return Err(Problem::violations(vec![violation]));
    }
    let events = values.into_iter().map(incoming).collect();
    Ok(Body { events, is_array })
}

/// The key that makes a repeat of the request the same request.
pub(crate) fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut all = headers.get_all("idempotency-key").iter();
    let (first, more) = (all.next(), all.next());
    let Some(header) = first else { return Ok(None) };
    let text = header.to_str().ok().map(str::trim);
    // The draft has it in quotes, most clients do not.
    let text = text.map(|text| {
        text.strip_prefix('"')
            .and_then(|text| text.strip_suffix('"'))
            .unwrap_or(text)
    });
    if let Some(key) = text.filter(|text| is_id(text) && more.is_none()) {
        return Ok(Some(key.to_owned()));
    }
    let detail = format!("expected one `Idempotency-Key` of {}, found another", id_rule());
    Err(Problem::new(StatusCode::BAD_REQUEST, "bad-header", detail))
}

/// Whether a caller can give an event this id.
fn is_id(text: &str) -> bool {
    text.len() <= MAX_ID && is_known_id(text)
}

/// Whether an event can have this id: the caller's, or the key of its request and its place in the array.
pub(crate) fn is_known_id(text: &str) -> bool {
    const MAX_PLACE: usize = ".99".len();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte);
    // A path cannot name what is only dots.
    let is_name = text.bytes().any(|byte| byte != b'.');
    (1..=MAX_ID + MAX_PLACE).contains(&text.len()) && text.bytes().all(is_plain) && is_name
}

fn id_rule() -> String {
    format!("1 to {MAX_ID} letters, digits and `._:-`")
}

fn incoming(value: Value) -> Result<Incoming, Vec<Violation>> {
    let hash = hash(&value);
    let Value::Object(mut members) = value else {
        return Err(vec![violation(
            "",
            "an object with `event` and `data`",
            kind(&value),
        )]);
    };
    let mut violations = Vec::new();
    let event = match members.remove("event") {
        Some(Value::String(event)) => Some(event),
        other => {
            violations.push(violation(
                "/event",
                "the name of an event, such as `course.created`",
                kind_of(other.as_ref()),
            ));
            None
        }
    };
    let id = match members.remove("id") {
        None => None,
        Some(Value::String(id)) if is_id(&id) => Some(id),
        Some(Value::String(_)) => {
            violations.push(violation("/id", id_rule(), "another text"));
            None
        }
        Some(other) => {
            violations.push(violation("/id", id_rule(), kind(&other)));
            None
        }
    };
    let data = match members.remove("data") {
        Some(data @ Value::Object(_)) => Some(data),
        other => {
            violations.push(violation("/data", "an object", kind_of(other.as_ref())));
            None
        }
    };
    violations.extend(unknown(&members));
    match (event, data) {
        (Some(event), Some(data)) if violations.is_empty() => Ok(Incoming {
            event,
            id,
            data,
            hash,
        }),
        _ => Err(violations),
    }
}

/// Members that an event does not have. Their names are the caller's: no more than that there are some is said.
fn unknown(members: &Map<String, Value>) -> Option<Violation> {
    (!members.is_empty()).then(|| {
        let found = format!("{} more", members.len());
        violation("", "no members but `event`, `id` and `data`", found)
    })
}

/// The same for the same JSON, whatever the order of its members.
fn hash(value: &Value) -> String {
    hex::encode(Sha256::digest(value.to_string()))
}

fn violation(pointer: &str, expected: impl Into<String>, found: impl Into<String>) -> Violation {
    Violation {
        index: None,
        pointer: pointer.to_owned(),
        expected: expected.into(),
        found: found.into(),
    }
}

fn kind_of(value: Option<&Value>) -> &'static str {
    value.map_or("nothing", kind)
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

fn unreadable(detail: String) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "unreadable", detail)
}

#[cfg(test)]
mod tests;

//! Reads an answer: `data`, `errors`, and the status where a server uses it
//! (<https://graphql.github.io/graphql-over-http/draft/#sec-Response>).

use http::{StatusCode, header};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::code::{self, Meaning};
use crate::http::{Answer, retry_after, status_error};
use crate::source::Fetched;
use crate::{Error, ErrorKind, Stage, Verdict, Version};

/// Where things stand in an answer, and what may be missing.
pub(super) struct Reading {
    state: String,
    pub(super) version: Option<String>,
    pub(super) gone_codes: Vec<String>,
    pub(super) harmless: Vec<String>,
}

/// Whether the server took the hash for the query.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Persisted {
    Known,
    /// It wants to see the query once.
    Unknown,
    /// It takes no hashes.
    Refused,
}

/// An answer's body: an object with `data`, `errors` or both.
#[derive(Deserialize)]
struct Body {
    data: Option<Value>,
    #[serde(default)]
    errors: Option<Vec<Value>>,
}

/// Whether the server took the hash. The code is Apollo's; the exact text is what the protocol had before codes.
pub(super) fn persisted(answer: &Answer) -> Persisted {
    let errors = answer.json::<Body>().and_then(|body| body.errors);
    for error in errors.iter().flatten() {
        match (code::of(error), error.get("message").and_then(Value::as_str)) {
            (Some("PERSISTED_QUERY_NOT_FOUND"), _) | (None, Some("PersistedQueryNotFound")) => {
                return Persisted::Unknown;
            }
            (Some("PERSISTED_QUERY_NOT_SUPPORTED"), _) | (None, Some("PersistedQueryNotSupported")) => {
                return Persisted::Refused;
            }
            _ => {}
        }
    }
    Persisted::Known
}

impl Reading {
    pub(super) fn new(state: &str) -> Self {
        Self {
            state: state.to_owned(),
            version: None,
            gone_codes: Vec::new(),
            harmless: Vec::new(),
        }
    }

    pub(super) fn read(&self, answer: &Answer, now: Timestamp) -> Result<Fetched, Error> {
        // What a gateway answers in the server's stead says nothing about the entity.
        let is_servers = answer.status.is_success() || is_graphql(answer);
        let Some(Body { data, errors }) = answer.json() else {
            return Err(no_answer(answer, now));
        };
        let errors = errors.unwrap_or_default();
        let mut whole = serde_json::json!({"data": data.unwrap_or_default()});
        let state = whole.pointer(&self.state);
        let has_state = state.is_some_and(|state| !state.is_null());
        let (harmless, harmful): (Vec<_>, Vec<_>) = errors
            .iter()
            .partition(|error| has_state && self.is_harmless(error, &whole));
        if !harmful.is_empty() {
            let is_gone = |error: &&Value| self.meaning(error) == Meaning::Gone;
            if is_servers && !has_state && harmful.iter().all(is_gone) {
                return Ok(Fetched::gone());
            }
            return Err(self.failure(&harmful, answer, now));
        }
        if !answer.status.is_success() {
            return Err(no_answer(answer, now));
        }
        match state {
            Some(Value::Null) => return Ok(Fetched::gone()),
            Some(_) => {}
            None => return Err(no_answer(answer, now)),
        }
        for error in harmless {
            leave_out(&mut whole, error);
        }
        let state = whole
            .pointer_mut(&self.state)
            .map(Value::take)
            .unwrap_or_default();
        let version = self.version.as_ref().and_then(|at| state.pointer(at));
        let version = version.and_then(Version::from_json);
        Ok(Fetched::found(state, version))
    }

    fn meaning(&self, error: &Value) -> Meaning {
        Meaning::of(code::of(error), &self.gone_codes)
    }

    /// A field that may fail did, and nothing around it: a field that may not be null takes its parent with it. The failed
    /// one is null; some servers leave it out.
    fn is_harmless(&self, error: &Value, whole: &Value) -> bool {
        let Some(pointer) = pointer(error) else {
            return false;
        };
        let is_declared = |declared: &String| {
            let mut parts = declared.split('/').zip(pointer.split('/'));
            declared.split('/').count() == pointer.split('/').count()
                && parts.all(|(declared, found)| declared == "*" || declared == found)
        };
        let is_missing = |(parent, name)| {
            let fields = whole.pointer(parent).and_then(Value::as_object);
            fields.is_some_and(|fields| fields.get(name).is_none_or(Value::is_null))
        };
        self.harmless.iter().any(is_declared) && pointer.rsplit_once('/').is_some_and(is_missing)
    }

    fn failure(&self, errors: &[&Value], answer: &Answer, now: Timestamp) -> Error {
        let first = errors.iter().min_by_key(|error| self.meaning(error));
        let meaning = first.map_or(Meaning::Unknown, |error| self.meaning(error));
        if meaning == Meaning::Unknown && !answer.status.is_success() {
            return no_answer(answer, now);
        }
        let (kind, verdict, words) = meaning.failure();
        let after = retry_after(answer, now);
        let verdict = match verdict {
            Verdict::Retry { .. } => Verdict::Retry { after },
            other => other,
        };
        let error = Error::new(kind, verdict, Stage::Source, words);
        let error = match first.and_then(|first| code::of(first)) {
            Some(code) => error.code(code),
            None => error,
        };
        match first.and_then(|first| pointer(first)) {
            Some(pointer) => error.at(pointer),
            None => error,
        }
    }
}

/// The field at fault as a JSON Pointer into the answer; `None` if the error names none, or not by plain names.
fn pointer(error: &Value) -> Option<String> {
    let mut pointer = "/data".to_owned();
    let path = error.get("path")?.as_array()?;
    for segment in path {
        let is_name = |name: &str| {
            name.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        };
        let segment = match segment {
            Value::String(name) if is_name(name) => name.clone(),
            Value::Number(index) => index.as_u64()?.to_string(),
            _ => return None,
        };
        pointer.extend(["/", &segment]);
    }
    (!path.is_empty()).then_some(pointer)
}

/// Not mentioned is not the same as empty.
fn leave_out(whole: &mut Value, error: &Value) {
    let Some(pointer) = pointer(error) else {
        return;
    };
    if let Some((parent, name)) = pointer.rsplit_once('/')
        && let Some(Value::Object(fields)) = whole.pointer_mut(parent)
    {
        fields.remove(name);
    }
}

fn is_graphql(answer: &Answer) -> bool {
    let kind = answer.header(&header::CONTENT_TYPE).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/graphql-response+json")
}

/// An answer that says nothing of the entity. A status that would refuse the record behind a URL of its own refuses the
/// endpoint or the query here: somebody will mend it.
fn no_answer(answer: &Answer, now: Timestamp) -> Error {
    if answer.status.is_success() {
        let message = "expected a GraphQL answer with the entity in `data`, found something else";
        return Error::retry(ErrorKind::Unexpected, Stage::Source, message);
    }
    let error = status_error(Stage::Source, answer, now);
    if error.verdict() != Verdict::Permanent || answer.status == StatusCode::PAYLOAD_TOO_LARGE {
        return error;
    }
    let status = answer.status.as_u16();
    let message = format!("the endpoint or the query was refused: answered {status}");
    Error::retry(error.kind(), Stage::Source, message).code(status.to_string())
}

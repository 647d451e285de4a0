//! Reads an answer: the record, or an error
//! (<https://docs.oasis-open.org/odata/odata-json-format/v4.01/odata-json-format-v4.01.html#sec_ErrorResponse>).

use http::{StatusCode, header};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::client::Found;
use crate::ask;
use crate::http::{Answer, status_error};
use crate::source::is_plain_code;
use crate::{Error, ErrorKind, Stage, Verdict};

/// SAP's "No matching records found".
const NO_RECORD: &str = "-2028";

#[derive(Deserialize)]
struct Body {
    error: Failure,
}

#[derive(Deserialize)]
pub(super) struct Records {
    pub(super) value: Vec<Map<String, Value>>,
    #[serde(default, rename = "@odata.nextLink")]
    pub(super) next: Option<String>,
    #[serde(default, rename = "@odata.count", deserialize_with = "ask::total")]
    pub(super) total: Option<u64>,
}

/// `code` is a text; SAP's OData v3 has a number, some of its v4 answers, too.
#[derive(Deserialize)]
struct Failure {
    code: Code,
    message: Message,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Code {
    Number(i64),
    Text(String),
}

/// A text, and `{"lang": …, "value": …}` in OData v3.
#[derive(Deserialize)]
#[serde(untagged)]
enum Message {
    Text(String),
    InLanguage { value: String },
}

/// The record; `None` if the service says that it has none.
pub(super) fn read(answer: &Answer, is_whole: bool, now: Timestamp) -> Result<Option<Found>, Error> {
    if answer.status == StatusCode::OK {
        return record(answer, is_whole).map(Some);
    }
    let failure = Failure::of(answer);
    if failure.as_ref().is_some_and(|failure| failure.is_gone(answer)) {
        return Ok(None);
    }
    Err(not_read(answer, failure.as_ref(), now))
}

/// The records of a page, and the link to the next one.
pub(super) fn records(answer: &Answer, now: Timestamp) -> Result<Records, Error> {
    if answer.status != StatusCode::OK {
        return Err(not_read(answer, Failure::of(answer).as_ref(), now));
    }
    let Some(mut records) = answer.json::<Records>() else {
        let message = "expected a JSON object with records from the source, found something else";
        return Err(Error::retry(ErrorKind::Unexpected, Stage::Source, message));
    };
    records.value.iter_mut().for_each(leave_out_annotations);
    Ok(records)
}

fn not_read(answer: &Answer, failure: Option<&Failure>, now: Timestamp) -> Error {
    let error = refusal(Stage::Source, answer, failure, now);
    if error.verdict() != Verdict::Permanent || answer.status == StatusCode::PAYLOAD_TOO_LARGE {
        return error;
    }
    let message = format!("the request itself was refused: {}", error.message());
    let again = Error::retry(error.kind(), Stage::Source, message);
    match error.vendor_code() {
        Some(code) => again.code(code),
        None => again,
    }
}

/// Whether the record was changed.
pub(super) fn changed(answer: &Answer, stage: Stage, now: Timestamp) -> Result<(), Error> {
    if matches!(answer.status, StatusCode::OK | StatusCode::NO_CONTENT) {
        return Ok(());
    }
    let failure = Failure::of(answer);
    let error = refusal(stage, answer, failure.as_ref(), now);
    let Some(failure) = failure else { return Err(error) };
    let code = error.vendor_code().unwrap_or_default().to_owned();
    let words = failure.words();
    Err(if failure.is_gone(answer) {
        Error::permanent(ErrorKind::NotFound, stage, words).code(code)
    } else if answer.status == StatusCode::PRECONDITION_FAILED {
        Error::retry(ErrorKind::Conflict, stage, words).code(code)
    } else {
        error.reworded(words, code)
    })
}

/// What the status says, with the service's code instead of its own.
fn refusal(stage: Stage, answer: &Answer, failure: Option<&Failure>, now: Timestamp) -> Error {
    let error = status_error(stage, answer, now);
    match failure {
        Some(failure) => match failure.code() {
            Some(code) => error.code(code),
            None => error,
        },
        None if matches!(answer.status, StatusCode::NOT_FOUND | StatusCode::GONE) => {
            let status = answer.status.as_u16();
            let message =
                format!("expected an OData error with {status}, found something else: who answered there?");
            Error::retry(ErrorKind::NotFound, stage, message).code(status.to_string())
        }
        None => error,
    }
}

fn record(answer: &Answer, is_whole: bool) -> Result<Found, Error> {
    let Some(mut properties) = answer.json::<Map<String, Value>>() else {
        let message = "expected a JSON object from the source, found something else";
        return Err(Error::retry(ErrorKind::Unexpected, Stage::Source, message));
    };
    let in_body = properties.get("@odata.etag").and_then(Value::as_str);
    let in_body = in_body.filter(|_| is_whole);
    let etag = answer.header(&header::ETAG).or(in_body).map(str::to_owned);
    leave_out_annotations(&mut properties);
    let state = Value::Object(properties);
    Ok(Found { state, etag })
}

/// No property has an `@` in its name
/// (<https://docs.oasis-open.org/odata/odata-json-format/v4.01/odata-json-format-v4.01.html#sec_InstanceAnnotations>).
fn leave_out_annotations(properties: &mut Map<String, Value>) {
    properties.retain(|name, _| !name.contains('@'));
    for value in properties.values_mut() {
        match value {
            Value::Object(inner) => leave_out_annotations(inner),
            Value::Array(items) => items
                .iter_mut()
                .filter_map(Value::as_object_mut)
                .for_each(leave_out_annotations),
            _ => {}
        }
    }
}

impl Failure {
    fn of(answer: &Answer) -> Option<Self> {
        answer.json::<Body>().map(|body| body.error)
    }

    fn code(&self) -> Option<String> {
        match &self.code {
            Code::Number(code) => Some(code.to_string()),
            Code::Text(code) => is_plain_code(code).then(|| code.clone()),
        }
    }

    fn words(&self) -> &str {
        match &self.message {
            Message::Text(words) | Message::InLanguage { value: words } => words,
        }
    }

    fn is_gone(&self, answer: &Answer) -> bool {
        let code = self.code();
        let is_saps = code.as_deref().is_some_and(|code| code.starts_with('-'));
        if is_saps {
            return answer.status.is_client_error() && code.as_deref() == Some(NO_RECORD);
        }
        matches!(answer.status, StatusCode::NOT_FOUND | StatusCode::GONE)
    }
}

//! course-discovery's answers → verdicts.
//!
//! | status | body | kind | verdict |
//! |---|---|---|---|
//! | 301 | none: a slash is missing at the URL's end, and a body would be lost on the way | unexpected | permanent |
//! | 400 | `"text"`, or `{field: [texts]}` | refused | permanent |
//! | 401, 403 | `{detail}` | deauthorized | retry |
//! | 403 of a run | `"text"`, and the run is [in review](in_review) | refused | retry after an hour |
//! | 404 | `{detail}` | not found | retry |
//! | 405 | `{detail}`: the API has no such call | refused | permanent |
//! | 429 | `{detail}`; `Retry-After` | rate limited | retry |
//! | 5xx | a page | unavailable | unknown (503: retry) |
//!
//! Read from <https://github.com/openedx/course-discovery/tree/master/course_discovery/apps/api/v1/views> and
//! <https://www.django-rest-framework.org/api-guide/exceptions/>. The words are handed on and never judged: they depend on the
//! language and the database.

use std::time::Duration;

use http::StatusCode;
use jiff::Timestamp;
use serde_json::Value;
use vendorbridge::http::{Answer, status_error};
use vendorbridge::{Error, ErrorKind, Stage, Verdict};

/// A review is a person's work.
const REVIEW_LASTS: Duration = Duration::from_hours(1);

/// Where the vendor's fields stand in the state: below a pointer, and some under other names.
#[derive(Debug, Clone)]
pub(crate) struct Fields {
    pub(crate) below: String,
    /// The vendor's name → ours; a `/` leads into a field, and none of ours is the whole.
    pub(crate) renamed: &'static [(&'static str, &'static str)],
}

/// Success, or what the answer means.
pub(crate) fn check(answer: &Answer, now: Timestamp, fields: &Fields) -> Result<(), Error> {
    if answer.status.is_success() {
        Ok(())
    } else {
        Err(verdict(answer, now, fields))
    }
}

/// The run takes no changes for now. Nobody but the reviewers can mend that, and the vendor is well.
pub(crate) fn in_review() -> Error {
    let verdict = Verdict::Retry {
        after: Some(REVIEW_LASTS),
    };
    let message = "the run is in review: course-discovery takes no changes of it until that is over";
    Error::new(ErrorKind::Refused, verdict, Stage::Push, message)
        .code("in-review")
        .with_status(StatusCode::FORBIDDEN.as_u16())
}

/// A member of an answer that must be there: what was asked for was done all the same.
pub(crate) fn missing(member: &str) -> Error {
    let message = format!("expected `{member}` in the answer, found none");
    Error::new(ErrorKind::Unexpected, Verdict::Unknown, Stage::Push, message)
}

/// A failure of a call that must not be made twice. What was not sent, or was turned away at the door, did not happen; any other
/// answer may come from something before the application, which may have got the call all the same. It is not looked for at once:
/// it would not be visible yet.
pub(crate) fn unless_certain(error: Error) -> Error {
    let is_certain = matches!(error.kind(), ErrorKind::RateLimited | ErrorKind::Deauthorized);
    let Some(status) = error
        .status()
        .filter(|_| !is_certain && error.verdict() != Verdict::Permanent)
    else {
        return error;
    };
    let doubt = Error::new(error.kind(), Verdict::Unknown, error.stage(), error.message())
        .code(error.vendor_code().unwrap_or_default())
        .with_status(status);
    match error.retry_after() {
        Some(after) => doubt.not_before(after),
        None => doubt,
    }
}

fn verdict(answer: &Answer, now: Timestamp, fields: &Fields) -> Error {
    let status = answer.status;
    let code = status.as_u16();
    let said = answer
        .json::<Value>()
        .map(|body| Said::read(&body))
        .unwrap_or_default();
    let permanent = |kind| Error::permanent(kind, Stage::Push, format!("answered {code}")).with_status(code);
    let error = match status {
        StatusCode::MOVED_PERMANENTLY => {
            let message =
                "expected an answer, found a redirect: the URL of the call is not as the application has it";
            return permanent(ErrorKind::Unexpected).reworded(message, "301");
        }
        StatusCode::METHOD_NOT_ALLOWED => permanent(ErrorKind::Refused),
        _ => status_error(Stage::Push, answer, now),
    };
    let error = match said.words() {
        Some(words) => error.reworded(words, code.to_string()),
        None => error.code(code.to_string()),
    };
    let is_refusal = status == StatusCode::BAD_REQUEST;
    let is_field = |field: &&str| !matches!(*field, "detail" | "non_field_errors");
    let field = said.first_field().filter(|field| is_field(field) && is_refusal);
    // Fields are checked before anything is kept; a mere text may come from the middle of a call.
    let error = if field.is_some() {
        error.turned_away()
    } else {
        error
    };
    let pointer = said.first_field().and_then(|field| fields.pointer(field));
    match pointer.filter(|_| is_refusal) {
        Some(pointer) => error.at(pointer),
        None => error,
    }
}

impl Fields {
    /// Where the vendor's field stands in the state; `None` for what is no field.
    fn pointer(&self, field: &str) -> Option<String> {
        let (first, rest) = field.split_once('/').unwrap_or((field, ""));
        if matches!(first, "detail" | "non_field_errors") {
            return None;
        }
        let renamed = |name: &str| self.renamed.iter().find(|(theirs, _)| *theirs == name);
        let ours = match (renamed(field), renamed(first)) {
            (Some((_, whole)), _) => (*whole).to_owned(),
            (None, Some((_, first))) if rest.is_empty() => (*first).to_owned(),
            (None, Some((_, first))) => format!("{first}/{rest}"),
            (None, None) => field.to_owned(),
        };
        let slash = if ours.is_empty() { "" } else { "/" };
        Some(format!("{}{slash}{ours}", self.below))
    }
}

/// What a body says: each text with the field it is about.
#[derive(Default)]
struct Said(Vec<(String, String)>);

impl Said {
    fn read(body: &Value) -> Self {
        let mut said = Self::default();
        said.add("", body);
        said
    }

    fn add(&mut self, at: &str, value: &Value) {
        let below = |name: &str| match at {
            "" => name.to_owned(),
            at => format!("{at}/{name}"),
        };
        match value {
            Value::String(text) => self.0.push((at.to_owned(), text.clone())),
            Value::Object(fields) => {
                for (name, value) in fields {
                    self.add(&below(name), value);
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    match item {
                        Value::String(_) => self.add(at, item),
                        _ => self.add(&below(&index.to_string()), item),
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn first_field(&self) -> Option<&str> {
        self.0
            .first()
            .map(|(field, _)| field.as_str())
            .filter(|field| !field.is_empty())
    }

    /// One text as it is, several with the fields that they are about.
    fn words(&self) -> Option<String> {
        match self.0.as_slice() {
            [] => None,
            [(_, text)] => Some(text.clone()),
            several => {
                let each = several.iter().map(|(field, text)| match field.as_str() {
                    "" => text.clone(),
                    field => format!("{field}: {text}"),
                });
                Some(each.collect::<Vec<_>>().join("; "))
            }
        }
    }
}

#[cfg(test)]
mod tests;

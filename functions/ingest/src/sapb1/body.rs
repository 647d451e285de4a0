//! A body, whatever its form: its events, or all that is wrong with it. Pure.

use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use serde_json::Value;

use super::check::{Checks, Expected, Place, quoted, shown};
use super::object::ObjectChanged;
use super::{b1event, notice, xml};
use crate::problem::{Problem, Violation};

/// More events in one body are refused.
pub(crate) const MAX_EVENTS: usize = 100;

/// What `Content-Type` says of the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Json,
    Xml,
}

/// What a body's events are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Events of the B1 Integration Framework.
    B1Event,
    /// Rows of the post-transaction notice.
    Notice,
}

impl Format {
    /// The format that these headers name. It is never guessed.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let header = headers.get(CONTENT_TYPE).and_then(|header| header.to_str().ok());
        let (essence, parameters) =
            header.map_or(("", ""), |text| text.split_once(';').unwrap_or((text, "")));
        let essence = essence.trim().to_ascii_lowercase();
        let charset = parameters.split(';').find_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            let is_charset = name.trim().eq_ignore_ascii_case("charset");
            is_charset.then(|| value.trim().trim_matches('"').to_ascii_lowercase())
        });
        let is_utf8 = charset.is_none_or(|charset| charset == "utf-8" || charset == "us-ascii");
        match essence.as_str() {
            _ if !is_utf8 => {}
            "application/json" => return Ok(Self::Json),
            "application/xml" | "text/xml" => return Ok(Self::Xml),
            suffix if suffix.ends_with("+json") => return Ok(Self::Json),
            suffix if suffix.ends_with("+xml") => return Ok(Self::Xml),
            _ => {}
        }
        let detail =
            "expected `Content-Type: application/json` or `application/xml` in UTF-8, found another or none";
        Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "media-type",
            detail,
        ))
    }
}

/// The events of a body.
pub(crate) fn read(
    format: Format,
    bytes: &[u8],
    expected: &Expected<'_>,
) -> Result<Vec<ObjectChanged>, Problem> {
    let malformed = |detail: String| Problem::new(StatusCode::BAD_REQUEST, "malformed", detail);
    let text = std::str::from_utf8(bytes).map_err(|error| {
        malformed(format!(
            "expected UTF-8, found another byte at {}",
            error.valid_up_to()
        ))
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let body = match format {
        // The reader's own limit is a depth of 128.
        Format::Json => serde_json::from_str(text).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            malformed(format!(
                "expected JSON, found something else at line {line}, column {column}"
            ))
        })?,
        Format::Xml => xml::value(text).map_err(|error| malformed(error.to_string()))?,
    };
    events(&body, expected).map_err(Problem::violations)
}

/// The events of a body, or everything that is wrong with them.
pub(super) fn events(body: &Value, expected: &Expected<'_>) -> Result<Vec<ObjectChanged>, Vec<Violation>> {
    let (kind, places) = places(body).map_err(|violation| vec![violation])?;
    let of_query = company_of_query(kind, expected);
    if !(1..=MAX_EVENTS).contains(&places.len()) {
        let expected = format!("1 to {MAX_EVENTS} events");
        return Err(vec![whole(&expected, places.len().to_string())]);
    }
    let mut checks = Checks::new(expected);
    checks.violations.extend(of_query);
    let read = match kind {
        Kind::B1Event => b1event::read,
        Kind::Notice => notice::read,
    };
    let events: Vec<_> = places.iter().map(|place| read(place, &mut checks)).collect();
    if checks.violations.is_empty() {
        return Ok(events.into_iter().flatten().collect());
    }
    Err(checks.violations)
}

/// What is wrong with the query's company; a notice names none itself.
fn company_of_query(kind: Kind, expected: &Expected<'_>) -> Option<Violation> {
    match expected.company {
        Some(name) if !expected.companies.iter().any(|company| company == name) => {
            let expected = "a company whose events are taken here, as `company` in the query";
            Some(whole(expected, quoted(name)))
        }
        None if kind == Kind::Notice => Some(whole("`company` in the query", "nothing")),
        _ => None,
    }
}

fn places(body: &Value) -> Result<(Kind, Vec<Place<'_>>), Violation> {
    let root = |value| Place {
        index: 0,
        pointer: String::new(),
        value,
    };
    let expected = "`b1events`, or rows of the post-transaction notice";
    match body {
        Value::Array(_) => Ok((
            Kind::Notice,
            numbered(b1event::items(&root(body), "").unwrap_or_default()),
        )),
        Value::Object(members) => {
            let found = members
                .iter()
                .find(|(key, _)| key.eq_ignore_ascii_case("b1events"));
            let Some((key, value)) = found else {
                return Ok((Kind::Notice, vec![root(body)]));
            };
            let all = root(body).below(key, value);
            match b1event::items(&all, "b1event") {
                Some(places) => Ok((Kind::B1Event, numbered(places))),
                None if value.is_object() => Ok((Kind::B1Event, vec![all])),
                None => Err(whole(expected, shown(value))),
            }
        }
        other => Err(whole(expected, shown(other))),
    }
}

fn numbered(mut places: Vec<Place<'_>>) -> Vec<Place<'_>> {
    for (index, place) in places.iter_mut().enumerate() {
        place.index = index;
    }
    places
}

/// Something is wrong with the request as a whole.
fn whole(expected: &str, found: impl Into<String>) -> Violation {
    Violation {
        index: None,
        pointer: String::new(),
        expected: expected.to_owned(),
        found: found.into(),
    }
}

#[cfg(test)]
mod tests;

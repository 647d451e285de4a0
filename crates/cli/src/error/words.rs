//! What errors are put together from: codes, lists, causes, each on one line.

use std::error::Error;
use std::fmt::Write;

/// Kind and code behind an error's words.
pub(super) fn coded(kind: vendorbridge::ErrorKind, code: Option<&str>) -> String {
    match code {
        Some(code) => format!(" ({}, {code})", kind.name()),
        None => format!(" ({})", kind.name()),
    }
}

/// An event that the bus did not accept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsent {
    /// File and event.
    pub place: String,
    /// AWS's code.
    pub code: String,
    /// AWS's words.
    pub message: String,
}

/// More than this is no line any more.
const NAMED: usize = 3;

pub(super) fn unsent(sent: usize, missing: &[Unsent]) -> String {
    let total = sent + missing.len();
    let mut text = format!(
        "expected the bus to accept {total} events, found {} refused after retries: ",
        missing.len()
    );
    for (index, event) in missing.iter().take(NAMED).enumerate() {
        let comma = if index > 0 { ", " } else { "" };
        _ = write!(text, "{comma}{} ({}: {})", event.place, event.code, event.message);
    }
    if missing.len() > NAMED {
        _ = write!(text, " and {} more", missing.len() - NAMED);
    }
    _ = write!(text, "; the other {sent} were sent");
    text
}

/// An error with what is behind it, on one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    one_line(&text)
}

/// Errors are one line, whatever the other side wrote.
pub(crate) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

//! What goes to the screen: tables for people, JSON for programs. Only a terminal gets colours, so a pipe gets the same text.

use std::fmt::Write as _;
use std::io::{ErrorKind, Write};

use anstyle::AnsiColor;
use comfy_table::{ContentArrangement, LineStyle, Table, TableStyle};
use jiff::Timestamp;
use serde::Serialize;
use vendorbridge::ledger::Unreadable;

use crate::args::Global;
use crate::{CliError, Outcome};

/// Narrower than this, tables become unreadable.
pub(crate) const MIN_WIDTH: u16 = 111;

/// A rule under the header, nothing else.
const STYLE: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// Good, waiting and bad news, as a word on its own.
const GOOD: [&str; 3] = ["SYNCED", "DELETED", "OK"];
const WAITING: [&str; 2] = ["PARKED", "WARNING"];
const BAD: [&str; 3] = ["REJECTED", "DEAD", "FAULT"];

/// Prints a command's answer. A reader that has seen enough (`| head`) is no failure.
///
/// Colours go to a terminal only, and not there if `NO_COLOR` is set (<https://no-color.org>).
///
/// # Errors
/// [`CliError::Output`] if standard output takes nothing.
pub fn print(text: &str) -> Result<(), CliError> {
    print_while_read(text).map(|_| ())
}

/// [`print`]s a part of an answer. `false`: nobody reads on.
///
/// # Errors
/// [`CliError::Output`] if standard output takes nothing.
pub(crate) fn print_while_read(text: &str) -> Result<bool, CliError> {
    let mut stdout = anstream::AutoStream::auto(std::io::stdout().lock());
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    match written {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(CliError::Output(error)),
    }
}

/// The text without anything that drives a terminal: what a vendor or a person wrote may hold it.
#[must_use]
pub fn harmless(text: &str) -> String {
    // Control characters, and what reorders the text: embeddings, overrides and isolates.
    let drives = |char: char| {
        (char.is_control() && char != '\n')
            || matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars()
        .map(|char| {
            if drives(char) {
                char::REPLACEMENT_CHARACTER
            } else {
                char
            }
        })
        .collect()
}

/// The [`harmless`] text with its statuses in colour. It is laid out before that: colours take no room.
#[must_use]
pub(crate) fn paint(text: &str) -> String {
    let text = harmless(text);
    let mut painted = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(start) = rest.find(|char: char| char.is_ascii_uppercase()) {
        let (before, from) = rest.split_at(start);
        let is_part = before.ends_with(|char: char| char.is_alphanumeric() || "_-/".contains(char));
        let end = from.find(|char: char| !char.is_alphanumeric() && !"_-/".contains(char));
        let (word, after) = from.split_at(end.unwrap_or(from.len()));
        painted.push_str(before);
        match color(word).filter(|_| !is_part) {
            Some(color) => {
                let style = color.on_default();
                _ = write!(painted, "{style}{word}{style:#}");
            }
            None => painted.push_str(word),
        }
        rest = after;
    }
    painted.push_str(rest);
    painted
}

fn color(word: &str) -> Option<AnsiColor> {
    match word {
        word if GOOD.contains(&word) => Some(AnsiColor::Green),
        word if WAITING.contains(&word) => Some(AnsiColor::Yellow),
        word if BAD.contains(&word) => Some(AnsiColor::Red),
        _ => None,
    }
}

/// A report in the form that was asked for: as JSON, or as its `text` of a width for people.
///
/// # Errors
/// [`CliError::Json`] if the report has no JSON form.
pub fn answer<T: Serialize>(
    global: &Global,
    report: &T,
    text: impl Fn(&T, u16) -> String,
) -> Result<Outcome, CliError> {
    if global.json {
        json(report).map(Outcome::from)
    } else {
        Ok(Outcome::for_people(&text(report, global.width)))
    }
}

/// Indented JSON with a line end.
///
/// # Errors
/// [`CliError::Json`] if the value has no JSON form.
pub fn json(value: &impl Serialize) -> Result<String, CliError> {
    let mut text = serde_json::to_string_pretty(value).map_err(CliError::Json)?;
    text.push('\n');
    Ok(text)
}

/// A table with this header, at most `width` columns wide: long texts wrap.
#[must_use]
pub fn table(header: &[&str], width: u16) -> Table {
    let mut table = Table::new();
    table
        .load_style(STYLE)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(width.max(MIN_WIDTH))
        .set_header(header.to_vec());
    table
}

/// A table as text, with a line end and without blanks at the ends of lines.
#[must_use]
pub fn lines(table: &Table) -> String {
    let mut text = String::new();
    for line in table.lines() {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// A time for a table: UTC, whole seconds.
#[must_use]
pub fn time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// A duration of so many milliseconds, as people say it: `41 ms`, `1.2 s`, `3m 20s`, `2h 5m`, `3d 4h`.
#[must_use]
pub fn duration(ms: u64) -> String {
    let seconds = ms / 1000;
    match (ms, seconds) {
        (0..1_000, _) => format!("{ms} ms"),
        (1_000..60_000, _) => format!("{seconds}.{} s", ms % 1000 / 100),
        (_, 60..3_600) => format!("{}m {}s", seconds / 60, seconds % 60),
        (_, 3_600..86_400) => format!("{}h {}m", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{}d {}h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

/// Which records of events are left out because they cannot be read; empty if all can be.
#[must_use]
pub(crate) fn unreadable(found: &Unreadable) -> String {
    let records = match found.count {
        0 => return String::new(),
        1 => "1 event record".to_owned(),
        count => format!("{count} event records"),
    };
    let more = match found.count.saturating_sub(found.keys.len() as u64) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!(
        "{records} not readable, and left out: {}{more}\n",
        found.keys.join(", ")
    )
}

/// What a table shows where there is nothing.
#[must_use]
pub fn or_dash(text: Option<&str>) -> &str {
    text.unwrap_or("-")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("a SYNCED b", "a \u{1b}[32mSYNCED\u{1b}[0m b")]
    #[case("PARKED until", "\u{1b}[33mPARKED\u{1b}[0m until")]
    #[case("REJECTED, DEAD", "\u{1b}[31mREJECTED\u{1b}[0m, \u{1b}[31mDEAD\u{1b}[0m")]
    #[case(
        "order/DEAD UNDEAD DEADLINE DEAD-LETTER xDEAD",
        "order/DEAD UNDEAD DEADLINE DEAD-LETTER xDEAD"
    )]
    #[case("é\u{1b}[31mDEAD\r\u{202e}\n", "é\u{fffd}[31mDEAD\u{fffd}\u{fffd}\n")]
    #[case("\u{2066}a\u{2067}\u{2068}b\u{2069}", "\u{fffd}a\u{fffd}\u{fffd}b\u{fffd}")]
    fn only_statuses_are_coloured(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(paint(text), expected);
    }

    #[rstest]
    #[case(0, &[], "")]
    #[case(1, &["a/1#t#e"], "1 event record not readable, and left out: a/1#t#e\n")]
    #[case(5, &["a/1", "a/2"], "5 event records not readable, and left out: a/1, a/2 and 3 more\n")]
    fn what_cannot_be_read_is_counted_and_named(
        #[case] count: u64,
        #[case] keys: &[&str],
        #[case] expected: &str,
    ) {
        let keys = keys.iter().map(|key| (*key).to_owned()).collect();
        assert_eq!(unreadable(&Unreadable { count, keys }), expected);
    }

    #[rstest]
    #[case(41, "41 ms")]
    #[case(1_299, "1.2 s")]
    #[case(200_000, "3m 20s")]
    #[case(7_500_000, "2h 5m")]
    #[case(273_600_000, "3d 4h")]
    fn durations_have_two_units_at_most(#[case] ms: u64, #[case] expected: &str) {
        assert_eq!(duration(ms), expected);
    }
}

//! What goes to the screen: tables for people, JSON for programs. Nothing is coloured, so a pipe gets the same.

use std::io::{ErrorKind, Write};

use comfy_table::{ContentArrangement, LineStyle, Table, TableStyle};
use jiff::Timestamp;
use serde::Serialize;

use crate::CliError;

/// Narrower than this, tables become unreadable.
pub(crate) const MIN_WIDTH: u16 = 111;

/// A rule under the header, nothing else.
const STYLE: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// Prints a command's answer. A reader that has seen enough (`| head`) is no failure.
///
/// # Errors
/// [`CliError::Output`] if standard output takes nothing.
pub fn print(text: &str) -> Result<(), CliError> {
    let mut stdout = std::io::stdout().lock();
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(CliError::Output(error)),
        _ => Ok(()),
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

/// What a table shows where there is nothing.
#[must_use]
pub fn or_dash(text: Option<&str>) -> &str {
    text.unwrap_or("-")
}

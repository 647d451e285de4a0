//! The row of an import, for what course-discovery's API cannot write.

use serde_json::{Map, Value};

use super::apply::Reading;
use super::change::Refused;
use super::load::ShapeError;
use super::reader::text_of;
use super::rule::Rule;

/// The row with these columns. What is not there is an empty text.
pub(super) fn read(columns: &[(String, Rule)], reading: &mut Reading<'_>) -> Refused {
    let whole = reading.whole();
    let texts: Vec<_> = columns
        .iter()
        .map(|(_, rule)| {
            let made = reading.apply(rule, &whole);
            made.map_or_else(String::new, |(value, _)| match value {
                Value::String(text) => text,
                other => text_of(&other).unwrap_or_default(),
            })
        })
        .collect();
    let row: Map<_, _> = columns
        .iter()
        .zip(&texts)
        .map(|((name, _), text)| (name.clone(), Value::String(text.clone())))
        .collect();
    match csv(columns, &texts) {
        Ok(csv) => Refused::ReadOnly {
            row: Value::Object(row),
            csv,
        },
        Err(error) => Refused::Broken(ShapeError {
            file: String::new(),
            pointer: String::new(),
            expected: "columns of a CSV file".to_owned(),
            found: error,
        }),
    }
}

/// The texts are data for an importer, not for a spreadsheet: none is changed, whatever it begins with.
fn csv(columns: &[(String, Rule)], texts: &[String]) -> Result<String, String> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    writer
        .write_record(columns.iter().map(|(name, _)| name))
        .and_then(|()| writer.write_record(texts))
        .map_err(|error| error.to_string())?;
    let bytes = writer.into_inner().map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map_err(|error| error.to_string())
}

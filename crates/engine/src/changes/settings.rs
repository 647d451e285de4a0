//! What `functions/changes` is configured with.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::outcome::{OUTCOME_SOURCE, OUTCOMES};
use crate::config::{ConfigError, Lookup, required};

/// The longest detail type, and the longest source, that `PutEvents` takes.
const MAX_NAME_CHARS: usize = 128;

/// The environment of `functions/changes`.
#[derive(Debug, Clone)]
pub struct ChangesConfig {
    /// `BUS_NAME`: where events go.
    pub bus: String,
    /// `FAILURE_QUEUE_URL`: where goes what cannot be published.
    pub failure_queue_url: String,
    /// `LEDGER_TABLE`: the table whose stream tells outcomes.
    pub ledger_table: String,
    /// `STREAMS`: the other tables.
    pub streams: Vec<Stream>,
}

/// A table whose changes are announced.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stream {
    /// The table's name.
    pub table: String,
    /// The EventBridge source of the events.
    pub source: String,
    /// Their detail type.
    pub detail_type: String,
    /// The entity's id, of the item's key attributes: `{pk}`, `{pk}/{sk}`. Without it the event has the keys only.
    #[serde(default)]
    pub id: Option<IdTemplate>,
    /// Whether items that DynamoDB deletes at the end of their time to live are passed over.
    #[serde(default)]
    pub ignore_ttl_deletes: bool,
}

/// A text with key attributes in braces.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct IdTemplate(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Key(String),
}

impl ChangesConfig {
    /// Reads the variables from `lookup`.
    ///
    /// # Errors
    /// [`ConfigError`] names the first variable that cannot be used.
    pub fn read(lookup: Lookup<'_>) -> Result<Self, ConfigError> {
        let ledger_table = required(lookup, "LEDGER_TABLE", "the name of the ledger's table")?;
        let streams = streams(
            &lookup("STREAMS").unwrap_or_else(|| "[]".to_owned()),
            &ledger_table,
        )?;
        Ok(Self {
            bus: required(lookup, "BUS_NAME", "the name of the bus")?,
            failure_queue_url: required(lookup, "FAILURE_QUEUE_URL", "the URL of the failure queue")?,
            ledger_table,
            streams,
        })
    }
}

fn streams(json: &str, ledger_table: &str) -> Result<Vec<Stream>, ConfigError> {
    let invalid = |expected: &str, found: String| ConfigError::new("STREAMS", expected, found);
    let mut reader = serde_json::Deserializer::from_str(json);
    let streams: Vec<Stream> = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let expected = "a JSON list of tables, each with `table`, `source` and `detail_type`";
        let found = match error.path().to_string() {
            path if path == "." => error.inner().to_string(),
            path => format!("at `{path}`: {}", error.inner()),
        };
        invalid(expected, found)
    })?;
    reader
        .end()
        .map_err(|_| invalid("one JSON list", "more behind it".to_owned()))?;
    for (number, stream) in streams.iter().enumerate() {
        let at = |field: &str| format!("`[{number}].{field}`");
        for (field, text) in [("source", &stream.source), ("detail_type", &stream.detail_type)] {
            let chars = text.chars().count();
            if !(1..=MAX_NAME_CHARS).contains(&chars) {
                return Err(invalid(
                    "a name of 1 to 128 characters",
                    format!("{chars} at {}", at(field)),
                ));
            }
        }
        if stream.source.starts_with("aws.") || stream.source == OUTCOME_SOURCE {
            let expected =
                "a source that is neither reserved (`aws.…`) nor that of outcomes (`vendorbridge`)";
            return Err(invalid(
                expected,
                format!("`{}` at {}", stream.source, at("source")),
            ));
        }
        if OUTCOMES.contains(&stream.detail_type.as_str()) {
            let found = format!("`{}` at {}", stream.detail_type, at("detail_type"));
            return Err(invalid("a detail type that is not an outcome's", found));
        }
        let is_twice = streams[..number].iter().any(|other| other.table == stream.table);
        if stream.table.is_empty() || stream.table == ledger_table || is_twice {
            let expected = "each table once, and not the ledger's";
            return Err(invalid(
                expected,
                format!("`{}` at {}", stream.table, at("table")),
            ));
        }
    }
    Ok(streams)
}

impl TryFrom<String> for IdTemplate {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        const EXPECTED: &str = "expected a text with at least one key attribute in braces, such as `{pk}`";
        let mut parts = Vec::new();
        let mut rest = text.as_str();
        while let Some(open) = rest.find(['{', '}']) {
            let (before, behind) = rest.split_at(open);
            let (name, after) = behind
                .strip_prefix('{')
                .and_then(|rest| rest.split_once('}'))
                .ok_or(EXPECTED)?;
            if name.is_empty() || name.contains('{') {
                return Err(EXPECTED);
            }
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            parts.push(Part::Key(name.to_owned()));
            rest = after;
        }
        if parts.is_empty() {
            return Err(EXPECTED);
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self(parts))
    }
}

impl IdTemplate {
    /// The id of the item with these keys.
    pub(super) fn fill(&self, keys: &Map<String, Value>) -> Result<String, String> {
        let mut id = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => id.push_str(text),
                Part::Key(name) => match keys.get(name) {
                    Some(Value::String(text)) => id.push_str(text),
                    Some(number) => id.push_str(&number.to_string()),
                    None => return Err(format!("expected a key attribute `{name}`, found none")),
                },
            }
        }
        Ok(id)
    }
}

//! What this function is configured with.

use std::collections::BTreeMap;

use serde::Deserialize;
use vendorbridge::config::{ConfigError, Lookup, ledger_table, number, partitions, required};
use vendorbridge::lane::Partitions;

use crate::lines::Shapes;

/// The longest name of a company's database.
const MAX_COMPANY: usize = 128;

/// The longest name of a line.
const MAX_LINE: usize = 40;

/// The longest key of an organization.
const MAX_ORGANIZATION: usize = 64;

/// A line of business.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineConfig {
    /// The shape of its data: the name of a file in `functions/ingest/lines`.
    pub shape: String,
    /// Who may write it: ARNs of roles and users, `jwt:` and the id of a client, `jwt-sub:` and a subject.
    pub callers: Vec<String>,
    /// The organizations that its products may belong to: its name for each, and the vendor's key.
    pub organizations: BTreeMap<String, String>,
}

/// The environment of `functions/ingest`.
#[derive(Debug, Clone)]
pub struct IngestConfig {
    /// `BUS_NAME`: where events go.
    pub bus: String,
    /// `INGEST_SECRET`: name or ARN of the secret that callers are checked against.
    pub secret_id: String,
    /// `SAPB1_COMPANIES`: the databases whose events are taken, comma-separated. Empty: none is.
    pub companies: Vec<String>,
    /// `LINES`: the lines of business that may send events; empty: none may.
    pub lines: BTreeMap<String, LineConfig>,
    /// `LEDGER_TABLE`: the ledger's table.
    pub table: String,
    /// `DISCOVERY_QUEUE_URL`: the queue of the vendor that products go to; without it none is taken.
    pub queue_url: Option<String>,
    /// `DISCOVERY_PARTITIONS`: how many queues share its entities.
    pub partitions: Partitions,
    /// `INGEST_CALLS_PER_10_SECONDS`: how many calls and events one caller may send.
    pub calls_per_window: u32,
    /// `EVENT_TTL_DAYS`: how long a request is remembered.
    pub ttl_days: u32,
}

impl IngestConfig {
    /// Reads the variables from `lookup`.
    ///
    /// # Errors
    /// [`ConfigError`] names the first variable that cannot be used.
    pub fn read(lookup: Lookup<'_>) -> Result<Self, ConfigError> {
        Ok(Self {
            bus: required(lookup, "BUS_NAME", "the name of the bus")?,
            secret_id: required(lookup, "INGEST_SECRET", "the name or ARN of the callers' secret")?,
            companies: companies(&lookup("SAPB1_COMPANIES").unwrap_or_default())?,
            lines: lines(&lookup("LINES").unwrap_or_default())?,
            table: ledger_table(lookup)?,
            queue_url: lookup("DISCOVERY_QUEUE_URL").filter(|url| !url.is_empty()),
            partitions: partitions(lookup, "DISCOVERY_PARTITIONS")?,
            calls_per_window: number(lookup, "INGEST_CALLS_PER_10_SECONDS", 100, 100, 100_000)?,
            ttl_days: number(lookup, "EVENT_TTL_DAYS", 90, 1, 3650)?,
        })
    }
}

/// An empty text is no line, as a template's parameter without a value is.
fn lines(text: &str) -> Result<BTreeMap<String, LineConfig>, ConfigError> {
    if text.trim().is_empty() {
        return Ok(BTreeMap::new());
    }
    let wrong = |found: String| {
        let expected = "a JSON object of lines, each with `shape`, `callers` and `organizations`";
        ConfigError::new("LINES", expected, found)
    };
    let lines: BTreeMap<String, LineConfig> =
        serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
    for (name, line) in &lines {
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let begins = name.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
        if !begins || name.len() > MAX_LINE || !name.bytes().all(is_plain) {
            return Err(wrong(format!(
                "the name `{name}`: expected at most {MAX_LINE} of a-z, 0-9 and `-`"
            )));
        }
        let kinds = ["arn:", "jwt:", "jwt-sub:"];
        let is_caller = |caller: &String| kinds.iter().any(|kind| caller.starts_with(kind));
        if !line.callers.iter().all(is_caller) {
            return Err(wrong(format!(
                "a caller of `{name}` that is none of `arn:…`, `jwt:…` and `jwt-sub:…`"
            )));
        }
        let is_key = |key: &String| {
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
            (1..=MAX_ORGANIZATION).contains(&key.len()) && key.bytes().all(is_plain)
        };
        if !line.organizations.values().all(is_key) {
            return Err(wrong(format!(
                "an organization of `{name}` that is no key of letters, digits and `._-`"
            )));
        }
        let shapes = Shapes::shipped().map_err(|error| wrong(error.to_string()))?;
        if shapes.get(&line.shape).is_none() {
            return Err(wrong(format!(
                "the shape `{}` of `{name}`, which there is not",
                line.shape
            )));
        }
    }
    Ok(lines)
}

fn companies(text: &str) -> Result<Vec<String>, ConfigError> {
    let is_name = |name: &&str| name.len() <= MAX_COMPANY && name.chars().all(|c| !c.is_control());
    let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
    names
        .map(|name| Some(name).filter(is_name).map(str::to_owned))
        .collect::<Option<_>>()
        .ok_or_else(|| {
            let expected =
                format!("names of databases, comma-separated, each of at most {MAX_COMPANY} bytes");
            ConfigError::new("SAPB1_COMPANIES", expected, "another text")
        })
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use rstest::rstest;

    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<IngestConfig, ConfigError> {
        let variables: HashMap<_, _> = variables.iter().copied().collect();
        IngestConfig::read(&|name| variables.get(name).map(|value| (*value).to_owned()))
    }

    #[rstest]
    #[case("SBODEMOUS", &["SBODEMOUS"])]
    #[case(" SBODEMOUS, SBO_DE ,", &["SBODEMOUS", "SBO_DE"])]
    #[case("", &[])]
    fn companies_are_separated_by_commas(#[case] text: &str, #[case] names: &[&str]) {
        let config = read(&[
            ("BUS_NAME", "b"),
            ("INGEST_SECRET", "s"),
            ("SAPB1_COMPANIES", text),
            ("LEDGER_TABLE", "t"),
        ])
        .unwrap();
        assert_eq!(config.companies, names);
    }

    const LINE: &str =
        r#"{"shape":"canonical","callers":["arn:aws:iam::1:role/acme"],"organizations":{"A":"ACME"}}"#;

    #[test]
    fn lines_are_json() {
        let lines = lines(&format!(r#"{{"acme":{LINE}}}"#)).unwrap();
        assert_eq!(lines["acme"].organizations["A"], "ACME");
        assert!(super::lines("").unwrap().is_empty());
        assert!(super::lines("{}").unwrap().is_empty());
    }

    #[rstest]
    #[case("[]", "sequence")]
    #[case(&format!(r#"{{"Acme":{LINE}}}"#), "the name `Acme`")]
    #[case(&format!(r#"{{"a#b":{LINE}}}"#), "the name `a#b`")]
    #[case(&format!(r#"{{"acme":{}}}"#, LINE.replace("arn:aws", "*")), "a caller of `acme`")]
    #[case(&format!(r#"{{"acme":{}}}"#, LINE.replace("ACME", "A+B")), "an organization of `acme`")]
    #[case(&format!(r#"{{"acme":{}}}"#, LINE.replace("canonical", "round")), "the shape `round`")]
    #[case(&format!(r#"{{"acme":{}}}"#, LINE.replace("shape", "form")), "unknown field `form`")]
    fn lines_that_cannot_be_used(#[case] text: &str, #[case] found: &str) {
        let error = lines(text).unwrap_err();
        assert!(error.found.contains(found), "{error}");
    }

    #[rstest]
    #[case(&[("INGEST_SECRET", "s")], "BUS_NAME")]
    #[case(&[("BUS_NAME", "b"), ("INGEST_SECRET", " ")], "INGEST_SECRET")]
    #[case(&[("BUS_NAME", "b"), ("INGEST_SECRET", "s"), ("SAPB1_COMPANIES", "A\nB")], "SAPB1_COMPANIES")]
    fn what_cannot_be_used_is_named(#[case] variables: &[(&str, &str)], #[case] variable: &str) {
        assert_eq!(read(variables).unwrap_err().variable, variable);
    }
}

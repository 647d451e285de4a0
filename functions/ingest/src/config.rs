//! What this function is configured with.

use vendorbridge::config::{ConfigError, Lookup, required};

/// The longest name of a company's database.
const MAX_COMPANY: usize = 128;

/// The environment of `functions/ingest`.
#[derive(Debug, Clone)]
pub struct IngestConfig {
    /// `BUS_NAME`: where events go.
    pub bus: String,
    /// `INGEST_SECRET`: name or ARN of the secret that callers are checked against.
    pub secret_id: String,
    /// `SAPB1_COMPANIES`: the databases whose events are taken, comma-separated. Empty: none is.
    pub companies: Vec<String>,
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
        })
    }
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
        ])
        .unwrap();
        assert_eq!(config.companies, names);
    }

    #[rstest]
    #[case(&[("INGEST_SECRET", "s")], "BUS_NAME")]
    #[case(&[("BUS_NAME", "b"), ("INGEST_SECRET", " ")], "INGEST_SECRET")]
    #[case(&[("BUS_NAME", "b"), ("INGEST_SECRET", "s"), ("SAPB1_COMPANIES", "A\nB")], "SAPB1_COMPANIES")]
    fn what_cannot_be_used_is_named(#[case] variables: &[(&str, &str)], #[case] variable: &str) {
        assert_eq!(read(variables).unwrap_err().variable, variable);
    }
}

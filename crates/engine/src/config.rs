//! A function's configuration: read once from the environment, checked, and named by variable when it is wrong.

use std::time::Duration;

use serde::de::DeserializeOwned;
use url::Url;

use crate::http::HttpOptions;
use crate::lane::Partitions;
use crate::ledger::KeepSent;
use crate::park::Backoff;

/// A variable that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{variable}: expected {expected}, found {found}")]
pub struct ConfigError {
    /// The environment variable.
    pub variable: String,
    /// What it should look like.
    pub expected: String,
    /// What it is; never the value of a secret.
    pub found: String,
}

impl ConfigError {
    /// `variable` is not what it should be.
    pub fn new(variable: &str, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self {
            variable: variable.to_owned(),
            expected: expected.into(),
            found: found.into(),
        }
    }
}

/// Where variables come from: the environment, or a test's table.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What every vendor function is configured with. It holds no secret, only the secret's name.
#[derive(Debug, Clone)]
pub struct Config {
    /// `VENDOR`: the vendor's name; part of every ledger key.
    pub vendor: String,
    /// `QUEUE_URL`: the vendor's queue, which is its first partition.
    pub queue_url: String,
    /// `PARTITIONS`: how many queues share the vendor's entities.
    pub partitions: Partitions,
    /// `LEDGER_TABLE`: the ledger's table.
    pub ledger_table: String,
    /// `VENDOR_SECRET`: name or ARN of the vendor's one secret.
    pub secret_id: String,
    /// `VENDOR_SETTINGS`: the vendor's own settings, a JSON object.
    pub settings: String,
    /// `MAX_IN_FLIGHT`: how many entities one invocation works on at once.
    pub max_in_flight: usize,
    /// `PARK_BASE_SECONDS`, `PARK_CAP_SECONDS`, `PARK_HORIZON_HOURS`: when a failed entity is tried again.
    pub backoff: Backoff,
    /// `EVENT_TTL_DAYS`: how long event records are kept.
    pub event_ttl_days: u32,
    /// `KEEP_SENT`: what the ledger keeps of what was sent last: `fields` (hashes), `values` or `none`.
    pub keep_sent: KeepSent,
    /// `ALLOW_PLAIN_HTTP`: whether `http://` URLs may be called. For local development.
    pub allow_plain_http: bool,
    /// `ALLOW_PRIVATE_ADDRESSES`: whether sources and vendors may have private addresses; `ALLOW_PLAIN_HTTP` implies it.
    pub allow_private_addresses: bool,
    /// `VENDOR_CALLS_PER_SECOND`: how often one process calls the vendor at most; 0 is no limit.
    pub calls_per_second: u32,
    /// `EGRESS_PROXY`: the proxy that all requests to sources and vendors go through.
    pub egress_proxy: Option<Url>,
}

impl Config {
    /// Reads the environment of the process.
    ///
    /// # Errors
    /// [`ConfigError`] names the first variable that cannot be used.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::read(&environment)
    }

    /// Reads the variables from `lookup`.
    ///
    /// # Errors
    /// [`ConfigError`] names the first variable that cannot be used.
    pub fn read(lookup: Lookup<'_>) -> Result<Self, ConfigError> {
        let defaults = Backoff::default();
        let vendor = required(lookup, "VENDOR", "the vendor's name")?;
        if !vendor
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        {
            return Err(ConfigError::new(
                "VENDOR",
                "a name of a-z, 0-9 and `-`",
                format!("`{vendor}`"),
            ));
        }
        let base = number(lookup, "PARK_BASE_SECONDS", defaults.base.as_secs(), 1, 3600)?;
        let cap = number(
            lookup,
            "PARK_CAP_SECONDS",
            defaults.cap.as_secs(),
            base,
            7 * 24 * 3600,
        )?;
        let horizon = number(
            lookup,
            "PARK_HORIZON_HOURS",
            defaults.horizon.as_secs() / 3600,
            1,
            30 * 24,
        )?;
        Ok(Self {
            vendor,
            queue_url: required(lookup, "QUEUE_URL", "the URL of the vendor's queue")?,
            partitions: partitions(lookup, "PARTITIONS")?,
            ledger_table: required(lookup, "LEDGER_TABLE", "the name of the ledger's table")?,
            secret_id: required(lookup, "VENDOR_SECRET", "the name or ARN of the vendor's secret")?,
            settings: required(lookup, "VENDOR_SETTINGS", "a JSON object")?,
            max_in_flight: number(lookup, "MAX_IN_FLIGHT", 10, 1, 1000)?,
            backoff: Backoff {
                base: Duration::from_secs(base),
                cap: Duration::from_secs(cap),
                horizon: Duration::from_hours(horizon),
            },
            event_ttl_days: number(lookup, "EVENT_TTL_DAYS", 90, 1, 3650)?,
            keep_sent: keep_sent(lookup)?,
            allow_plain_http: flag(lookup, "ALLOW_PLAIN_HTTP")?,
            allow_private_addresses: flag(lookup, "ALLOW_PRIVATE_ADDRESSES")?,
            calls_per_second: number(lookup, "VENDOR_CALLS_PER_SECOND", 0, 0, 1000)?,
            egress_proxy: proxy(lookup)?,
        })
    }

    /// How connections to sources and vendors are made.
    #[must_use]
    pub fn http(&self) -> HttpOptions {
        HttpOptions {
            allow_plain: self.allow_plain_http,
            allow_private: self.allow_private_addresses || self.allow_plain_http,
            proxy: self.egress_proxy.clone(),
            roots: Vec::new(),
        }
    }

    /// The vendor's own settings.
    ///
    /// # Errors
    /// [`ConfigError`] names the field of `VENDOR_SETTINGS` that is missing, unknown or of the wrong type.
    pub fn settings<T: DeserializeOwned>(&self) -> Result<T, ConfigError> {
        let mut json = serde_json::Deserializer::from_str(&self.settings);
        serde_path_to_error::deserialize(&mut json).map_err(|error| {
            let path = error.path().to_string();
            let place = if path == "." {
                String::new()
            } else {
                format!(" at `{path}`")
            };
            let expected = format!("a JSON object with the vendor's settings{place}");
            ConfigError::new("VENDOR_SETTINGS", expected, error.inner().to_string())
        })
    }
}

/// `LEDGER_TABLE`, for a function that needs nothing else.
///
/// # Errors
/// [`ConfigError`] if the variable is missing.
pub fn ledger_table(lookup: Lookup<'_>) -> Result<String, ConfigError> {
    required(lookup, "LEDGER_TABLE", "the name of the ledger's table")
}

/// `LOG_LEVEL`: `error`, `warn`, `info` (default), `debug` or `trace`.
///
/// # Errors
/// [`ConfigError`] if it is anything else.
pub fn log_level(lookup: Lookup<'_>) -> Result<tracing::Level, ConfigError> {
    let level = lookup("LOG_LEVEL").unwrap_or_else(|| "info".to_owned());
    level.parse().map_err(|_| {
        ConfigError::new(
            "LOG_LEVEL",
            "`error`, `warn`, `info`, `debug` or `trace`",
            format!("`{level}`"),
        )
    })
}

/// The environment of this process.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the environment"
)]
#[must_use]
pub fn environment(variable: &str) -> Option<String> {
    std::env::var(variable).ok()
}

/// A variable that must be there.
///
/// # Errors
/// [`ConfigError`] if it is missing or empty; it should have been what `expected` says.
pub fn required(lookup: Lookup<'_>, variable: &str, expected: &str) -> Result<String, ConfigError> {
    match lookup(variable) {
        Some(value) if !value.trim().is_empty() => Ok(value),
        Some(_) => Err(ConfigError::new(variable, expected, "an empty text")),
        None => Err(ConfigError::new(variable, expected, "nothing")),
    }
}

/// A number between two others; the default where the variable is not set.
///
/// # Errors
/// [`ConfigError`] if it is anything else.
pub fn number<T>(lookup: Lookup<'_>, variable: &str, default: T, min: T, max: T) -> Result<T, ConfigError>
where
    T: Copy + std::str::FromStr + PartialOrd + std::fmt::Display,
{
    let Some(text) = lookup(variable) else {
        return Ok(default);
    };
    match text.parse::<T>() {
        Ok(value) if value >= min && value <= max => Ok(value),
        _ => Err(ConfigError::new(
            variable,
            format!("a whole number from {min} to {max}"),
            format!("`{text}`"),
        )),
    }
}

/// How many queues share a vendor's entities; one where the variable is not set.
///
/// # Errors
/// [`ConfigError`] if it is no such number.
pub fn partitions(lookup: Lookup<'_>, variable: &str) -> Result<Partitions, ConfigError> {
    let Some(text) = lookup(variable) else {
        return Ok(Partitions::ONE);
    };
    let count = text.parse::<u32>().ok();
    let partitions = count.and_then(|count| Partitions::try_from(count).ok());
    partitions.ok_or_else(|| ConfigError::new(variable, "1, 2, 4 or 8", format!("`{text}`")))
}

fn flag(lookup: Lookup<'_>, variable: &str) -> Result<bool, ConfigError> {
    match lookup(variable).as_deref() {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(other) => Err(ConfigError::new(
            variable,
            "`true` or `false`",
            format!("`{other}`"),
        )),
    }
}

fn keep_sent(lookup: Lookup<'_>) -> Result<KeepSent, ConfigError> {
    match lookup("KEEP_SENT").as_deref() {
        None | Some("fields") => Ok(KeepSent::Fields),
        Some("values") => Ok(KeepSent::Values),
        Some("none") => Ok(KeepSent::None),
        Some(other) => {
            let found = format!("`{other}`");
            Err(ConfigError::new(
                "KEEP_SENT",
                "`fields`, `values` or `none`",
                found,
            ))
        }
    }
}

/// An empty text is what a template's parameter without a value becomes.
fn proxy(lookup: Lookup<'_>) -> Result<Option<Url>, ConfigError> {
    let Some(text) = lookup("EGRESS_PROXY").filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let url: Option<Url> = text.parse().ok();
    let is_plain = |url: &Url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
    };
    url.filter(is_plain).map(Some).ok_or_else(|| {
        // The text may hold a password.
        ConfigError::new(
            "EGRESS_PROXY",
            "an http or https URL without user name and password",
            "another text",
        )
    })
}

#[cfg(test)]
mod tests;

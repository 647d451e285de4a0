//! What `VENDOR_SETTINGS` holds for this vendor.

use serde::Deserialize;
use url::Url;
use vendorbridge::source::TableSettings;

use crate::mapping::ATTRIBUTES;

/// The settings.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The table of the items, and their key.
    pub(crate) source: TableSettings,
    /// The application's id. No secret: it is a part of the host.
    pub(crate) app_id: AppId,
    /// The index's name.
    pub(crate) index: IndexName,
    /// Asked instead of Algolia's own hosts: the first, or else the others.
    #[serde(default)]
    pub(crate) hosts: Option<Vec<Url>>,
    /// The attribute by which Algolia tells a late update.
    #[serde(default)]
    pub(crate) version_attribute: VersionAttribute,
    /// The application's plan allows records of this size: 10 KB to 100 KB
    /// (<https://www.algolia.com/doc/guides/scaling/algolia-service-limits/>).
    #[serde(default = "largest_record")]
    pub(crate) max_record_bytes: usize,
    /// Whether an update counts only once it can be found. Costs a request or more per batch.
    #[serde(default)]
    pub(crate) wait_for_task: bool,
    /// How long the first record of a batch waits for the others.
    #[serde(default = "linger")]
    pub(crate) linger_ms: u16,
}

fn largest_record() -> usize {
    100_000
}

fn linger() -> u16 {
    10
}

/// An application's id, such as `YourApplicationID`.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct AppId(String);

/// An index's name.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct IndexName(String);

/// An attribute that is neither the item's nor Algolia's own.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct VersionAttribute(String);

impl AppId {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl IndexName {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl VersionAttribute {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for VersionAttribute {
    fn default() -> Self {
        Self("vendorbridgeVersion".to_owned())
    }
}

impl TryFrom<String> for AppId {
    type Error = &'static str;

    fn try_from(id: String) -> Result<Self, Self::Error> {
        if (1..=32).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            Ok(Self(id))
        } else {
            Err("expected an application id of letters and digits, found another text")
        }
    }
}

impl TryFrom<String> for IndexName {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        // A path resolves dots even percent-encoded; `*` stands for all indices.
        let is_usable = (1..=256).contains(&name.len())
            && !matches!(name.as_str(), "." | ".." | "*")
            && !name.chars().any(char::is_control);
        if is_usable {
            Ok(Self(name))
        } else {
            Err("expected the name of one index, found another text")
        }
    }
}

impl TryFrom<String> for VersionAttribute {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        // Algolia keeps names that begin with `_` for itself, and dots reach into objects.
        let is_ours = !name.starts_with('_') && name != "objectID" && !ATTRIBUTES.contains(&name.as_str());
        if is_ours && (1..=64).contains(&name.len()) && name.bytes().all(is_plain) {
            Ok(Self(name))
        } else {
            Err(
                "expected an attribute of letters and digits that no record has of its own, found another text",
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;

    fn read(changed: &Value) -> Result<Settings, String> {
        let mut settings = json!({
            "source": {"table": "Inventory", "key": {"pk": "{id}"}}, "app_id": "ABC123", "index": "inventory",
        });
        let changed = changed.as_object().unwrap().clone();
        settings.as_object_mut().unwrap().extend(changed);
        serde_json::from_value(settings).map_err(|error| error.to_string())
    }

    #[test]
    fn the_defaults() {
        let settings = read(&json!({})).unwrap();
        assert_eq!(settings.version_attribute.as_str(), "vendorbridgeVersion");
        assert_eq!(
            (settings.max_record_bytes, settings.wait_for_task),
            (100_000, false)
        );
        assert!(settings.hosts.is_none());
    }

    #[rstest]
    #[case(json!({"app_id": "evil.example/"}), "an application id")]
    #[case(json!({"app_id": ""}), "an application id")]
    #[case(json!({"index": ".."}), "the name of one index")]
    #[case(json!({"index": "*"}), "the name of one index")]
    #[case(json!({"version_attribute": "_geoloc"}), "an attribute")]
    #[case(json!({"version_attribute": "objectID"}), "an attribute")]
    #[case(json!({"version_attribute": "price"}), "an attribute")]
    #[case(json!({"hosts": ["no host"]}), "relative URL")]
    #[case(json!({"api_key": "secret"}), "unknown field `api_key`")]
    fn what_cannot_be_used(#[case] changed: Value, #[case] reason: &str) {
        let error = read(&changed).unwrap_err();
        assert!(error.contains(reason), "{error}");
    }
}

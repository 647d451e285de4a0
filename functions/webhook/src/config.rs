//! What `VENDOR_SETTINGS` holds for this vendor.

use serde::Deserialize;
use url::Url;

/// The settings.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The Infoservice's base URL, such as `https://infoservice.example/api/v1`.
    pub(crate) source_url: Url,
    /// The receiver's endpoint.
    pub(crate) url: Url,
    /// The fields of the source's state that the receiver gets; all of them unless set.
    #[serde(default)]
    pub(crate) fields: Option<Vec<String>>,
}

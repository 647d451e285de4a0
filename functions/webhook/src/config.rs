//! What `VENDOR_SETTINGS` holds for this vendor.

use serde::Deserialize;
use url::Url;
use vendorbridge::auth::AuthSettings;

/// The settings.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The Infoservice's base URL, such as `https://infoservice.example/api/v1`.
    pub(crate) source_url: Url,
    /// How the Infoservice knows who asks.
    #[serde(default = "AuthSettings::bearer")]
    pub(crate) source_auth: AuthSettings,
    /// The receiver's endpoint.
    pub(crate) url: Url,
    /// What the receiver wants besides the signature.
    #[serde(default = "nothing")]
    pub(crate) auth: AuthSettings,
    /// The fields of the source's state that the receiver gets; all of them unless set.
    #[serde(default)]
    pub(crate) fields: Option<Vec<String>>,
}

fn nothing() -> AuthSettings {
    AuthSettings::None {}
}

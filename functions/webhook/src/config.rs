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
    /// The web shop's backend; without it no shortlists are listened for.
    #[serde(default)]
    pub(crate) shortlist: Option<ShortlistSettings>,
}

/// Where shortlists are read.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ShortlistSettings {
    /// The GraphQL endpoint, such as `https://shop.example/graphql`.
    pub(crate) url: Url,
    /// Who we are to it; the secret's fields begin with `shortlist`.
    #[serde(default)]
    pub(crate) auth: Option<AuthSettings>,
    /// Whether the query's hash is sent, and the query itself only to a server that does not know it yet.
    #[serde(default)]
    pub(crate) persisted_query: bool,
    /// Fields that may fail and are then not sent, such as `/data/shortlist/items/*/price`.
    #[serde(default)]
    pub(crate) harmless: Vec<String>,
    /// The fields of the shortlist that the receiver gets; all of them unless set.
    #[serde(default)]
    pub(crate) fields: Option<Vec<String>>,
}

fn nothing() -> AuthSettings {
    AuthSettings::None {}
}

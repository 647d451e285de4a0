//! What `VENDOR_SETTINGS` holds for this vendor.

use serde::{Deserialize, Serialize};
use url::Url;
use vendorbridge::auth::AuthSettings;
use vendorbridge::source::ListSettings;

/// The settings.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The Infoservice's base URL, such as `https://infoservice.example/api/v1`.
    pub(crate) source_url: Url,
    /// How the Infoservice knows who asks.
    #[serde(default = "AuthSettings::bearer")]
    pub(crate) source_auth: AuthSettings,
    /// How the Infoservice lists its customers; without it they cannot be listed.
    #[serde(default)]
    pub(crate) source_list: Option<ListSettings>,
    /// How Mailchimp knows who calls.
    #[serde(default = "api_key")]
    pub(crate) auth: AuthSettings,
    /// The audience's id, such as `a1b2c3d4e5`.
    pub(crate) list_id: String,
    /// The API's base URL; by default `https://<dc>.api.mailchimp.com/3.0` with the data centre of the API key.
    #[serde(default)]
    pub(crate) api_url: Option<Url>,
    /// The status of a member that is created. A delivery preference is no consent to marketing.
    #[serde(default)]
    pub(crate) status_if_new: StatusIfNew,
    /// The users of an Auth0 tenant; without it none are listened for.
    #[serde(default)]
    pub(crate) users: Option<UserSettings>,
}

/// How the users of an Auth0 tenant become members.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserSettings {
    /// Their audience's id; the customers' unless set.
    #[serde(default)]
    pub(crate) list_id: Option<String>,
    /// The status of a member that is created. A sign-up is no consent to marketing.
    #[serde(default)]
    pub(crate) status_if_new: StatusIfNew,
    /// The tenant's base URL, such as `https://acme.eu.auth0.com`. With it sign-ups in its log stream, and requests to sync,
    /// make the Management API be asked; events that carry the user are never asked back.
    #[serde(default)]
    pub(crate) auth0_url: Option<Url>,
    /// Who we are to the Management API; the secret's fields begin with `auth0`. By default the bearer `auth0_token`.
    #[serde(default)]
    pub(crate) auth: Option<AuthSettings>,
}

/// HTTP Basic with any user (<https://mailchimp.com/developer/marketing/docs/fundamentals/#api-structure>).
fn api_key() -> AuthSettings {
    AuthSettings::Basic {
        user: Some("vendorbridge".to_owned()),
        field: Some("api_key".to_owned()),
    }
}

/// The documented values of `status_if_new`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum StatusIfNew {
    /// Gets campaigns.
    Subscribed,
    /// Opted out.
    Unsubscribed,
    /// The address bounces.
    Cleaned,
    /// Has to confirm first.
    Pending,
    /// A contact without a subscription.
    #[default]
    Transactional,
}

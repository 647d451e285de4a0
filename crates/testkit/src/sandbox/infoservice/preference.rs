//! A customer's delivery preference, as the source's contract has it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What the source says about a customer, and the body of its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Preference {
    /// The customer.
    pub customer_id: String,
    /// Goes up by one with each change; also the `ETag`.
    pub version: u64,
    /// How statements are sent.
    pub channel: Channel,
    /// The e-mail address, if there is one.
    pub email: Option<String>,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// Two-letter language code.
    pub language: String,
    /// The postal address, if there is one.
    pub address: Option<Address>,
    /// When this version was made, in whole seconds.
    pub updated_at: Timestamp,
}

/// A [`Preference`] about to be made: the source adds version and time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewPreference {
    /// The customer.
    pub customer_id: String,
    /// How statements are sent.
    pub channel: Channel,
    /// The e-mail address, if there is one.
    #[serde(default)]
    pub email: Option<String>,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// Two-letter language code.
    pub language: String,
    /// The postal address, if there is one.
    #[serde(default)]
    pub address: Option<Address>,
}

/// How statements are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Channel {
    /// By e-mail only.
    Email,
    /// On paper only.
    Paper,
    /// Both.
    Both,
}

/// A postal address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Address {
    /// Street and number.
    pub line1: String,
    /// City.
    pub city: String,
    /// Postal code.
    pub postal_code: String,
    /// Two-letter country code.
    pub country: String,
}

impl NewPreference {
    /// A customer who wants e-mail, with made-up names and no postal address.
    #[must_use]
    pub fn by_email(customer_id: &str, email: &str) -> Self {
        Self {
            customer_id: customer_id.to_owned(),
            channel: Channel::Email,
            email: Some(email.to_owned()),
            first_name: "First".to_owned(),
            last_name: "Last".to_owned(),
            language: "en".to_owned(),
            address: None,
        }
    }

    pub(super) fn at(self, version: u64, updated_at: Timestamp) -> Preference {
        let Self {
            customer_id,
            channel,
            email,
            first_name,
            last_name,
            language,
            address,
        } = self;
        Preference {
            customer_id,
            version,
            channel,
            email,
            first_name,
            last_name,
            language,
            address,
            updated_at,
        }
    }
}

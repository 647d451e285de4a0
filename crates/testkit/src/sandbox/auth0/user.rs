//! A user, in the shape of the Management API and of the events; the part of it that a tenant fills for everybody.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

/// A user's profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUser {
    /// `<connection>|<id>`.
    pub user_id: String,
    /// None for a user of a phone, for example.
    pub email: Option<String>,
    /// The first name; none where nobody said it.
    pub given_name: Option<String>,
    /// The last name; none where nobody said it.
    pub family_name: Option<String>,
}

impl NewUser {
    /// A user with an address and a name.
    #[must_use]
    pub fn by_email(user_id: &str, email: &str) -> Self {
        Self {
            user_id: user_id.to_owned(),
            email: Some(email.to_owned()),
            given_name: Some("Urist".to_owned()),
            family_name: Some("McVankab".to_owned()),
        }
    }

    /// The user as it stood at these times.
    #[must_use]
    pub fn at(self, created_at: Timestamp, updated_at: Timestamp) -> User {
        User {
            identities: vec![json!({
                "connection": "Username-Password-Authentication", "provider": "auth0", "isSocial": false,
                "user_id": self.user_id.rsplit('|').next(),
            })],
            // What Auth0 does when nobody said a name.
            name: match (&self.given_name, &self.family_name, &self.email) {
                (Some(given), Some(family), _) => format!("{given} {family}"),
                (_, _, Some(email)) => email.clone(),
                _ => self.user_id.clone(),
            },
            user_id: self.user_id,
            email_verified: self.email.is_some().then_some(false),
            email: self.email,
            given_name: self.given_name,
            family_name: self.family_name,
            picture: "https://cdn.example/p.png".to_owned(),
            created_at,
            updated_at,
            metadata: json!({"marketing_opt_in": true, "language": "en"}),
            app_metadata: json!({}),
        }
    }
}

/// A user as the tenant answers it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct User {
    /// `<connection>|<id>`.
    pub user_id: String,
    /// Left out where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Comes with the address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_verified: Option<bool>,
    /// The first name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given_name: Option<String>,
    /// The last name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family_name: Option<String>,
    name: String,
    picture: String,
    #[serde(serialize_with = "with_milliseconds")]
    created_at: Timestamp,
    #[serde(serialize_with = "with_milliseconds")]
    pub(super) updated_at: Timestamp,
    identities: Vec<Value>,
    #[serde(rename = "user_metadata")]
    metadata: Value,
    app_metadata: Value,
}

impl User {
    pub(super) fn created_at(&self) -> Timestamp {
        self.created_at
    }
}

pub(super) fn with_milliseconds<S: serde::Serializer>(
    time: &Timestamp,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{time:.3}"))
}

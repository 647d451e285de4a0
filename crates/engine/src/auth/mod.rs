//! Who we are to a source or a vendor: chosen by configuration, applied in one place.

use http::HeaderName;
use serde::Deserialize;

use crate::http::{Answer, Request};
use crate::secret::SecretField;
use crate::{Error, Stage};

/// How a service wants to know who calls, as `VENDOR_SETTINGS` says it. It holds no secret: the credential's fields stand in
/// the vendor's secret, under names that begin with the prefix of the place where the settings are used.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum AuthSettings {
    /// Nobody asks.
    None {},
    /// `Authorization: Bearer` with the field `<prefix>_token`.
    Bearer {},
    /// A key in a header, with the field `<prefix>_api_key`.
    ApiKey {
        /// The header's name.
        header: String,
    },
}

/// A credential and how it is shown. Cheap to clone; clones share what they cached.
#[derive(Debug, Clone)]
pub struct Auth(Kind);

#[derive(Debug, Clone)]
enum Kind {
    None,
    Bearer(SecretField),
    Header(HeaderName, SecretField),
}

impl Auth {
    /// Shows nothing.
    #[must_use]
    pub fn none() -> Self {
        Self(Kind::None)
    }

    /// `Authorization: Bearer …`.
    #[must_use]
    pub fn bearer(token: SecretField) -> Self {
        Self(Kind::Bearer(token))
    }

    /// A key in a header.
    #[must_use]
    pub fn header(name: HeaderName, key: SecretField) -> Self {
        Self(Kind::Header(name, key))
    }

    /// Sends a request with the credential, and once more with a new one where the old one is refused and a new one can be had.
    ///
    /// # Errors
    /// At `stage`: that the credential cannot be had, or that there is no answer. What the answer says is the caller's to read.
    pub async fn send(&self, request: Request<'_>, stage: Stage) -> Result<Answer, Error> {
        let request = match &self.0 {
            Kind::None => request,
            Kind::Bearer(token) => request.bearer(&token.get().await.map_err(|error| error.at_stage(stage))?),
            Kind::Header(name, key) => request.secret_header(
                name.clone(),
                &key.get().await.map_err(|error| error.at_stage(stage))?,
            ),
        };
        request.send().await.map_err(|error| error.at(stage))
    }
}

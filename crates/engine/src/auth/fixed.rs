//! Credentials that stand in the secret as they are shown: API key, basic, bearer.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderName;
use secrecy::{ExposeSecret, SecretString};

use super::credential::Credential;
use crate::Error;
use crate::secret::SecretField;

#[derive(Debug, Clone)]
pub(super) enum Fixed {
    /// A word and a token in `Authorization`.
    Token(Arc<str>, SecretField),
    Header(HeaderName, SecretField),
    Query(Arc<str>, SecretField),
    Basic(User, SecretField),
}

#[derive(Debug, Clone)]
pub(super) enum User {
    Named(Arc<str>),
    Secret(SecretField),
}

impl Fixed {
    pub(super) async fn credential(&self) -> Result<Credential, Error> {
        Ok(match self {
            Self::Token(scheme, field) => Credential::authorization(scheme, &field.get().await?),
            Self::Header(name, field) => Credential::Header(name.clone(), field.get().await?),
            Self::Query(name, field) => Credential::Query(Arc::clone(name), field.get().await?),
            Self::Basic(user, field) => {
                let user = match user {
                    User::Named(name) => name.to_string().into(),
                    User::Secret(field) => field.get().await?,
                };
                let pair = format!("{}:{}", user.expose_secret(), field.get().await?.expose_secret());
                let value = SecretString::from(STANDARD.encode(pair));
                Credential::authorization("Basic", &value)
            }
        })
    }

    /// The credential after this one was refused, if the secret has another one by now.
    pub(super) async fn instead_of(&self, refused: &Credential) -> Result<Option<Credential>, Error> {
        let (Self::Token(_, field) | Self::Header(_, field) | Self::Query(_, field) | Self::Basic(_, field)) =
            self;
        field.suspect().await;
        let now = self.credential().await?;
        Ok(Some(now).filter(|now| !now.is(refused)))
    }
}

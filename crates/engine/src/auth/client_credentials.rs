//! OAuth 2 client credentials (RFC 6749, section 4.4).

use std::fmt;
use std::sync::Arc;

use futures::future::BoxFuture;

use super::certificate::Connection;
use super::credential::Credential;
use super::issued::{Grant, Issuer};
use super::settings::TokenEndpoint;
use super::token::{self, GrantType, Identity, IdentityFields};
use crate::clock::Clock;
use crate::secret::SecretStore;
use crate::{Error, ErrorKind};

pub(super) struct ClientCredentials {
    pub(super) settings: TokenEndpoint,
    pub(super) connection: Connection,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) store: Arc<SecretStore>,
    pub(super) fields: IdentityFields,
}

impl ClientCredentials {
    async fn ask(&self, identity: &Identity) -> Result<Grant, Error> {
        let grant = GrantType::ClientCredentials;
        let tokens = token::ask(&self.settings, &self.connection, &self.clock, identity, grant).await?;
        Ok(Grant {
            credential: Credential::authorization(&self.settings.scheme, &tokens.access),
            lives: tokens.lives,
        })
    }
}

impl Issuer for ClientCredentials {
    fn issue<'a>(&'a self, _: Option<&'a Credential>) -> BoxFuture<'a, Result<Grant, Error>> {
        Box::pin(async move {
            let identity = self.fields.of(&self.store.snapshot().await?)?;
            match self.ask(&identity).await {
                Err(error) if error.kind() == ErrorKind::Deauthorized => {
                    // The client may have been given another secret.
                    self.store.suspect().await;
                    let now = self.fields.of(&self.store.snapshot().await?)?;
                    if now.is(&identity) {
                        Err(error)
                    } else {
                        self.ask(&now).await
                    }
                }
                other => other,
            }
        })
    }
}

impl fmt::Debug for ClientCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientCredentials({:?})", self.fields)
    }
}

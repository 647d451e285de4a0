//! Mutual TLS: a client certificate from the secret.

use std::sync::{Arc, Mutex, PoisonError};

use secrecy::{ExposeSecret, SecretString};

use crate::http::Http;
use crate::secret::SecretField;
use crate::{Error, Stage};

/// A client certificate, and the connections that were made with it.
#[derive(Debug)]
pub(super) struct Certificate {
    pub(super) http: Http,
    pub(super) chain: SecretField,
    pub(super) key: SecretField,
    pub(super) made: Mutex<Option<Made>>,
}

#[derive(Debug)]
pub(super) struct Made {
    chain: SecretString,
    key: SecretString,
    http: Http,
}

/// The connections to one service: with a client certificate, where it wants one.
#[derive(Debug, Clone)]
pub(super) struct Connection {
    pub(super) http: Http,
    pub(super) certificate: Option<Arc<Certificate>>,
}

impl Connection {
    pub(super) async fn http(&self) -> Result<Http, Error> {
        match &self.certificate {
            Some(certificate) => certificate.connections().await,
            None => Ok(self.http.clone()),
        }
    }
}

impl Certificate {
    /// Connections with the certificate that the secret holds now. They are made anew when it is another one than before.
    pub(super) async fn connections(&self) -> Result<Http, Error> {
        let (chain, key) = (self.chain.get().await?, self.key.get().await?);
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(made) = &*made
            && made.chain.expose_secret() == chain.expose_secret()
            && made.key.expose_secret() == key.expose_secret()
        {
            return Ok(made.http.clone());
        }
        let http = self
            .http
            .with_certificate(&chain, &key)
            .map_err(|error| error.at(Stage::Push))?;
        let connections = http.clone();
        *made = Some(Made { chain, key, http });
        Ok(connections)
    }

    /// The other side refused it: the next request looks into the secret anew.
    pub(super) async fn refused(&self) {
        self.chain.suspect().await;
    }
}
